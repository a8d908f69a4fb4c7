"""Traffic made up with a fixed seed: what both releases count, second by second."""

import math
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from tasks.analysis.model import NOTHING, Count, Look

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
STEPS = ((10, 60), (25, 60), (50, 60), (100, 60))
"""Share of the traffic in percent, and for how many seconds."""

Rate = Callable[[int, random.Random], float]
"""Share of bad requests in a second, for both releases."""


@dataclass(frozen=True, slots=True)
class Traffic:
    """Requests a second for both releases together."""

    requests: float
    rate: Rate
    worse: Callable[[float], float] = lambda rate: rate

    def looks(self, chance: random.Random, steps: tuple[tuple[int, int], ...]) -> Iterator[Look]:
        second = 0
        for share, seconds in steps:
            for _ in range(seconds):
                second += 1
                common = self.rate(second, chance)
                new = self._count(chance, share, self.worse(common))
                old = self._count(chance, 100 - share, common)
                yield Look(BEGAN + timedelta(seconds=second), share, new, old)

    def before(self, chance: random.Random, minutes: int = 60) -> tuple[Count, ...]:
        """What the old release counted in each minute before."""
        pieces = [NOTHING] * minutes
        for second in range(60 * minutes):
            pieces[second // 60] += self._count(chance, 100, self.rate(-second, chance))
        return tuple(pieces)

    def _count(self, chance: random.Random, share: int, rate: float) -> Count:
        total = poisson(chance, self.requests * share / 100)
        return Count(total, min(total, poisson(chance, total * rate)))


def seeded(number: int) -> random.Random:
    """Return chance that is the same in every run."""
    return random.Random(number)  # noqa: S311 nothing here is secret


def poisson(chance: random.Random, mean: float) -> int:
    """Draw a number of events (Knuth's way; the normal one where there are many)."""
    if mean > 50:
        return max(0, round(chance.gauss(mean, math.sqrt(mean))))
    limit, product, events = math.exp(-mean), chance.random(), 0
    while product > limit:
        product *= chance.random()
        events += 1
    return events
