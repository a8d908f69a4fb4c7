"""The lines that people left, newest first. They live as long as the process."""

from collections import deque
from dataclasses import dataclass
from threading import Lock

MAX_NAME = 40
MAX_LINE = 280
KEPT = 100


@dataclass(frozen=True, slots=True)
class Entry:
    """One line in the book."""

    name: str
    line: str


class Refused(ValueError):  # noqa: N818 a good name
    """What was written cannot go into the book; the message says why."""


class Book:
    """Keeps the newest lines; safe to use from several threads."""

    def __init__(self) -> None:
        self._entries: deque[Entry] = deque(maxlen=KEPT)
        self._lock = Lock()

    def sign(self, name: str, line: str) -> Entry:
        """Add a line.

        Raises:
            Refused: the name or the line is empty or too long.
        """
        entry = Entry(_checked("name", name, MAX_NAME), _checked("line", line, MAX_LINE))
        with self._lock:
            self._entries.appendleft(entry)
        return entry

    def entries(self) -> tuple[Entry, ...]:
        """Return the lines, newest first."""
        with self._lock:
            return tuple(self._entries)


def _checked(what: str, text: str, longest: int) -> str:
    tidy = " ".join(text.split())
    if not tidy:
        raise Refused(f"the {what} is empty")
    if len(tidy) > longest:
        raise Refused(f"the {what} has {len(tidy)} characters, at most {longest} fit")
    return tidy
