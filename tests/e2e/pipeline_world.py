"""A Slipway with a worker on the lab, in the three words of a test."""

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from itertools import cycle
from pathlib import Path
from uuid import UUID

import psutil
import pyotp

from infra import server
from infra.server.client import Runs, RunView
from infra.target import chosen
from tasks.approval import SecretApprovers, dismiss, enrol
from tasks.approval.model import Approver
from tasks.core import process
from tasks.core.clock import SystemClock, utc_now
from tasks.core.cluster_api import connect
from tasks.core.errors import ConfigError
from tasks.core.paths import state_dir
from tests.e2e.shop import AUTHOR, AUTHORS_EMAIL, PEOPLE, Shop, make_shop, slipway

__all__ = ["Pipeline", "enrolled", "plant", "planted"]

PATIENCE = timedelta(minutes=5)
LOOK_EVERY = timedelta(milliseconds=200)
ASK_EVERY = timedelta(milliseconds=600)
"""How often Prefect's server is asked, which shares the cores with what it is asked about."""
OVER = {"COMPLETED", "FAILED", "CANCELLED", "PAUSED"}
"""A crashed run is not over: the worker starts it again."""


@dataclass(frozen=True, slots=True)
class Pipeline:
    """What a test does with a running Slipway; secrets are those of its approvers."""

    runs: Runs
    folder: Path
    secrets: Mapping[str, str]
    turns: Iterator[str] = field(default_factory=lambda: cycle(PEOPLE))

    @contextlib.contextmanager
    def shop(self, *environments: str) -> Iterator[Shop]:
        """Give an application with these environments, and take it away afterwards."""
        shop = make_shop(self.folder, environments or ("dev", "prod"))
        try:
            yield shop
        finally:
            plant(shop.generated_secrets())
            shop.remove()

    def when_started(self, shop: Shop, until: str | None = None, **more: str) -> UUID:
        """Deliver the head of a repository, without waiting."""
        parameters = {
            "repository": str(shop.repository),
            "revision": "HEAD",
            "until": until,
            "target": asdict(shop.acting or shop.target),
            **more,
        }
        return server.start("deliver/deliver", parameters)

    def when_delivered(self, shop: Shop, until: str | None = None, **more: str) -> RunView:
        """Deliver the head of a repository and wait until the run is over or waits."""
        return self.until_over(self.when_started(shop, until, **more))

    def when_approved(self, run: UUID) -> RunView:
        """Answer a waiting run with yes and wait until it is over or waits again."""
        return self.when_answered(run, self.answer())

    def when_answered(self, run: UUID, form: dict[str, str]) -> RunView:
        """Answer a waiting run and wait until it is over or waits again."""
        self.answer_now(run, form)
        return self.until_over(run)

    def answer_now(self, run: UUID, form: dict[str, str]) -> None:
        """Answer what a waiting run asks now, where the form does not say otherwise."""
        self.runs.answer(run, {"question": self.runs.asks(run), **form})

    def when_rolled_back(self, shop: Shop, environment: str, to: int | None = None) -> RunView:
        """Run the flow `rollback` and wait for its end."""
        place = shop.place(environment)
        parameters = {
            "application": place.application,
            "environment": place.name,
            "namespace": place.namespace,
            "target": asdict(shop.acting or shop.target),
            "reason": "users suffer",
            "to": to,
        }
        return self.until_over(server.start("rollback/rollback", parameters))

    def answer(self, approver: str | None = None, **changed: str) -> dict[str, str]:
        """Return the form as an approver fills it in."""
        approver = approver or next(self.turns)
        code = pyotp.TOTP(self.secrets[approver]).now()
        form = {"approver": approver, "code": code, "decision": "approve", "comment": ""}
        return {**form, **changed}

    def next_code(self, approver: str) -> str:
        """Return the code that an authenticator shows next: good for a minute at least."""
        return str(pyotp.TOTP(self.secrets[approver]).at(utc_now(), counter_offset=1))

    def when_killed(self, run: UUID, when: Callable[[], bool]) -> None:
        """Kill a run's process with -9 as soon as something holds, and see it killed."""
        # what a killed process left behind may run on for a moment
        self.until_holds(run, lambda: self.engine(run) is not None and when())
        engine = self.engine(run)
        assert engine is not None, self._told(run)
        engine.kill()
        psutil.wait_procs([engine], timeout=10)

    def when_daemon_killed(self, name: str) -> server.Daemon:
        """Kill one of this Slipway's own processes with -9, and see it killed."""
        daemon = server.daemon(name)
        process = daemon.process()
        assert process is not None, name
        process.kill()
        psutil.wait_procs([process], timeout=10)
        return daemon

    def until_back(self, daemon: server.Daemon) -> None:
        """Wait until the keeper has started a process again, and it answers."""
        self._wait(lambda: daemon.health().word == "up", lambda: f"{daemon.name} is not back")

    def engine(self, run: UUID) -> psutil.Process | None:
        """Return the process that a run lives in, None where it has none."""
        return next(filter(_is_engine, self.processes(run)), None)

    def processes(self, run: UUID) -> list[psutil.Process]:
        """Return every process that belongs to a run, children and leftovers included."""
        from infra.server.worker import run_processes  # noqa: PLC0415 after the environment

        return run_processes().get(str(run), [])

    def runs_program(self, run: UUID, program: str) -> bool:
        """Say whether a run has started a program that still runs."""
        names = [_name(each) for each in self.processes(run) if not _is_engine(each)]
        return any(program in name for name in names)

    def pushes(self, run: UUID) -> bool:
        """Say whether a run's own process speaks with the registry."""
        engine, port = self.engine(run), int(chosen().registry.partition("/")[0].split(":")[1])
        if engine is None:
            return False
        with contextlib.suppress(psutil.Error):
            connections = engine.net_connections("tcp")
            return any(port in each.raddr[1:] for each in connections)
        return False

    def until_holds(self, run: UUID, holds: Callable[[], bool]) -> None:
        """Wait until something outside holds while a run goes on."""
        self._wait(holds, lambda: f"never came to it: {self._told(run)}")

    def until_gone(self, run: UUID) -> None:
        """Wait until no process belongs to a run."""
        self.until_holds(run, lambda: not self.processes(run))

    def until_over(self, run: UUID) -> RunView:
        """Wait until a run is over or waits for somebody."""
        return self.until(run, lambda view: view.state in OVER)

    def until(self, run: UUID, holds: Callable[[RunView], bool]) -> RunView:
        """Wait until something holds of a run."""
        self._wait(lambda: holds(self.runs.view(run)), lambda: self._told(run), ASK_EVERY)
        return self.runs.view(run)

    def stages(self, view: RunView) -> set[str]:
        """Return the names of the stages that did something in a run."""
        return {stage.name for stage in view.stages}

    def log(self, run: UUID) -> str:
        """Return what a run said."""
        return "\n".join(line.text for line in self.runs.log_lines(run))

    def restart(self) -> None:
        """End the server and the worker, and start them again."""
        server.down()
        server.up()

    def slipway(self, *words: str, **variables: str) -> process.Completed:
        """Run the real command, with any exit status."""
        return slipway(self.folder, *words, **variables)

    def _wait(
        self, holds: Callable[[], bool], told: Callable[[], str], every: timedelta = LOOK_EVERY
    ) -> None:
        clock = SystemClock()
        deadline = clock.now() + PATIENCE
        while not holds():
            assert clock.now() < deadline, told()
            clock.wait(every)

    def _told(self, run: UUID) -> str:
        view = self.runs.view(run)
        return f"{view.name} is {view.state}: {view.message}\n{self.log(run)}"


