"""Writing a file so that nobody ever sees half of it."""

import contextlib
import os
import tempfile
from pathlib import Path

__all__ = ["write_whole"]


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
