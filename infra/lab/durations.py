"""How long things took the last time, for the remaining time of the next."""

import contextlib
import json
import os
import threading
from pathlib import Path

__all__ = ["expected", "remember"]

_LOCK = threading.Lock()


def expected(cache: Path, name: str, otherwise: float) -> float:
    """Seconds that it took the last time, or the given guess."""
    return _read(cache).get(name, otherwise)


def remember(cache: Path, name: str, seconds: float) -> None:
    """Note how long it took; losing a note in a race with another lab does no harm."""
    with _LOCK:
        notes = _read(cache) | {name: round(seconds, 2)}
        draft = _file(cache).with_suffix(f".{os.getpid()}")
        draft.write_text(json.dumps(notes, indent=1, sort_keys=True))
        draft.rename(_file(cache))


def _read(cache: Path) -> dict[str, float]:
    with contextlib.suppress(OSError, ValueError):
        return {
            str(key): float(value) for key, value in json.loads(_file(cache).read_text()).items()
        }
    return {}


def _file(cache: Path) -> Path:
    return cache / "durations.json"
