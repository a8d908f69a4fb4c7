"""An image tried on its own, the way the manifests will run it."""

from tasks.smoke.effects import smoke
from tasks.smoke.engine import Engine
from tasks.smoke.model import Answer, Observed, Trial

__all__ = ["Answer", "Engine", "Observed", "Trial", "smoke"]
