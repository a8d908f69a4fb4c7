from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from tasks.analysis.check import Answered, Mark, check, pods_that_show
from tasks.analysis.questions import Counted, Histogram, Number, Pods, Question
from tasks.analysis.scrape import Scraped
from tasks.analysis.series import Series
from tasks.core.errors import ConfigError
from tasks.core.prometheus_answers import Point
from tests.unit.tasks.analysis.world import FakePrometheus

PODS = Pods.between("shop", ("api",))
ERRORS = Counted("availability", 'hits{status="500"}', "hits")
SLOW = Histogram("latency", "took_bucket", timedelta(seconds=1), compare=False)
POOL = Number("saturation", "max(pool)")
NOW = datetime(2026, 1, 1, tzinfo=UTC)
STABLE = "(?:api)-"


def points(*values: float, **labels: str) -> list[Point]:
    return [Point(labels, NOW, value) for value in values]


def stable(prometheus: FakePrometheus, question: Question) -> list[Answered]:
    return [each for each in check((question,), PODS, prometheus) if each.track == "stable"]


@pytest.mark.parametrize(
    ("question", "knows", "found"),
    [
        pytest.param(
            ERRORS,
            {STABLE: points(3, 4)},
            [(Mark.GOOD, "2 series, 7 in all")] * 2,
            id="counters that are there",
        ),
        pytest.param(
            ERRORS,
            {'hits{namespace="shop",pod=~"(?:api)-': points(3)},
            [
                (Mark.GOOD, "1 series, 3 in all"),
                (Mark.GOOD, "1 series, 3 in all"),
            ],
            id="one series",
        ),
        pytest.param(
            ERRORS,
            {'pod=~".*"': points(1, 2)},
            [
                (Mark.WRONG, "nothing of these pods, but 2 series in shop"),
                (Mark.EMPTY, "nothing: no errors so far, which counts as 0"),
            ],
            id="series without the label pod",
        ),
        pytest.param(
            ERRORS,
            {},
            [
                (Mark.WRONG, "nothing in shop"),
                (Mark.EMPTY, "nothing: no errors so far, which counts as 0"),
            ],
            id="no series at all",
        ),
        pytest.param(
            SLOW,
            {STABLE: [*points(3, le="0.5"), *points(4, le="+Inf")]},
            [
                (
                    Mark.GOOD,
                    (
                        "2 series; slow is what takes longer than 0.5 s, since no bucket ends at"
                        " 1 s (edges: 0.5)"
                    ),
                )
            ],
            id="a histogram with an edge below the threshold",
        ),
        pytest.param(
            SLOW,
            {STABLE: [*points(3, le="2.5"), *points(4, le="+Inf")]},
            [(Mark.WRONG, "no bucket ends within 1 s (edges: 2.5)")],
            id="a histogram without an edge within the threshold",
        ),
        pytest.param(
            POOL,
            {STABLE: points(float("nan"))},
            [(Mark.EMPTY, "nan, which counts as no data")],
            id="not a number",
        ),
        pytest.param(
            POOL,
            {STABLE: points(0.3, 0.4)},
            [(Mark.GOOD, "0.4 at most, of 2 series")],
            id="several numbers",
        ),
    ],
)
def test_what_came_back_is_said(
    question: Question, knows: dict[str, list[Point]], found: list[tuple[Mark, str]]
) -> None:
    prometheus = FakePrometheus({part: partial(list, said) for part, said in knows.items()})
    assert [(each.mark, each.what) for each in stable(prometheus, question)] == found


def test_a_prometheus_that_is_away_is_nobodys_mistake() -> None:
    answers = list(check((ERRORS,), PODS, FakePrometheus(away="connection refused")))
    assert {(each.mark, each.what) for each in answers} == {
        (Mark.UNAVAILABLE, "connection refused")
    }


def test_a_query_that_prometheus_refuses_has_a_remedy() -> None:
    def refuse() -> list[Point]:
        raise ConfigError("Prometheus says no", next_step="correct the query in slipway.yaml")

    (answer,) = stable(FakePrometheus({"pool": refuse}), POOL)
    assert (answer.mark, answer.remedy) == (Mark.WRONG, "correct the query in slipway.yaml")


def test_a_canary_that_is_not_there_is_no_fault() -> None:
    prometheus = FakePrometheus({STABLE: lambda: points(1)})
    answers = [each for each in check((POOL,), PODS, prometheus) if each.track == "canary"]
    assert [each.mark for each in answers] == [Mark.EMPTY]


def test_it_is_said_on_how_many_pods_an_indicator_can_be_counted() -> None:
    counters = {Series.of("hits", {}): 1.0}
    assert pods_that_show(ERRORS, Scraped({"a": counters, "b": counters, "c": {}})) == 2