def plant(secrets: Iterable[str]) -> None:
    """Note what must be found in nothing that Slipway writes, for all processes of the tests."""
    with _planted().open("a") as file:
        file.writelines(f"{secret}\n" for secret in secrets)


def planted() -> set[str]:
    """Return all secrets of the tests on this instance."""
    return set(_planted().read_text().split())


def _planted() -> Path:
    return state_dir() / "planted-by-tests"


@contextlib.contextmanager
def enrolled() -> Iterator[dict[str, str]]:
    """Enrol the people of the tests, each with an address of their own; the author is one."""
    emails = {name: f"{name}@example.com" for name in PEOPLE} | {AUTHOR: AUTHORS_EMAIL}
    with connect(chosen()) as cluster:
        approvers = SecretApprovers(cluster)
        _dismiss_all(emails, approvers)  # left by tests that were killed
        try:
            secrets = {name: _enrol(name, email, approvers) for name, email in emails.items()}
            plant(secrets.values())
            yield secrets
        finally:
            _dismiss_all(emails, approvers)


def _enrol(name: str, email: str, approvers: SecretApprovers) -> str:
    """Enrol somebody; the author once for each side of the tests, which `enrol` refuses."""
    if email != AUTHORS_EMAIL:
        return enrol(name, (email,), approvers)
    author = Approver(name, (email,), pyotp.random_base32())
    return approvers.change(name, lambda _: (author, author.secret))


def _dismiss_all(names: Iterable[str], approvers: SecretApprovers) -> None:
    for name in names:
        with contextlib.suppress(ConfigError):
            dismiss(name, approvers)


def _is_engine(running: psutil.Process) -> bool:
    with contextlib.suppress(psutil.Error):
        return any("prefect_engine" in word for word in running.cmdline())
    return False


def _name(running: psutil.Process) -> str:
    with contextlib.suppress(psutil.Error):
        return " ".join(running.cmdline())
    return ""
