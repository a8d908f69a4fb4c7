"""Killed anywhere, a run goes on by itself and does nothing twice."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import TYPE_CHECKING

import psutil
import pytest

from infra.lab import lifecycle as labs
from infra.lab.layout import current
from tests.e2e.pipeline_world import Pipeline
from tests.e2e.shop import Shop

if TYPE_CHECKING:
    from infra.server.client import RunView

pytestmark = [pytest.mark.e2e, pytest.mark.disruptive]

STEP = """python -c "import urllib.request as u; u.urlopen('{gate}', timeout=240).read()" """


@dataclass(frozen=True)
class Gate:
    """A build step that asks here stands still until it is opened."""

    url: str = ""
    asked: Event = field(default_factory=Event)
    opened: Event = field(default_factory=Event)

    def at(self, port: int) -> "Gate":
        return Gate(f"http://{current().host_address}:{port}/", self.asked, self.opened)

    def handler(self) -> type[BaseHTTPRequestHandler]:
        gate = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                gate.asked.set()
                gate.opened.wait(timeout=240)
                with contextlib.suppress(OSError):  # its builder was killed meanwhile
                    self.send_response(200)
                    self.end_headers()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                pass

        return Handler

    def is_asked_again(self) -> bool:
        """Say whether somebody has come since the last time that this was true."""
        if not self.asked.is_set():
            return False
        self.asked.clear()
        return True


@contextlib.contextmanager
def gate() -> Iterator[Gate]:
    """Serve where build steps can reach it."""
    closed = Gate()
    asked = ThreadingHTTPServer((current().host_address, 0), closed.handler())
    asked.daemon_threads = True
    asked.block_on_close = False
    thread = Thread(target=asked.serve_forever, args=(0.05,), daemon=True)
    with asked:
        thread.start()
        try:
            yield closed.at(asked.server_port)
        finally:
            closed.opened.set()
            asked.shutdown()
            thread.join()


@pytest.fixture
def build_gate() -> Iterator[Gate]:
    with gate() as closed:
        yield closed


@pytest.fixture
def tests_gate() -> Iterator[Gate]:
    with gate() as closed:
        yield closed


def given_gates(shop: Shop, build: Gate, tests: Gate) -> None:
    """Let the image and the test report wait for somebody to open."""
    shop.given_change(
        "Dockerfile", "COPY guestbook guestbook\n", f"COPY guestbook guestbook\nRUN {step(build)}\n"
    )
    shop.given_change("Dockerfile", "RUN mkdir /reports;", f"RUN mkdir /reports; {step(tests)};")


def step(closed: Gate) -> str:
    return STEP.format(gate=closed.url).strip()


def assert_done_once(shop: Shop, environment: str) -> None:
    """One record, one revision of the workload, and nobody holds the lock."""
    assert shop.states(environment) == [(1, "succeeded")]
    workload = shop.workload(environment)
    assert workload["metadata"]["generation"] == 1
    assert workload["status"]["observedGeneration"] == 1
    assert len(shop.objects(environment, "ReplicaSet", "apps/v1")) == 1
    (lease,) = shop.objects(environment, "Lease", "coordination.k8s.io/v1")
    assert lease["spec"]["holderIdentity"] == ""
    (image,) = shop.history(environment)[0].release.images
    images = {pod["spec"]["containers"][0]["image"] for pod in shop.pods(environment)}
    assert images == {image.reference}


def assert_nothing_left(pipeline: Pipeline, view: "RunView") -> None:
    pipeline.until_gone(view.id)
    assert pipeline.processes(view.id) == []


def test_killed_in_every_stage_a_run_still_goes_to_prod(
    pipeline: Pipeline, build_gate: Gate, tests_gate: Gate
) -> None:
    with pipeline.shop() as shop:
        given_gates(shop, build_gate, tests_gate)
        run = pipeline.when_started(shop)
        pipeline.when_killed(run, build_gate.is_asked_again)
        build_gate.opened.set()
        pipeline.when_killed(run, lambda: pipeline.runs_program(run, "trivy"))
        tests_gate.asked.clear()
        pipeline.when_killed(run, tests_gate.is_asked_again)
        pipeline.until_holds(run, tests_gate.is_asked_again)
        pipeline.until(run, is_built)  # whose cache the registry takes, too
        with registry_that_stands_still():
            tests_gate.opened.set()
            pipeline.when_killed(run, lambda: pipeline.pushes(run))
        pipeline.when_killed(run, lambda: shop.rolls_out("dev"))
        waiting = pipeline.until_over(run)
        assert waiting.state == "PAUSED", waiting.message
        assert_done_once(shop, "dev")

        pipeline.restart()
        pipeline.answer_now(run, pipeline.answer())
        pipeline.when_killed(run, lambda: shop.rolls_out("prod"))
        done = pipeline.until_over(run)
        assert done.state == "COMPLETED", done.message
        assert_done_once(shop, "prod")
        assert_nothing_left(pipeline, done)


def test_killed_together_with_its_worker_a_run_goes_on(pipeline: Pipeline) -> None:
    with pipeline.shop("dev") as shop:
        run = pipeline.when_started(shop)
        pipeline.when_killed(run, lambda: shop.rolls_out("dev"))
        pipeline.when_daemon_killed("worker")
        done = pipeline.until_over(run)
        assert done.state == "COMPLETED", done.message
        assert_done_once(shop, "dev")
        assert_nothing_left(pipeline, done)


def is_built(view: "RunView") -> bool:
    return ("web: build", "Completed") in {(each.name, each.state) for each in view.stages}


@contextlib.contextmanager
def registry_that_stands_still() -> Iterator[None]:
    """Let whoever speaks with the registry wait: a push of small layers is over at once."""
    registry = next(each for each in labs.status().components if each.name == "registry")
    process = psutil.Process(registry.pid)
    process.suspend()
    try:
        yield
    finally:
        process.resume()
