"""Many rows in one SQL statement: with each statement a thread gives the interpreter away once."""

from collections.abc import Iterator, Sequence
from itertools import chain

__all__ = ["Row", "flat", "portions", "values"]

Row = tuple[object, ...]
MOST_ROWS = 500
"""SQLite takes no more than 32,766 parameters; sqlite.org/limits.html."""


def portions(rows: Sequence[Row]) -> Iterator[Sequence[Row]]:
    """Return rows in as few parts as statements take."""
    return (rows[first : first + MOST_ROWS] for first in range(0, len(rows), MOST_ROWS))


def values(rows: Sequence[Row]) -> str:
    """Return SQL for rows whose values are parameters."""
    row = f"({', '.join('?' * len(rows[0]))})"
    return f"VALUES {', '.join([row] * len(rows))}"


def flat(rows: Sequence[Row]) -> tuple[object, ...]:
    """Return those parameters."""
    return tuple(chain.from_iterable(rows))
