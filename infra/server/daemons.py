"""Start, find and end the processes of `slipway up`."""

import contextlib
import logging
import os
import signal
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import httpx
import psutil
from filelock import FileLock, Timeout

from infra import processes
from infra.lab.ports import stays_taken
from infra.server.settings import Server, reports_address, server
from infra.webhook.settings import settings
from tasks.core.clock import Clock, SystemClock
from tasks.core.errors import ConfigError, Unavailable
from tasks.core.http import authorities
from tasks.core.paths import state_dir
from tasks.core.process import spawn

__all__ = [
    "KEEPER",
    "Daemon",
    "Health",
    "daemon",
    "daemons",
    "down",
    "require_free_ports",
    "require_up",
    "up",
]

log = logging.getLogger(__name__)

KEEPER = "keeper"
START_DEADLINE = timedelta(seconds=90)
STOP_DEADLINE_SECONDS = 10
TURN_WITHIN_SECONDS = 60
STEP = timedelta(milliseconds=200)
ANSWERS_WITHIN_SECONDS = 5
"""A server on a busy machine is not down."""
OWNER_ALONE = 0o700


@dataclass(frozen=True, slots=True)
class Health:
    """One word about a process: up, starting or down."""

    name: str
    word: str
    pid: int | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Daemon:
    """A process that outlives the command that started it."""

    name: str
    argv: tuple[str, ...]
    address: str | None

    @property
    def log(self) -> Path:
        """Where its output goes."""
        return state_dir() / "logs" / f"{self.name}.log"

    @property
    def port(self) -> int | None:
        """Where it listens on loopback, None where it does not."""
        return httpx.URL(self.address).port if self.address else None

    @property
    def _pid_file(self) -> Path:
        """Which process it is; there from its start until somebody stops it."""
        return state_dir() / "run" / f"{self.name}.pid"

    def _turn(self, patience: float = TURN_WITHIN_SECONDS) -> FileLock:
        lock = self._pid_file.with_suffix(".lock")
        lock.parent.mkdir(parents=True, exist_ok=True)
        return FileLock(lock, timeout=patience)

    def process(self) -> psutil.Process | None:
        """Return the living process; a number that somebody else got since is not it."""
        recorded = processes.read(self._pid_file)
        if recorded is None or not processes.alive(recorded):
            return None
        with contextlib.suppress(psutil.NoSuchProcess):
            return psutil.Process(recorded.pid)
        return None

    def start(self, environment: dict[str, str]) -> None:
        """Start it unless it runs."""
        with self._turn():
            if self.process() is None:
                self._spawn(environment)

    def revive(self, environment: dict[str, str]) -> bool:
        """Start it again where nobody has stopped it and it is gone; say whether that was so."""
        with contextlib.suppress(Timeout), self._turn(patience=0):  # else somebody is at it
            if self.has_died():
                self._spawn(environment)
                return True
        return False

    def has_died(self) -> bool:
        """Say whether it was started, is gone, and nobody has stopped it."""
        return self._pid_file.exists() and self.process() is None

    def stop(self) -> None:
        """Ask it to end, with its children, and insist after a while."""
        with self._turn():
            process = self.process()
            if process is not None:
                _end([process, *process.children(recursive=True)])
            self._pid_file.unlink(missing_ok=True)

    def _spawn(self, environment: dict[str, str]) -> None:
        pid = spawn(self.argv, log=self.log, env=environment)
        try:
            processes.write(self._pid_file, pid)
        except OSError:  # the disk is full; nobody would ever find it again
            os.kill(pid, signal.SIGKILL)
            raise

    def health(self) -> Health:
        """Look at process and port, without waiting."""
        process = self.process()
        if process is None:
            return Health(self.name, "down", detail=str(self.log))
        ready = self.address is None or _answers(self.address)
        return Health(self.name, "up" if ready else "starting", process.pid, self.address or "")


def daemons(prefect: Server | None = None) -> tuple[Daemon, ...]:
    """Return the processes of this instance in the order of their start.

    The keeper, which starts the others again, comes last and is ended first.
    """
    prefect = prefect or server()
    python = sys.executable
    return (
        Daemon(
            "prefect-server",
            (python, "-m", "prefect", "server", "start"),
            f"{prefect.api}/health",
        ),
        Daemon("worker", (python, "-m", "infra.server.worker"), None),
        Daemon("receiver", (python, "-m", "infra.webhook"), f"{settings().url}/readyz"),
        Daemon("reports", (python, "-m", "infra.reports"), f"{reports_address()}/"),
        Daemon(KEEPER, (python, "-m", "infra.server.keeper"), None),
    )


def require_free_ports(wanted: Iterable[Daemon]) -> None:
    """See that what has to be started finds its port free; changes nothing.

    Raises:
        ConfigError: somebody else listens there.
    """
    for each in wanted:
        port = each.port
        if port is not None and each.process() is None and stays_taken(port):
            raise ConfigError(
                f"its port 127.0.0.1:{port} is taken by another program",
                where=each.name,
                next_step="end that one, or let SLIPWAY_INSTANCE name another instance",
            )


def up(clock: Clock | None = None) -> tuple[Health, ...]:
    """Start what does not run and return when all of it answers.

    Raises:
        Unavailable: something did not come up in time.
    """
    clock = clock or SystemClock()
    prefect = server()
    prefect.home.mkdir(parents=True, exist_ok=True)
    state_dir().chmod(OWNER_ALONE)  # work trees and results may hold an application's secrets
    for each in daemons(prefect):
        each.start(prefect.environment())
        _wait_for(each, clock)
    return tuple(each.health() for each in daemons(prefect))


def down() -> None:
    """End the processes of this instance, the newest first."""
    for each in reversed(daemons()):
        each.stop()


def daemon(name: str) -> Daemon:
    """Return one process of this instance by its name."""
    return next(each for each in daemons() if each.name == name)


def require_up() -> Server:
    """Return this instance's Prefect.

    Raises:
        Unavailable: it does not answer.
    """
    prefect = server()
    if not _answers(f"{prefect.api}/health"):
        raise Unavailable(
            "Prefect's server does not answer", where=prefect.api, next_step="slipway up"
        )
    return prefect


def _wait_for(waited: Daemon, clock: Clock) -> None:
    deadline = clock.now() + START_DEADLINE
    while waited.health().word != "up":
        if waited.process() is None or clock.now() > deadline:
            raise Unavailable("did not come up", where=waited.name, next_step=f"read {waited.log}")
        clock.wait(STEP)


def _answers(address: str) -> bool:
    try:
        return httpx.get(
            address, timeout=ANSWERS_WITHIN_SECONDS, verify=authorities(address), trust_env=False
        ).is_success
    except httpx.HTTPError:
        return False


def _end(family: list[psutil.Process]) -> None:
    _signal(family[:1], signal.SIGTERM)
    _, left = psutil.wait_procs(family, timeout=STOP_DEADLINE_SECONDS)
    _signal(left, signal.SIGKILL)
    psutil.wait_procs(left, timeout=STOP_DEADLINE_SECONDS)


def _signal(processes: list[psutil.Process], number: signal.Signals) -> None:
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.send_signal(number)
