from datetime import UTC, datetime, timedelta

import pytest

from tasks.analysis.model import NOTHING, Count, Limit, Look
from tasks.analysis.stretches import joined, stretch_of, stretches
from tests.unit.tasks.analysis.traffic import autoregressive, seeded

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
GOAL = Limit(0.8)
OVER, UNDER = 0.9, 0.5


def looks(*values: tuple[float, float], share: int = 50, since: int = 0) -> list[Look]:
    """Readings of both releases, every 15 s."""
    return [
        Look(NOON + timedelta(seconds=since + 15 * index), share, Count(1, new), Count(1, old))
        for index, (new, old) in enumerate(values)
    ]


@pytest.mark.parametrize(
    ("values", "events"),
    [
        pytest.param([(OVER, UNDER)] * 8, [], id="a stretch that is not over"),
        pytest.param([(OVER, UNDER)] * 9, [(1, 0)], id="over the limit all the time"),
        pytest.param([(OVER, UNDER)] * 17, [(1, 0), (1, 0)], id="for two stretches"),
        pytest.param(
            [(OVER, UNDER)] * 4 + [(UNDER, UNDER)] + [(OVER, UNDER)] * 4, [(0, 0)], id="but once"
        ),
        pytest.param(
            [(OVER, UNDER)] * 4 + [(OVER, OVER)] + [(OVER, UNDER)] * 4, [(1, 1)], id="the old, once"
        ),
    ],
)
def test_a_stretch_is_one_event(
    values: list[tuple[float, float]], events: list[tuple[float, float]]
) -> None:
    found = stretches(looks(*values), GOAL, 2 * MINUTE)
    assert [(look.canary.bad, look.stable.bad) for look in found] == events


def test_a_stretch_does_not_reach_from_beside_to_alone() -> None:
    beside, alone = looks(*[(OVER, UNDER)] * 6), looks(*[(OVER, 0)] * 9, share=100, since=90)
    found = list(stretches([*beside, *alone], GOAL, 2 * MINUTE))
    assert [(look.share, look.at - NOON) for look in found] == [
        (50, timedelta(seconds=75)),
        (100, timedelta(seconds=90 + 105)),
    ]


@pytest.mark.parametrize(
    ("memory", "shortest", "longest"),
    [
        pytest.param(0.0, 2, 5, id="none"),
        pytest.param(0.6, 4, 30, id="some minutes"),
        pytest.param(0.9, 10, 100, id="a quarter of an hour"),
    ],
)
def test_a_stretch_is_as_long_as_a_number_remembers(
    memory: float, shortest: float, longest: float
) -> None:
    values = autoregressive(seeded(7), memory, 60)
    stretch = stretch_of([Count(1, value) for value in values], MINUTE)
    assert shortest * MINUTE <= stretch <= longest * MINUTE


def test_of_a_number_that_never_changed_the_shortest_stretch_is_enough() -> None:
    assert stretch_of([Count(1, 0.4)] * 60, MINUTE) == 2 * MINUTE


def test_of_an_unknown_number_a_longer_one_is_asked_for() -> None:
    assert stretch_of([Count(1, 0.4)] * 3, MINUTE) == 5 * MINUTE


def test_history_is_joined_to_stretches_that_are_bad_where_it_was_over_once() -> None:
    history = [Count(1, UNDER)] * 3 + [Count(1, OVER)] + [NOTHING] * 2 + [Count(1, UNDER)]
    assert joined(history, GOAL, 2) == [Count(1, 0), Count(1, 1), Count(1, 0)]
