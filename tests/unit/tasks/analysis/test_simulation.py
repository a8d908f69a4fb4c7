"""What is promised of the sequential tests, tried on made-up traffic with fixed seeds."""

import math
import statistics
from collections.abc import Callable, Iterable, Sequence

import pytest

from tasks.analysis.model import Count, Look
from tasks.analysis.sequential import Before, Bounds, worse
from tests.unit.tasks.analysis.traffic import STEPS, Rate, Traffic, seeded

RUNS = 100
ALONE = ((100, 120),)
BOUNDS = Bounds.of(0.01, indicators=1)
NOISE: dict[str, tuple[float, Rate]] = {
    "a steady rate of errors": (40, lambda _second, _chance: 0.01),
    "no error at all": (40, lambda _second, _chance: 0.0),
    "hardly any traffic": (0.5, lambda _second, _chance: 0.05),
    "bursts that hit both": (40, lambda _, chance: 0.3 if chance.random() < 0.03 else 0.002),
    "a rate that drifts with the day": (40, lambda at, _: 0.01 * (1 + math.sin(at / 4000))),
    "a rate that is another one every second": (40, lambda _, chance: chance.betavariate(1, 99)),
}


def first_alarm(looks: Iterable[Look], baseline: Sequence[Count] = ()) -> int | None:
    """Look after every second; return how many seconds it took, None where no look failed."""
    seen: list[Look] = []
    before = Before.of(baseline, BOUNDS.baseline)
    for second, look in enumerate(looks, start=1):
        seen.append(look)
        if look.canary.bad and worse(seen, before) >= BOUNDS.evidence:
            return second
    return None


@pytest.mark.parametrize(("requests", "rate"), NOISE.values(), ids=NOISE.keys())
def test_of_good_releases_at_most_one_in_a_hundred_is_taken_back(
    requests: float, rate: Rate
) -> None:
    chance = seeded(20260101)
    traffic = Traffic(requests, rate)
    alarms = [
        first_alarm(traffic.looks(chance, STEPS), traffic.before(chance)) for _ in range(RUNS)
    ]
    assert sum(alarm is not None for alarm in alarms) <= RUNS / 100


@pytest.mark.parametrize(("requests", "rate"), NOISE.values(), ids=NOISE.keys())
def test_so_it_is_where_nothing_runs_beside_the_new_release(requests: float, rate: Rate) -> None:
    chance = seeded(20260102)
    traffic = Traffic(requests, rate)
    alarms = [
        first_alarm(traffic.looks(chance, ALONE), traffic.before(chance)) for _ in range(RUNS)
    ]
    assert sum(alarm is not None for alarm in alarms) <= RUNS / 100


@pytest.mark.parametrize(
    ("share", "requests", "at_most"),
    [
        pytest.param(10, 20, 20, id="a tenth of 20 a second"),
        pytest.param(10, 100, 5, id="a tenth of 100 a second"),
        pytest.param(25, 20, 10, id="a quarter of 20 a second"),
        pytest.param(25, 100, 4, id="a quarter of 100 a second"),
        pytest.param(50, 20, 10, id="half of 20 a second"),
        pytest.param(50, 100, 3, id="half of 100 a second"),
        pytest.param(100, 20, 4, id="all of 20 a second"),
        pytest.param(100, 100, 2, id="all of 100 a second"),
    ],
)
def test_a_release_with_a_fifth_of_errors_fails_within_seconds(
    share: int, requests: float, at_most: int, record_property: Callable[[str, object], None]
) -> None:
    chance = seeded(20260103)
    traffic = Traffic(requests, lambda _second, _chance: 0.002, worse=lambda _rate: 0.2)
    baseline = traffic.before(chance)
    seconds = [first_alarm(traffic.looks(chance, ((share, 120),)), baseline) for _ in range(100)]
    median = statistics.median(each or math.inf for each in seconds)
    record_property("median seconds to FAILED", median)
    assert median <= at_most
