"""The key with which the receiver vouches to the worker for what Slack has signed."""

from pathlib import Path

from tasks.core.files import read_private
from tasks.core.paths import state_dir

__all__ = ["key_file", "read_key"]

REMEDY = "remove it, then slipway down and slipway up"
"""It vouches for approvals: one that others have seen is made anew."""


def key_file() -> Path:
    """Say where it is; `slipway up` makes it."""
    return state_dir() / "slack-answers-key"


def read_key() -> bytes:
    """Return it; empty where this machine has none, and then nothing from Slack counts.

    Raises:
        ConfigError: others can read it, or this user cannot.
    """
    return (read_private(key_file(), REMEDY) or b"").strip()
