"""The key with which the receiver vouches to the worker for what Slack has signed."""

import stat
from pathlib import Path

from tasks.core.errors import ConfigError
from tasks.core.paths import state_dir

__all__ = ["key_file", "read_key"]

OTHERS = stat.S_IRWXG | stat.S_IRWXO


def key_file() -> Path:
    """Say where it is; `slipway up` makes it."""
    return state_dir() / "slack-answers-key"


def read_key() -> bytes:
    """Return it; empty where this machine has none, and then nothing from Slack counts.

    Raises:
        ConfigError: others can read it, or this user cannot.
    """
    file = key_file()
    try:
        mode, content = file.stat().st_mode, file.read_bytes()
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise ConfigError(
            f"cannot be read ({error.strerror})",
            where=str(file),
            next_step="remove it, then slipway down and slipway up",
        ) from error
    if mode & OTHERS:
        raise ConfigError(
            "can be read by others, and vouches for approvals",
            where=str(file),
            next_step="remove it, then slipway down and slipway up",
        )
    return content.strip()
