"""Traffic made up with a fixed seed: what both releases count, look by look."""

import math
import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from tasks.analysis.model import NOTHING, Count, Look

__all__ = [
    "BEGAN",
    "STEPS",
    "Rate",
    "Traffic",
    "autoregressive",
    "hiccups",
    "is_at_most",
    "poisson",
    "seeded",
]

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
STEPS = (10, 25, 50)
"""Shares of the traffic in percent that have something beside them."""
HOUR = 3600
CONFIDENCE = 0.95

Rate = Callable[[float, random.Random], float]
"""Share of bad requests at a second, for both releases."""


@dataclass(frozen=True, slots=True)
class Traffic:
    """Requests a second for both releases together."""

    requests: float
    rate: Rate
    worse: Callable[[float], float] = lambda rate: rate

    def every_second(self, chance: random.Random, share: int, seconds: int) -> Iterator[Look]:
        """Looks at one share, as they are had of the pods' own metrics."""
        return (self.look(chance, share, (second, 1.0)) for second in range(1, seconds + 1))

    def now_and_then(
        self, chance: random.Random, shares: Iterable[int], looks: int
    ) -> Iterator[Look]:
        """Looks at irregular distances, so many at each share."""
        second = 0.0
        for share in shares:
            for _ in range(looks):
                lasts = 1 + chance.expovariate(0.5)
                second += lasts
                yield self.look(chance, share, (second, lasts))

    def look(self, chance: random.Random, share: int, when: tuple[float, float]) -> Look:
        """What both count up to a second, since so many seconds before."""
        second, lasts = when
        common = self.rate(second, chance)
        new = self.count(chance, share / 100 * lasts, self.worse(common))
        old = self.count(chance, (1 - share / 100) * lasts, common)
        return Look(BEGAN + timedelta(seconds=second), share, new, old)

    def before(self, chance: random.Random, every: int = 20) -> tuple[Count, ...]:
        """What the old release counted in each minute of the hour before."""
        pieces = [NOTHING] * 60
        for second in range(0, HOUR, every):
            rate = self.rate(second - HOUR, chance)
            pieces[second // 60] += self.count(chance, every, rate)
        return tuple(pieces)

    def count(self, chance: random.Random, seconds: float, rate: float) -> Count:
        total = poisson(chance, self.requests * seconds)
        return Count(total, min(total, poisson(chance, total * rate)))


def hiccups(usual: float, rates: tuple[float, float], seconds: float = 60) -> Rate:
    """A dependency that fails for 5 to 20 s, once in so many seconds."""
    rate, until, last = usual, -math.inf, math.inf

    def at(second: float, chance: random.Random) -> float:
        nonlocal rate, until, last
        passed, last = (second - last if second > last else 0.0), second
        if second >= until or second < until - 20:
            rate = usual
            if chance.random() < passed / seconds:
                rate, until = chance.uniform(*rates), second + chance.uniform(5, 20)
        return rate

    return at


def autoregressive(chance: random.Random, memory: float, number: int) -> list[float]:
    """A number that goes around 0 with a deviation of 1, correlated from one to the next."""
    value, noise = chance.gauss(0, 1), math.sqrt(1 - memory**2)
    values = []
    for _ in range(number):
        value = memory * value + noise * chance.gauss(0, 1)
        values.append(value)
    return values


def is_at_most(rate: float, alarms: int, runs: int) -> bool:
    """Say whether so few alarms leave a larger rate a chance of 1 in 20 at most."""
    fewer = (math.comb(runs, n) * rate**n * (1 - rate) ** (runs - n) for n in range(alarms + 1))
    return math.fsum(fewer) <= 1 - CONFIDENCE


def seeded(number: int) -> random.Random:
    """Return chance that is the same in every run."""
    return random.Random(number)  # noqa: S311 nothing here is secret


def poisson(chance: random.Random, mean: float) -> int:
    """Draw a number of events (Knuth's way; the normal one where there are many)."""
    if mean > 30:
        return max(0, round(chance.gauss(mean, math.sqrt(mean))))
    limit, product, events = math.exp(-mean), chance.random(), 0
    while product > limit:
        product *= chance.random()
        events += 1
    return events
