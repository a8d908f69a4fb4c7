"""Images into a registry, by digest (OCI distribution specification 1.1)."""

from tasks.push.effects import push
from tasks.push.model import Credentials

__all__ = ["Credentials", "push"]
