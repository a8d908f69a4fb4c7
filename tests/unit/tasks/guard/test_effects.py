from dataclasses import dataclass, field
from datetime import datetime

import pytest

from tasks.core.errors import ConfigError, SlipwayError, Unavailable
from tasks.core.prometheus import Span
from tasks.core.prometheus_answers import Point
from tasks.core.record import RolloutState
from tasks.guard.effects import ask_prometheus
from tasks.guard.model import Case, Evidence
from tests.unit.tasks.guard.test_decide import FIRST, LIVE, MINUTE, alert, past, record
from tests.unit.tasks.releases import NOON

AT = NOON + 30 * MINUTE
TOLD = alert(10, alertname="SlowBurn", application="shop", environment="prod")

Found = tuple[Point, ...]
NOTHING: Found = ()


@dataclass
class FakePrometheus:
    """Answers with what is written down, the last answer again and again; keeps what it heard."""

    answers: list[Found | SlipwayError]
    heard: list[tuple[str, datetime | None]] = field(default_factory=list)

    def instant(self, query: str, at: datetime | None = None) -> Found:
        self.heard.append((query, at))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, SlipwayError):
            raise answer
        return answer

    def history(self, query: str, span: Span) -> Found:
        raise NotImplementedError


def found(labels: dict[str, str] | None = None, *, value: float = 1.0) -> Found:
    return (Point(labels or {}, AT, value),)


def test_prometheus_is_asked_about_the_time_before() -> None:
    prometheus = FakePrometheus(
        [
            NOTHING,
            found({"dependency": "mysql"}),
            found({"alertname": "SlowBurn"}),
            found(value=0.2),
            found(value=0.01),
            found({"alertname": "SlowBurn"}),
        ]
    )
    assert ask_prometheus(prometheus, past(LIVE, FIRST), (TOLD,), AT) == (
        Case(
            TOLD,
            Evidence(
                burning_before=False,
                fired_before=True,
                bad_since=0.2,
                bad_before=0.01,
                dependencies=("mysql",),
            ),
        ),
    )
    whose = 'application="shop",environment="prod",slo="availability"'
    same = f'alertname="SlowBurn",{whose}'
    mean = f"avg_over_time(slipway:slo_bad:ratio_rate5m{{{whose}}}[1800s])"
    assert prometheus.heard == [
        (f"ALERTS{{{same}}}", NOON),
        ('ALERTS{application="shop",environment="prod",dependency!=""}', None),
        (f'max_over_time(ALERTS{{{same},alertstate="firing"}}[85500s])', NOON),
        (mean, None),
        (mean, NOON),
        (f'ALERTS{{{same},alertstate="firing"}}', None),
    ]


@pytest.mark.parametrize(
    ("lately", "over"),
    [
        pytest.param(found(), True, id="it fired within the hour"),
        pytest.param(NOTHING, False, id="another Prometheus knows of it"),
    ],
)
def test_an_alert_that_does_not_fire_any_more_is_over(
    lately: Found,
    over: bool,  # noqa: FBT001 a fact
) -> None:
    prometheus = FakePrometheus([*[NOTHING] * 6, lately])
    (asked,) = ask_prometheus(prometheus, past(LIVE, FIRST), (TOLD,), AT)
    assert asked.evidence.over == over
    assert prometheus.heard[-1][0].endswith("[1h])")


def test_what_fired_in_the_time_of_a_release_that_was_taken_back_is_not_counted() -> None:
    prometheus = FakePrometheus([NOTHING])
    taken_back = record(3, "r-ill", NOON + MINUTE, state=RolloutState.RESTORED)
    newest = record(4, "r-next", NOON + 26 * MINUTE)
    ask_prometheus(prometheus, past(newest, taken_back, LIVE, FIRST, live=4), (TOLD,), AT)
    assert "[600s]" in prometheus.heard[2][0]


@pytest.mark.parametrize(
    "nothing",
    [
        pytest.param(NOTHING, id="nothing is recorded"),
        pytest.param(found(value=float("nan")), id="nobody asked anything"),
    ],
)
def test_a_share_that_nobody_knows_is_none(nothing: Found) -> None:
    prometheus = FakePrometheus([NOTHING, NOTHING, NOTHING, nothing])
    (asked,) = ask_prometheus(prometheus, past(LIVE, FIRST), (TOLD,), AT)
    assert (asked.evidence.bad_since, asked.evidence.bad_before) == (None, None)


def test_what_is_under_way_is_compared_with_the_time_before_it() -> None:
    prometheus = FakePrometheus([NOTHING])
    newest = record(3, "r-next", NOON + 20 * MINUTE, state=RolloutState.STARTED)
    ask_prometheus(prometheus, past(newest, LIVE, FIRST), (TOLD,), AT)
    assert prometheus.heard[0][1] == NOON + 20 * MINUTE
    assert any("ratio_rate5m" in query and "[600s]" in query for query, _ in prometheus.heard)


@pytest.mark.parametrize(
    "prometheus",
    [
        pytest.param(FakePrometheus([Unavailable("HTTP 500")]), id="it does not answer"),
        pytest.param(FakePrometheus([ConfigError("parse error")]), id="it refuses the query"),
        pytest.param(None, id="there is none"),
    ],
)
def test_prometheus_being_ill_means_that_nothing_is_known(
    prometheus: FakePrometheus | None,
) -> None:
    assert ask_prometheus(prometheus, past(), (TOLD, TOLD), AT) == (Case(TOLD), Case(TOLD))
