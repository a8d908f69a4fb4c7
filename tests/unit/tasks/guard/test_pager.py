from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tasks.core.clock import FakeClock
from tasks.core.errors import ConfigError, Unavailable
from tasks.guard.model import Page
from tasks.guard.pager import PagerDuty, find_pager
from tests.unit.tasks.guard.stand_in import StandIn, standing_in

PAGE = Page("slipway/prod/shop/2", "prod/shop: it burns", "prod/shop", ("first", "second"))


@pytest.fixture
def stand_in() -> Iterator[StandIn]:
    with standing_in() as told:
        yield told


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
