"""PagerDuty and Prometheus as they are over HTTP, played by a server of the test's own."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tasks.core.clock import FakeClock
from tasks.core.errors import ConfigError, Unavailable
from tasks.guard.effects import PagerDuty, ask_prometheus, find_pager
from tasks.guard.model import Evidence, Page
from tests.unit.tasks.guard.test_decide import FIRST, LIVE, alert, past

PAGE = Page("slipway/prod/shop/2", "prod/shop: it burns", "prod/shop", ("first", "second"))


@dataclass
class StandIn:
    """Answers with what is written down, the last answer again and again; keeps what it heard."""

    answers: list[tuple[int, Any]]
    heard: list[Any] = field(default_factory=list)
    url: str = ""


@pytest.fixture
def stand_in() -> Iterator[StandIn]:
    told = StandIn([(202, {"status": "success"})])

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers["content-length"])
            self._answer(json.loads(self.rfile.read(length)))

        def do_GET(self) -> None:
            self._answer(
                {key: each[0] for key, each in parse_qs(urlsplit(self.path).query).items()}
            )

        def _answer(self, heard: object) -> None:
            told.heard.append(heard)
            status, content = told.answers.pop(0) if len(told.answers) > 1 else told.answers[0]
            self.send_response(status)
            self.end_headers()
            self.wfile.write(json.dumps(content).encode())

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        told.url = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}).start()
        yield told
        server.shutdown()


def found(*metrics: dict[str, str]) -> tuple[int, Any]:
    result = [{"metric": each, "value": [0, "1"]} for each in metrics]
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


def test_prometheus_is_asked_about_the_time_before(stand_in: StandIn) -> None:
    stand_in.answers = [found(), found({"dependency": "mysql"}), found({"alertname": "SlowBurn"})]
    alerts = (alert(10, alertname="SlowBurn", application="shop", environment="prod"),)
    assert ask_prometheus(stand_in.url, past(LIVE, FIRST), alerts) == Evidence(
        burning_before=False, fired_before=True, dependencies=("mysql",)
    )
    same = 'alertname="SlowBurn",application="shop",environment="prod",slo="availability"'
    assert [each["query"] for each in stand_in.heard] == [
        f"ALERTS{{{same}}}",
        'ALERTS{application="shop",environment="prod",alertstate="firing",dependency!=""}',
        f'max_over_time(ALERTS{{{same},alertstate="firing"}}[85500s])',
    ]
    assert stand_in.heard[0]["time"] == "2026-01-01T12:00:00+00:00"


@pytest.mark.parametrize("answer", [(500, {}), (200, {"data": None}), (200, [])])
def test_prometheus_being_ill_means_that_nothing_is_known(
    stand_in: StandIn, answer: tuple[int, Any]
) -> None:
    stand_in.answers = [answer]
    assert ask_prometheus(stand_in.url, past(), (alert(10),)) == Evidence()
    assert ask_prometheus("http://127.0.0.1:9", past(), (alert(10),)) == Evidence()
