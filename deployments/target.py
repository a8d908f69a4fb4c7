"""The target that this instance was given."""

from pydantic import TypeAdapter

from tasks.core.paths import state_dir
from tasks.core.target import Target

__all__ = ["instance_target"]

_TARGET = TypeAdapter(Target)


def instance_target() -> Target:
    """Return what runs work with where nothing else is named."""
    return _TARGET.validate_json((state_dir() / "target.json").read_bytes())
