"""What is promised of the sequential tests, tried on made-up traffic with fixed seeds.

Each kind of good release is rolled out so often, and may be taken back so seldom, that its rate of
false alarms is at most what is promised with a confidence of 95 % (Clopper and Pearson): at 1 %,
and at 10 %, where alarms are frequent enough to be counted well.
"""

import math
import random
import statistics
from collections.abc import Callable, Iterable, Iterator, Mapping

import pytest

from tasks.analysis.model import NOTHING, Count, Look
from tasks.analysis.sequential import Before, Bet, Bounds, shared
from tests.unit.tasks.analysis.traffic import (
    BEGAN,
    STEPS,
    Rate,
    Traffic,
    hiccups,
    is_at_most,
    seeded,
)

RUNS = 475
ONE_PERCENT, TEN_PERCENT = Bounds.of(0.01, indicators=1), Bounds.of(0.1, indicators=1)
UNKNOWN = Before(rate=1.0, clumping=1.0)

Told = tuple[str, Look]
"""A component and what was seen of it."""
Rollout = Callable[[random.Random], Iterable[Told]]


def surest(told: Iterable[Told], past: Mapping[str, Before]) -> float:
    """Return the most evidence that there ever was against a release, whenever one looks."""
    bets = {component: Bet(before) for component, before in past.items()}
    most = 0.0
    for component, look in told:
        bets[component].add(look)
        if look.canary.bad:
            most = max(most, shared([bet.evidence for bet in bets.values()], len(bets)))
    return most


def alone(traffic: Traffic) -> Rollout:
    """One component, looked at now and then at rising shares."""
    return lambda chance: (("api", look) for look in traffic.now_and_then(chance, STEPS, 35))


def simpson(chance: random.Random) -> Iterator[Told]:
    """Two components, one with many errors and many canary pods, the other with few of both."""
    api, web = Traffic(10, lambda *_: 0.05), Traffic(40, lambda *_: 0.001)
    for second in range(1, 121):
        yield "api", api.look(chance, 45, (second, 2.0))
        yield "web", web.look(chance, 5, (second, 2.0))


def scraped(chance: random.Random) -> Iterator[Told]:
    """What Prometheus has: every pod is read every 5 s, each at a moment of its own."""
    traffic, rate = Traffic(10, lambda *_: 0.0), hiccups(0.003, (0.1, 0.5))
    tracks = ("canary", "stable", "stable", "stable")
    moments = [chance.randrange(5) for _ in tracks]
    unread = [NOTHING] * len(tracks)
    look = {"canary": NOTHING, "stable": NOTHING}
    for second in range(1, 201):
        common = rate(second, chance)
        for pod, track in enumerate(tracks):
            unread[pod] += traffic.count(chance, 1.0, common)
            if second % 5 == moments[pod]:
                look[track], unread[pod] = look[track] + unread[pod], NOTHING
        if all(count.total for count in look.values()):
            yield "api", Look(BEGAN, 25, look["canary"], look["stable"])
            look = {"canary": NOTHING, "stable": NOTHING}


BESIDE: dict[str, Rollout] = {
    "a steady rate of errors": alone(Traffic(20, lambda *_: 0.01)),
    "half of all requests are bad": alone(Traffic(20, lambda *_: 0.5)),
    "hardly any traffic": alone(Traffic(0.5, lambda *_: 0.05)),
    "bursts that hit both": alone(
        Traffic(20, lambda _, chance: 0.3 if chance.random() < 0.03 else 0.002)
    ),
    "another rate at every look": alone(Traffic(20, lambda _, chance: chance.betavariate(1, 99))),
    "two components that differ": simpson,
    "pods that Prometheus reads one by one": scraped,
}
ALONE: dict[str, tuple[float, Callable[[], Rate]]] = {
    "a steady rate of errors": (20, lambda: lambda *_: 0.01),
    "hardly any traffic": (0.5, lambda: lambda *_: 0.05),
    "a dependency that has hiccups": (20, lambda: hiccups(0.003, (0.03, 0.3))),
    "bursts of a second": (
        20,
        lambda: lambda _, chance: 0.3 if chance.random() < 0.03 else 0.002,
    ),
    "a rate that drifts with the day": (20, lambda: lambda at, _: 0.01 * (1 + at / 7200)),
    "another rate at every look": (20, lambda: lambda _, chance: chance.betavariate(1, 99)),
}


