"""What is to be built again though no code changed: images whose base images are others now."""

from tasks.fresh.decide import compare, hindrance, renewed
from tasks.fresh.model import Bump, Claim, Part

__all__ = ["Bump", "Claim", "Part", "compare", "hindrance", "renewed"]
