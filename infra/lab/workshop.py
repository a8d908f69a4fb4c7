"""How an artifact is made so that nothing is left where the work is cut off."""

import os
import shutil
from pathlib import Path

__all__ = ["CONTAINED", "fresh_draft"]

CONTAINED = (
    "setpriv", "--pdeathsig", "KILL", "unshare", "--mount", "--propagation", "private", "--pid",
    "--fork", "--kill-child", "--mount-proc", "nice", "-n", "5",
)  # fmt: skip
"""Starts a program at low priority with mounts and processes of its own, which all end with it, and
it with the thread that started it."""


def fresh_draft(target: Path) -> Path:
    """Give a free place beside the target, and clear away what an interrupted `up` has left.

    Call it under the artifact's lock: then no other process is at work on it.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    for stale in target.parent.glob(f".{target.name}.*"):
        if stale.is_dir():
            shutil.rmtree(stale)
        else:
            stale.unlink()
    return target.with_name(f".{target.name}.{os.getpid()}")
