"""Where Slipway keeps what it makes, outside every checkout."""

import os
from pathlib import Path

__all__ = ["cache_dir", "instance", "state_dir"]


def instance() -> str:
    """Name of this Slipway on this machine; several can run side by side."""
    return os.environ.get("SLIPWAY_INSTANCE") or "default"


def cache_dir() -> Path:
    """Built binaries, root file systems and base images by version, shared by all instances."""
    home = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(os.environ.get("SLIPWAY_CACHE") or Path(home) / "slipway")


def state_dir() -> Path:
    """Everything that belongs to one instance: Prefect's database, the lab's data, work trees."""
    home = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return Path(os.environ.get("SLIPWAY_STATE") or Path(home) / "slipway") / instance()
