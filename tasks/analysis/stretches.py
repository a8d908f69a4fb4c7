"""Plain numbers go on as they were: what counts as a proof of its own."""

import math
from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import pairwise

from tasks.analysis.model import NOTHING, Count, Limit, Look
from tasks.analysis.sequential import WHOLE

__all__ = ["joined", "over", "piece_of", "stretch_of", "stretches"]

PIECE = timedelta(minutes=1)
MOST_PIECES = 1_000
SHORTEST = timedelta(minutes=2)
UNKNOWN = timedelta(minutes=5)
ENOUGH = 20
"""Readings of the old release from which it is known how long its number remembers."""
MEMORIES = 2
"""After so many times its memory a number has forgotten six parts in seven of what it was."""
LONGEST_MEMORY = 0.97
"""A correlation of neighbours above this is not told from one that never ends."""


def piece_of(baseline: timedelta) -> timedelta:
    """Cut the time before a rollout into pieces of a minute, longer ones where they are many."""
    return max(PIECE, baseline / MOST_PIECES)


def stretch_of(history: Sequence[Count], every: timedelta) -> timedelta:
    """Return how long a stretch is whose number owes nothing to the stretch before it.

    Two readings close to each other are no two proofs. How long a number remembers is read from
    the old release's own readings: their correlation from one to the next (as of an autoregression
    of order 1), a standard error and the estimate's bias on top.
    """
    values = [count.rate for count in history if count.total > 0]
    if len(values) < ENOUGH:
        return UNKNOWN
    correlation = _correlation(values)
    margin = math.sqrt(max(0.0, 1 - correlation**2) / len(values))
    likely = min(correlation + (1 + 4 * correlation) / len(values) + margin, LONGEST_MEMORY)
    memory = every / -math.log(likely) if likely > 0 else timedelta(0)
    return max(SHORTEST, MEMORIES * memory)


def stretches(looks: Sequence[Look], goal: Limit, length: timedelta) -> Iterator[Look]:
    """Make one event of each stretch that is over: the benefit of the doubt is the new release's.

    It was over the limit where it never was below it, the old one where it was over it once.
    """
    held: list[Look] = []
    for look in looks:
        is_alone = look.share == WHOLE
        if held and (look.at - held[0].at >= length or is_alone != (held[0].share == WHOLE)):
            if held[-1].at - held[0].at >= length / 2:
                yield _stretch(held, goal)
            held = []
        held.append(look)


def joined(history: Sequence[Count], goal: Limit, pieces: int) -> list[Count]:
    """Make one event of so many pieces of the old release's history, bad where it was over once."""
    parts = (history[start : start + pieces] for start in range(0, len(history), pieces))
    return [
        Count(1.0, float(any(over(count, goal).bad for count in part)))
        for part in parts
        if any(count.total > 0 for count in part)
    ]


def over(value: Count, goal: Limit) -> Count:
    """Make of a plain number, or the average of several, one event: bad where over the limit."""
    return Count(1.0, float(value.rate > goal.value)) if value.total > 0 else NOTHING


def _stretch(looks: Sequence[Look], goal: Limit) -> Look:
    new = [over(look.canary, goal) for look in looks if look.canary.total > 0]
    old = [over(look.stable, goal) for look in looks if look.stable.total > 0]
    return Look(
        looks[-1].at,
        looks[0].share,
        Count(1.0, float(all(count.bad for count in new))) if new else NOTHING,
        Count(1.0, float(any(count.bad for count in old))) if old else NOTHING,
    )


def _correlation(values: Sequence[float]) -> float:
    mean = math.fsum(values) / len(values)
    spread = math.fsum((value - mean) ** 2 for value in values)
    if spread <= 0:
        return 0.0
    return math.fsum((one - mean) * (next_ - mean) for one, next_ in pairwise(values)) / spread
