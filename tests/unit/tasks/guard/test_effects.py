from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tasks.core.clock import FakeClock
from tasks.core.errors import ConfigError, Unavailable
from tasks.core.model import RolloutState
from tasks.guard.effects import PagerDuty, ask_prometheus, find_pager
from tasks.guard.model import Case, Evidence, Page
from tests.unit.tasks.guard.stand_in import StandIn, standing_in
from tests.unit.tasks.guard.test_decide import FIRST, LIVE, MINUTE, NOON, alert, past, record

PAGE = Page("slipway/prod/shop/2", "prod/shop: it burns", "prod/shop", ("first", "second"))


@pytest.fixture
def stand_in() -> Iterator[StandIn]:
    with standing_in() as told:
        yield told


def found(*metrics: dict[str, str], value: str = "1") -> tuple[int, Any]:
    result = [{"metric": each, "value": [0, value]} for each in metrics]
    return 200, {"status": "success", "data": {"resultType": "vector", "result": result}}


def test_a_page_is_an_event_of_the_second_version(stand_in: StandIn) -> None:
    PagerDuty("k3y-of-the-tests", FakeClock(), stand_in.url).page(PAGE)
    assert stand_in.heard == [
        {
            "routing_key": "k3y-of-the-tests",
            "event_action": "trigger",
            "dedup_key": "slipway/prod/shop/2",
            "client": "Slipway",
            "payload": {
                "summary": "prod/shop: it burns",
                "source": "prod/shop",
                "severity": "critical",
                "custom_details": {"1": "first", "2": "second"},
            },
        }
    ]


def test_a_page_is_sent_again_until_it_is_taken(stand_in: StandIn) -> None:
    stand_in.answers = [(503, {}), (429, {}), (202, {})]
    clock = FakeClock()
    PagerDuty("key", clock, stand_in.url).page(PAGE)
    assert (len(stand_in.heard), clock.waits) == (3, [timedelta(seconds=1), timedelta(seconds=5)])


@pytest.mark.parametrize(("status", "error"), [(500, Unavailable), (400, ConfigError)])
def test_a_page_that_is_not_taken_is_an_error(
    stand_in: StandIn, status: int, error: type[Exception]
) -> None:
    stand_in.answers = [(status, {})]
    with pytest.raises(error) as raised:
        PagerDuty("k3y-of-the-tests", FakeClock(), stand_in.url).page(PAGE)
    assert "k3y-of-the-tests" not in str(raised.value)


def test_the_key_is_in_a_file_of_ones_own(tmp_path: Path) -> None:
    file = tmp_path / "pagerduty-key"
    assert find_pager(FakeClock(), file) is None
    file.write_text("key\n")
    file.chmod(0o644)
    with pytest.raises(ConfigError, match="can be read by others"):
        find_pager(FakeClock(), file)
    file.chmod(0o600)
    assert find_pager(FakeClock(), file) is not None


AT = NOON + 30 * MINUTE
TOLD = alert(10, alertname="SlowBurn", application="shop", environment="prod")


def test_prometheus_is_asked_about_the_time_before(stand_in: StandIn) -> None:
    stand_in.answers = [
        found(),
        found({"dependency": "mysql"}),
        found({"alertname": "SlowBurn"}),
        found({}, value="0.2"),
        found({}, value="0.01"),
        found({"alertname": "SlowBurn"}),
    ]
    assert ask_prometheus(stand_in.url, past(LIVE, FIRST), (TOLD,), AT) == (
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
    noon = "2026-01-01T12:00:00+00:00"
    assert [(each["query"], each.get("time")) for each in stand_in.heard] == [
        (f"ALERTS{{{same}}}", noon),
        ('ALERTS{application="shop",environment="prod",dependency!=""}', None),
        (f'max_over_time(ALERTS{{{same},alertstate="firing"}}[85500s])', noon),
        (mean, None),
        (mean, noon),
        (f'ALERTS{{{same},alertstate="firing"}}', None),
    ]


@pytest.mark.parametrize(
    ("lately", "over"),
    [
        pytest.param(found({}, value="1"), True, id="it fired within the hour"),
        pytest.param(found(), False, id="another Prometheus knows of it"),
    ],
)
def test_an_alert_that_does_not_fire_any_more_is_over(
    stand_in: StandIn,
    lately: tuple[int, Any],
    over: bool,  # noqa: FBT001 a fact
) -> None:
    stand_in.answers = [found()] * 6 + [lately]
    (asked,) = ask_prometheus(stand_in.url, past(LIVE, FIRST), (TOLD,), AT)
    assert asked.evidence.over == over
    assert stand_in.heard[-1]["query"].endswith("[1h])")


def test_what_fired_in_the_time_of_a_release_that_was_taken_back_is_not_counted(
    stand_in: StandIn,
) -> None:
    stand_in.answers = [found()]
    taken_back = record(3, "r-ill", NOON + MINUTE, state=RolloutState.RESTORED)
    newest = record(4, "r-next", NOON + 26 * MINUTE)
    ask_prometheus(stand_in.url, past(newest, taken_back, LIVE, FIRST, live=4), (TOLD,), AT)
    assert any("[600s]" in each["query"] for each in stand_in.heard[2:3]), stand_in.heard


@pytest.mark.parametrize(
    "nothing",
    [
        pytest.param(found(), id="nothing is recorded"),
        pytest.param(found({}, value="NaN"), id="nobody asked anything"),
    ],
)
def test_a_share_that_nobody_knows_is_none(stand_in: StandIn, nothing: tuple[int, Any]) -> None:
    stand_in.answers = [found(), found(), found(), nothing]
    (asked,) = ask_prometheus(stand_in.url, past(LIVE, FIRST), (TOLD,), AT)
    assert (asked.evidence.bad_since, asked.evidence.bad_before) == (None, None)


def test_what_is_under_way_is_compared_with_the_time_before_it(stand_in: StandIn) -> None:
    stand_in.answers = [found()]
    newest = record(3, "r-next", NOON + 20 * MINUTE, state=RolloutState.STARTED)
    ask_prometheus(stand_in.url, past(newest, LIVE, FIRST), (TOLD,), AT)
    assert stand_in.heard[0]["time"] == "2026-01-01T12:20:00+00:00"
    assert any(
        "ratio_rate5m" in each["query"] and "[600s]" in each["query"] for each in stand_in.heard
    )


@pytest.mark.parametrize("answer", [(500, {}), (200, {"data": None}), (200, [])])
def test_prometheus_being_ill_means_that_nothing_is_known(
    stand_in: StandIn, answer: tuple[int, Any]
) -> None:
    stand_in.answers = [answer]
    for url in (stand_in.url, "http://127.0.0.1:9", None):
        assert ask_prometheus(url, past(), (TOLD, TOLD), AT) == (Case(TOLD), Case(TOLD))
