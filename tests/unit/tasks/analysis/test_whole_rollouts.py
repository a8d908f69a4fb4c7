"""Good rollouts from their first share to the end of the bake, judged at every look as they are.

Several indicators on two components, looks at irregular distances, samples that are thinned, a
process that is killed and started again, and a baseline that is as noisy as the rollout.
"""

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from tasks.analysis.decide import judge
from tasks.analysis.model import Count, Facts, Indicator, Limit, Objective, Shift
from tasks.core.model import Outcome
from tasks.core.sample import Sample
from tasks.core.slos import Judging
from tasks.core.thin import thin
from tasks.core.tracks import Track
from tests.unit.tasks.analysis.traffic import (
    BEGAN,
    Rate,
    Traffic,
    autoregressive,
    hiccups,
    is_at_most,
    seeded,
)

RUNS, NUMBERS = 29, 300
"""Without any alarm they leave 10 % and 1 % a chance of 1 in 20 (`is_at_most`)."""
SHARES = (10, 25, 50, 100)
LOOKS = 12
MOST_SAMPLES = 400
MONTH = timedelta(days=30)
READ_EVERY = timedelta(seconds=15)
POOL = Indicator("saturation", Limit(0.8))
INDICATORS = (
    Indicator("availability", Objective(0.005, MONTH)),
    Indicator("latency", Objective(0.05, MONTH)),
    Indicator("latency, compared", Shift(("latency > 0.1s", "latency > 1s"))),
    POOL,
)
SURE = Judging(false_alarms=10)
"""So that alarms are frequent enough to be counted."""
FIRST = 50
"""Readings in seven stretches of two minutes: fewer stretches prove nothing at 1 %."""


@dataclass
class Shop:
    """Two components with rates and shares of their own, both as before the rollout.

    The budget of errors burns all the time: what remains is whether the release is to blame.
    """

    chance: random.Random
    pool: list[float] = field(init=False)

    def __post_init__(self) -> None:
        self.pool = [0.6 + 0.15 * value for value in autoregressive(self.chance, 0.8, 1000)]
        errors: dict[str, Rate] = {"api": hiccups(0.01, (0.05, 0.3)), "web": lambda *_: 0.002}
        self.traffic = {
            (component, sli): Traffic(requests, errors[component] if rate is None else rate)
            for component, requests in (("api", 8.0), ("web", 20.0))
            for sli, rate in RATES.items()
        }

    def before(self) -> Mapping[str, Mapping[str, tuple[Count, ...]]]:
        past: dict[str, dict[str, tuple[Count, ...]]] = {
            sli: {
                component: self.traffic[component, sli].before(self.chance, 60)
                for component in ("api", "web")
            }
            for sli in RATES
        }
        past["saturation"] = {"api": tuple(Count(1, self.pool.pop()) for _ in range(60))}
        return past

    def looks(self) -> Iterator[list[Sample]]:
        """What is counted from look to look; the pool is read every 15 s."""
        at, read = BEGAN, BEGAN
        for share in SHARES:
            for _ in range(LOOKS):
                lasts = 1 + self.chance.expovariate(0.4)
                at += timedelta(seconds=lasts)
                found = list(self._look(share, (at - BEGAN).total_seconds(), lasts))
                if at - read >= READ_EVERY:
                    read = at
                    found += [
                        self._reading(share, at, "canary"),
                        self._reading(share, at, "stable"),
                    ]
                yield found

    def _look(self, share: int, second: float, lasts: float) -> Iterator[Sample]:
        for (component, sli), traffic in self.traffic.items():
            part = share if component == "api" or share == 100 else share / 2
            rate = traffic.rate(second, self.chance)
            tracks: tuple[tuple[Track, float], ...] = (("canary", part), ("stable", 100 - part))
            for track, percent in tracks:
                count = traffic.count(self.chance, percent / 100 * lasts, rate)
                at = BEGAN + timedelta(seconds=second)
                yield Sample(at, sli, track, share, count.total, count.bad, component)

    def _reading(self, share: int, at: object, track: Track) -> Sample:
        return Sample(at, "saturation", track, share, 1, self.pool.pop(), "api")  # type: ignore[arg-type]


RATES: dict[str, Rate | None] = {
    "availability": None,
    "latency": lambda *_: 0.04,
    "latency > 0.1s": lambda *_: 0.3,
    "latency > 1s": lambda *_: 0.04,
}


def is_taken_back(chance: random.Random) -> bool:
    shop = Shop(chance)
    past, restart = shop.before(), chance.randrange(len(SHARES) * LOOKS)
    samples: list[Sample] = []
    for number, found in enumerate(shop.looks()):
        if number == restart:
            continue  # what had been counted since the record was written is lost
        samples = [*thin([*samples, *found], MOST_SAMPLES)]
        share, now = found[0].share, found[0].at
        facts = Facts(INDICATORS, SURE, tuple(samples), now, share, 2, past)
        if judge(facts)[0].outcome is Outcome.FAILED:
            return True
    return False


def test_a_whole_rollout_of_a_good_release_is_hardly_ever_taken_back(
    record_property: Callable[[str, object], None],
) -> None:
    chance = seeded(20260104)
    alarms = sum(is_taken_back(chance) for _ in range(RUNS))
    record_property(f"alarms in {RUNS} at 10 %", alarms)
    assert is_at_most(0.1, alarms, RUNS)


def number_fails(chance: random.Random, memory: float) -> bool:
    """Watch a number of either release for an hour, over its limit a fifth of the time."""
    old = autoregressive(chance, memory, 480)
    new = autoregressive(chance, memory, 240)
    past = tuple(Count(1, value) for value in old[:240:4])
    goal = replace(POOL, goal=Limit(0.84))
    samples: list[Sample] = []
    for number, (canary, stable) in enumerate(zip(new, old[240:], strict=True)):
        at = BEGAN + number * READ_EVERY
        samples.append(Sample(at, "saturation", "canary", 50, 1, canary))
        samples.append(Sample(at, "saturation", "stable", 50, 1, stable))
        if number % 8 == 0 and number > FIRST and min(new[number - 2 : number + 1]) > 0.84:
            facts = Facts(
                (goal,), Judging(), tuple(samples), at, 50, baselines={"saturation": {"": past}}
            )
            if judge(facts)[0].outcome is Outcome.FAILED:
                return True
    return False


@pytest.mark.parametrize("memory", [0.0, 0.9, 0.97], ids=["noise", "2 minutes", "8 minutes"])
def test_a_number_that_remembers_what_it_was_is_no_proof_at_every_look(
    memory: float, record_property: Callable[[str, object], None]
) -> None:
    chance = seeded(20260105)
    alarms = sum(number_fails(chance, memory) for _ in range(NUMBERS))
    record_property(f"alarms in {NUMBERS} at 1 %", alarms)
    assert is_at_most(0.01, alarms, NUMBERS)
