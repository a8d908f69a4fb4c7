import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tasks.analysis.looks import side_by_side
from tasks.analysis.sequential import RATIOS, Before, worse
from tasks.core.sample import Sample
from tasks.core.thin import thin
from tasks.core.tracks import Track

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
BLIND = Before(rate=1.0, clumping=1.0)
COUNTS = st.tuples(st.integers(0, 9), st.integers(0, 9), st.integers(0, 99), st.integers(0, 9))


def second(
    number: float, track: Track, total: float, bad: float, *, component: str = "api"
) -> Sample:
    at = NOON + timedelta(seconds=number)
    return Sample(at, "availability", track, 50, total, bad, component)


def every_second(seconds: int, component: str = "api") -> list[Sample]:
    tracks: tuple[Track, ...] = ("canary", "stable")
    return [
        second(number, track, 10, 1, component=component)
        for number in range(seconds)
        for track in tracks
    ]


def test_few_samples_stay_as_they_are() -> None:
    samples = every_second(60)
    assert thin(samples, 120) is samples


def test_the_older_half_of_many_samples_is_added_up_by_the_minute() -> None:
    thinned = thin(every_second(240), 400)
    canary = [sample for sample in thinned if sample.track == "canary"]
    assert [(sample.at - NOON).seconds for sample in canary] == [0, 59, *range(119, 240)]
    assert canary[1] == replace(second(59, "canary", 590, 59), expected=59.0)
    assert sum(sample.total for sample in thinned) == 4800


def test_components_are_added_up_each_for_itself() -> None:
    thinned = thin([*every_second(60), *every_second(60, "web")], 200)
    assert {sample.component for sample in thinned} == {"api", "web"}


def test_readings_every_15_seconds_stay_as_they_were_read_beside_denser_ones() -> None:
    readings = [second(15 * number, "canary", 1, 0.5, component="db") for number in range(40)]
    samples = sorted([*readings, *every_second(600)], key=lambda sample: sample.at)
    assert [each for each in thin(samples, 1000) if each.component == "db"] == readings


@pytest.mark.parametrize("most", [100, 1000])
def test_a_day_of_samples_comes_down_to_so_many(most: int) -> None:
    samples = [second(5 * number, "canary", 10, 1) for number in range(17_280)]
    thinned = thin(samples, most)
    assert len(thinned) <= most
    assert sum(sample.total for sample in thinned) == 172_800


def bet(samples: list[Sample]) -> float:
    """The evidence that no look is left out of, but for the first one: a plain martingale."""
    looks = side_by_side(samples).get("availability", {}).get("api", ())
    first, *rest = looks or (None,)
    assert first is not None
    sums = [
        math.fsum(
            look.canary.bad * math.log(ratio) - look.bad * math.log1p((ratio - 1) * look.part)
            for look in rest
            if look.speaks
        )
        for ratio in RATIOS
    ]
    return math.log(math.fsum(map(math.exp, sums)) / len(sums))


@settings(deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(COUNTS, min_size=30, max_size=150), st.integers(5, 100))
def test_thinned_evidence_is_at_most_that_of_every_look(
    counts: list[tuple[int, int, int, int]], most: int
) -> None:
    samples = [
        each
        for number, (new, new_bad, old, old_bad) in enumerate(counts)
        for each in (
            second(number, "canary", new, min(new, new_bad)),
            second(number, "stable", old, min(old, old_bad)),
        )
    ]
    thinned = thin(thin(samples, most), most // 2)
    looks = side_by_side(thinned)["availability"]["api"]
    assert worse(looks, BLIND) <= bet(samples) + 1e-9
    assert sum(sample.total for sample in thinned) == sum(sample.total for sample in samples)
