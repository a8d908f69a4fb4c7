"""Absolute: whether the error budget burns, by the workbook's table."""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate

from tasks.analysis.model import Count, Look, Objective
from tasks.core.burn import BURN_WINDOWS

__all__ = ["Burn", "fast_burn", "worst_burn"]


@dataclass(frozen=True, slots=True)
class Burn:
    """How fast the budget burns against the row of the table that it comes closest to.

    Attributes:
        rate: 1 spends the budget exactly over the objective's period; the lower one of the
            row's two windows.
        window: the row's long window, or the life of the release where that is shorter.
    """

    rate: float
    limit: float
    window: timedelta

    @property
    def over(self) -> bool:
        """Whether both windows of the row burn too fast."""
        return self.rate > self.limit


def worst_burn(looks: Iterable[Look], goal: Objective, now: datetime) -> Burn:
    """Return the row that is over its limit by most, or comes closest to it.

    A window reaches back to the first look at most. So a young release is measured by the
    smallest limit: nothing is known of it but that life, and where it goes on like that the
    objective is missed. The short windows let a burst that is over be over.
    """
    seen = [look for look in looks if look.canary.total > 0]
    life = now - min((look.at for look in seen), default=now)
    rate_since = _rates(seen)
    burns = [
        Burn(
            rate=min(rate_since(now - each) / goal.budget for each in (row.long, row.short)),
            limit=row.limit(goal.period),
            window=min(row.long, life),
        )
        for row in BURN_WINDOWS
    ]
    return max(burns, key=lambda burn: burn.rate / burn.limit)


def fast_burn(goal: Objective) -> float:
    """Return the share of bad events, 0 to 1, that the table calls for a page at once.

    Where that would be more than all of them: half-way from the budget to all.
    """
    paged = BURN_WINDOWS[0].limit(goal.period) * goal.budget
    return min(paged, (1 + goal.budget) / 2)


def _rates(looks: Sequence[Look]) -> Callable[[datetime], float]:
    """Return how to tell the share of bad events, 0 to 1, since an instant; looks are in order."""
    instants = [look.at for look in looks]
    totals = [*accumulate((look.canary.total for look in looks), initial=0.0)]
    bads = [*accumulate((look.canary.bad for look in looks), initial=0.0)]

    def since(instant: datetime) -> float:
        first = bisect_right(instants, instant)
        return Count(totals[-1] - totals[first], bads[-1] - bads[first]).rate

    return since
