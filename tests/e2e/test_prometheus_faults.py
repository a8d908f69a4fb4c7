"""Prometheus is away, slow, wrong or empty while a canary is judged by it: the step holds."""

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from infra.lab import lifecycle as labs
from tasks.analysis.effects import judge
from tasks.core.clock import SystemClock
from tasks.core.record import Record, RolloutState
from tasks.core.slos import Availability, Slos
from tasks.core.strategy import Canary, Strategy
from tasks.rollout.history import history
from tests.e2e.rollout_world import World, world

pytestmark = pytest.mark.e2e

LADDER = Strategy(
    canary=Canary(steps=(50, 100), bake=timedelta(seconds=1), deadline=timedelta(minutes=2))
)
SLOS = Slos(
    availability=Availability(
        99.5,
        'sum by (job) (increase(hits_total{status="500"}[$window]))',
        "sum by (job) (increase(hits_total[$window]))",
    )
)
COUNT = (
    "mkdir /tmp/www; cp /www/* /tmp/www; cd /tmp/www; httpd -p 8080 -h /tmp/www; n=0; "
    "trap exit TERM; while true; do n=$((n+50)); "
    "echo 'hits_total{status=\\\"200\\\"}' $n > new; mv new metrics; sleep 1 & wait; done"
)
"""Counts 50 requests a second, none of which has failed."""
PATIENCE = timedelta(minutes=6)
LASTS = timedelta(seconds=40)
"""For so long Prometheus stays ill after the step has begun to hold: it is asked every 30 s."""


class Fault(StrEnum):
    """How Prometheus may be."""

    WELL = "well"
    AWAY = "away"
    SLOW = "slow"
    WRONG = "wrong"
    EMPTY = "empty"


WORDS = {
    Fault.AWAY: "unavailable",
    Fault.SLOW: "unavailable",
    Fault.WRONG: "unavailable",
    Fault.EMPTY: "no data",
}


@dataclass
class Gate:
    """Stands before the lab's Prometheus and lets a fault happen."""

    fault: Fault = Fault.WELL
    mended: threading.Event = field(default_factory=threading.Event)

    def mend(self) -> None:
        """Let Prometheus be well from now on, for those who wait, too."""
        self.fault = Fault.WELL
        self.mended.set()


class GatedServer(ThreadingHTTPServer):
    """Serves what the gate lets through."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, gate: Gate) -> None:
        self.gate = gate
        super().__init__(("127.0.0.1", 0), Handler)


class Handler(BaseHTTPRequestHandler):
    """Answers as the fault has it."""

    server: GatedServer

    def do_POST(self) -> None:
        """Pass a query on, or not."""
        body = self.rfile.read(int(self.headers["content-length"]))
        match self.server.gate.fault:
            case Fault.AWAY:
                self.close_connection = True
            case Fault.WRONG:
                self._say(200, b"<html>a proxy's page</html>")
            case Fault.EMPTY:
                result = {"resultType": "vector", "result": []}
                self._say(200, json.dumps({"status": "success", "data": result}).encode())
            case Fault.SLOW:
                self.server.gate.mended.wait(timeout=240)
                self._pass_on(body)
            case Fault.WELL:
                self._pass_on(body)

    def _pass_on(self, body: bytes) -> None:
        kind = {"content-type": self.headers["content-type"]}
        url = f"{labs.target().prometheus}{self.path}"
        answer = httpx.post(url, content=body, headers=kind, trust_env=False, timeout=30)
        self._say(answer.status_code, answer.content)

    def _say(self, status: int, body: bytes) -> None:
        with suppress(OSError):  # whoever asked may not have waited
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 the base class's word
        """Say nothing."""


@contextmanager
def standing_before_prometheus(gate: Gate) -> Iterator[str]:
    """Serve a gate and return its address."""
    served = GatedServer(gate)
    thread = threading.Thread(target=served.serve_forever, args=(0.05,), daemon=True)
    with served:
        thread.start()
        try:
            yield f"http://127.0.0.1:{served.server_port}"
        finally:
            gate.mend()
            served.shutdown()
            thread.join()


@dataclass
class Case:
    """A canary under way, and the gate that its Prometheus is behind."""

    shop: World
    gate: Gate
    fault: Fault

    def run(self) -> Record:
        """Roll out while Prometheus is ill, and mend it when the step has held for a while."""
        live = self.shop.release({"health": "ok", "version": "1"}, command=COUNT)
        assert self.shop.roll_out(live).state is RolloutState.SUCCEEDED
        self.gate.fault = self.fault
        new = self.shop.release({"health": "ok", "version": "2"}, command=COUNT)
        with ThreadPoolExecutor(1) as pool:
            rollout = pool.submit(self.shop.roll_out, new)
            if self.fault is not Fault.WELL:
                self._until_it_holds(WORDS[self.fault])
                self.shop.clock.wait(LASTS)
                self.gate.mend()
            return rollout.result(timeout=PATIENCE.total_seconds())

    def _until_it_holds(self, word: str) -> None:
        clock, give_up = SystemClock(), SystemClock().now() + PATIENCE
        while not any(each.startswith(f"holds, {word}") for each in self._said()):
            assert clock.now() < give_up, self._said()
            clock.wait(timedelta(seconds=0.5))

    def _said(self) -> list[str]:
        newest = history(self.shop.place, self.shop.cluster)[0]
        return [each.what for each in newest.moments]


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory, lab: object) -> Iterator[dict[Fault, Record]]:
    """Let all of it happen side by side: a look at Prometheus takes half a minute each."""
    del lab  # it has to be up
    with ExitStack() as stack:
        folders = ((fault, tmp_path_factory.mktemp(fault)) for fault in Fault)
        cases = [stack.enter_context(case(*each)) for each in folders]
        with ThreadPoolExecutor(len(cases)) as pool:
            found = pool.map(Case.run, cases)
            yield {each.fault: record for each, record in zip(cases, found, strict=True)}


@contextmanager
def case(fault: Fault, folder: Path) -> Iterator[Case]:
    """Give an application of its own whose Prometheus is behind a gate."""
    gate = Gate()
    with standing_before_prometheus(gate) as address, world(folder) as shop:
        shop.target = replace(shop.target, prometheus=address)
        shop.strategy, shop.slos, shop.judge = LADDER, SLOS, judge
        shop.annotations = {"prometheus.io/scrape": "true", "prometheus.io/port": "8080"}
        yield Case(shop, gate, fault)


@pytest.mark.parametrize(("fault", "word"), WORDS.items())
def test_a_canary_holds_and_ends_as_if_nothing_had_been(
    records: dict[Fault, Record], fault: Fault, word: str
) -> None:
    record = records[fault]
    assert record.state is RolloutState.SUCCEEDED, record.reason
    held = [each.what for each in record.moments if each.what.startswith("holds, ")]
    assert any(each.startswith(f"holds, {word}") for each in held), held
    assert told(record) == told(records[Fault.WELL])


def told(record: Record) -> list[tuple[str, int | None]]:
    """Return the steps that a rollout took, without what was counted and that it held."""
    return [
        (each.what.partition(":")[0], each.share)
        for each in record.moments
        if not each.what.startswith(("holds, ", "there is data again"))
    ]