def assert_rare(found: list[float], record: Callable[[str, object], None]) -> None:
    """Hold the evidence of many good releases to the promise."""
    for rate, bounds in ((0.01, ONE_PERCENT), (0.1, TEN_PERCENT)):
        alarms = sum(evidence >= bounds.evidence for evidence in found)
        record(f"alarms in {len(found)} at {rate:.0%}", alarms)
        assert is_at_most(rate, alarms, len(found)), f"{alarms} alarms in {len(found)} at {rate:%}"


@pytest.mark.parametrize("rollout", BESIDE.values(), ids=BESIDE.keys())
def test_good_releases_beside_the_old_one_are_hardly_ever_taken_back(
    rollout: Rollout, record_property: Callable[[str, object], None]
) -> None:
    chance = seeded(20260101)
    past = dict.fromkeys(("api", "web") if rollout is simpson else ("api",), UNKNOWN)
    assert_rare([surest(rollout(chance), past) for _ in range(RUNS)], record_property)


@pytest.mark.parametrize(("requests", "rate"), ALONE.values(), ids=ALONE.keys())
def test_so_it_is_during_a_bake_in_which_nothing_runs_beside_them(
    requests: float, rate: Callable[[], Rate], record_property: Callable[[str, object], None]
) -> None:
    chance, found = seeded(20260102), []
    for _ in range(RUNS):
        traffic = Traffic(requests, rate())
        past = {"api": Before.of(traffic.before(chance), ONE_PERCENT.baseline)}
        looks = traffic.now_and_then(chance, (100,), 80)
        found.append(surest((("api", look) for look in looks), past))
    assert_rare(found, record_property)


def test_two_components_that_are_added_up_would_look_different() -> None:
    """What the separate bets are for: the same rollouts, judged by the sums."""
    chance, alarms = seeded(20260101), 0
    for _ in range(20):
        bet = Bet(UNKNOWN)
        told = iter(simpson(chance))
        for (_, api), (_, web) in zip(told, told, strict=True):
            bet.add(Look(api.at, 50, api.canary + web.canary, api.stable + web.stable))
        alarms += bet.evidence >= ONE_PERCENT.evidence
    assert alarms == 20


def first_alarm(looks: Iterable[Look], baseline: tuple[Count, ...]) -> float:
    """Look after every second; return how many seconds it took."""
    bet = Bet(Before.of(baseline, ONE_PERCENT.baseline))
    for second, look in enumerate(looks, start=1):
        bet.add(look)
        if bet.evidence >= ONE_PERCENT.evidence:
            return second
    return math.inf


@pytest.mark.parametrize(
    ("share", "requests", "at_most"),
    [
        pytest.param(10, 20, 20, id="a tenth of 20 a second"),
        pytest.param(10, 100, 5, id="a tenth of 100 a second"),
        pytest.param(25, 20, 10, id="a quarter of 20 a second"),
        pytest.param(25, 100, 4, id="a quarter of 100 a second"),
        pytest.param(50, 20, 10, id="half of 20 a second"),
        pytest.param(50, 100, 3, id="half of 100 a second"),
        pytest.param(100, 20, 5, id="all of 20 a second"),
        pytest.param(100, 100, 2, id="all of 100 a second"),
    ],
)
def test_a_release_with_a_fifth_of_errors_fails_within_seconds(
    share: int, requests: float, at_most: int, record_property: Callable[[str, object], None]
) -> None:
    chance = seeded(20260103)
    traffic = Traffic(requests, lambda *_: 0.002, worse=lambda _rate: 0.2)
    baseline = (Count(60 * requests, 0.12 * requests),) * 60
    seconds = [first_alarm(traffic.every_second(chance, share, 120), baseline) for _ in range(300)]
    median = statistics.median(seconds)
    record_property("median seconds to FAILED", median)
    assert median <= at_most
