"""Files that nobody ever sees half of, and files that nobody else sees."""

import contextlib
import os
import stat
import tempfile
from pathlib import Path

from tasks.core.errors import ConfigError

__all__ = ["keep_private", "read_private", "write_whole"]

OTHERS = stat.S_IRWXG | stat.S_IRWXO


def write_whole(file: Path, content: bytes) -> None:
    """Put a file in place at once, readable by its owner alone; several writers do not meet."""
    # mkstemp's files are their owner's alone from the first moment, and each has its own name
    handle, draft = tempfile.mkstemp(dir=file.parent, prefix=f".{file.stem}-")
    try:
        with os.fdopen(handle, "wb") as output:
            output.write(content)
            output.flush()
            os.fsync(output.fileno())
        Path(draft).replace(file)
    finally:
        with contextlib.suppress(FileNotFoundError):
            Path(draft).unlink()


def read_private(file: Path, remedy: str = "") -> bytes | None:
    """Return what a file with a secret holds, None where there is none.

    Args:
        file: it has to be its owner's alone.
        remedy: what to do about one that is not; `chmod 600` where empty.

    Raises:
        ConfigError: others can read it, or this user cannot.
    """
    where, next_step = str(file), remedy or f"chmod 600 {file}"
    try:
        mode, content = file.stat().st_mode, file.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", where, next_step) from error
    if mode & OTHERS:
        raise ConfigError("can be read by others", where, next_step)
    return content


def keep_private(file: Path, content: bytes | None) -> None:
    """Put a secret into a file that is its owner's alone, or remove the file."""
    if content is None:
        file.unlink(missing_ok=True)
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    write_whole(file, content)
