"""A Slipway with a worker on the lab, in the three words of a test."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import httpx
import pyotp

from infra import server
from infra.examples import make_repository
from infra.server.client import Runs, RunView
from infra.server.worker import run_processes
from infra.target import chosen
from tasks.core.clock import SystemClock
from tasks.core.cluster import Scope
from tasks.core.cluster_api import connect
from tasks.core.config import load
from tasks.core.model import Record
from tasks.core.objects import Kind, Object
from tasks.rollout import history
from tasks.rollout.model import Place
from tasks.rollout.place import place_of

__all__ = ["Pipeline"]

PATIENCE = timedelta(minutes=8)
LOOK_EVERY = timedelta(milliseconds=200)
OVER = {"COMPLETED", "FAILED", "CANCELLED", "PAUSED"}


@dataclass(frozen=True, slots=True)
class Pipeline:
    """What a test does with a running Slipway."""

    runs: Runs
    folder: Path
    secret: str

    def given_repository(self, example: str) -> Path:
        """Make a repository of one commit out of an example."""
        return make_repository(example, self.folder / example)

    def when_started(self, repository: Path, until: str | None = None) -> UUID:
        """Deliver the head of a repository, without waiting."""
        parameters = {
            "repository": str(repository),
            "revision": "HEAD",
            "until": until,
            "target": asdict(chosen()),
        }
        return self.runs.start("deliver/deliver", parameters)

    def when_delivered(self, repository: Path, until: str | None = None) -> RunView:
        """Deliver the head of a repository and wait until the run is over or waits."""
        return self.until_over(self.when_started(repository, until))

    def when_answered(self, run: UUID, **changed: str) -> RunView:
        """Answer a waiting run as the approver `demo` does, but for what is changed."""
        self.runs.answer(run, {**self.answer(), **changed})
        return self.until_over(run)

    def answer(self) -> dict[str, str]:
        """Return the form as the approver `demo` fills it in."""
        code = pyotp.TOTP(self.secret).now()
        return {"approver": "demo", "code": code, "decision": "approve", "comment": ""}

    def when_killed(self, run: UUID, stage: str) -> None:
        """Kill a run's process with -9 as soon as a stage runs."""

        def runs_now(view: RunView) -> bool:
            return any(stage in each.name and each.state == "Running" for each in view.stages)

        self.until(run, runs_now)
        for process in run_processes()[str(run)]:
            if any("prefect.engine" in word for word in process.cmdline()):
                process.kill()

    def until_over(self, run: UUID) -> RunView:
        """Wait until a run is over or waits for somebody."""
        return self.until(run, lambda view: view.state in OVER)

    def until(self, run: UUID, holds: Callable[[RunView], bool]) -> RunView:
        """Wait until something holds of a run."""
        clock = SystemClock()
        deadline = clock.now() + PATIENCE
        while not holds(view := self.runs.view(run)):
            assert clock.now() < deadline, f"{view.state}: {view.message}\n{view.stages}"
            clock.wait(LOOK_EVERY)
        return view

    def place(self, repository: Path, environment: str) -> Place:
        """Return an environment of a repository's application."""
        return place_of(load(repository / "slipway.yaml"), environment, chosen())

    def history(self, place: Place) -> tuple[Record, ...]:
        """Return the records of an environment, newest first."""
        with connect(place.target) as cluster:
            return history.history(place, cluster)

    def objects(self, place: Place, kind: str, api_version: str = "v1") -> tuple[Object, ...]:
        """Return the objects of a kind in an environment."""
        with connect(place.target) as cluster:
            return cluster.find(Scope((Kind(api_version, kind),), place.namespace))

    def images(self, place: Place) -> set[str]:
        """Return the images that an environment's pods run, as its manifests name them."""
        return {
            container["image"]
            for pod in self.objects(place, "Pod")
            if "deletionTimestamp" not in pod["metadata"]
            for container in pod["spec"]["containers"]
        }

    def get(self, place: Place, path: str) -> httpx.Response:
        """GET a path of an environment's public address through the ingress."""
        url = httpx.URL(f"{place.environment.url}{path}")
        through = url.copy_with(netloc=str(place.target.ingress).encode())
        return httpx.get(through, headers={"host": url.host}, timeout=10, trust_env=False)

    def restart(self) -> None:
        """End the server and the worker, and start them again."""
        server.down()
        server.up()


def as_json(text: str) -> object:
    """Read what a command printed with --json."""
    return json.loads(text)
