"""Looking at GitHub every few minutes, where somebody has logged in to it."""

import logging
import random
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import filelock

from infra.webhook.metrics import Metrics
from infra.webhook.reconcile import Finding, Kind, Reconciliation
from infra.webhook.store import Store
from tasks.core.clock import utc_now
from tasks.core.errors import Unavailable
from tasks.core.github import github
from tasks.core.github_login import fetch_login

__all__ = ["Lookout", "look", "pause"]

log = logging.getLogger(__name__)

EVERY = timedelta(minutes=5)
JITTER = 0.2
PATIENCE = timedelta(seconds=30)
LOCK_SECONDS = 120.0
END_WITHIN_SECONDS = 2.0


def look(store: Store, now: datetime) -> tuple[Finding, ...] | None:
    """Look once and say what was there; None where nobody has logged in to GitHub.

    Raises:
        ConfigError: the login cannot be read.
        Unavailable: somebody else has been looking for minutes.
    """
    login = fetch_login()
    if login is None:
        return None
    lock = f"{store.path}.look.lock"
    try:
        with (
            filelock.FileLock(lock, timeout=LOCK_SECONDS, mode=0o600),
            github(login, PATIENCE) as hub,
        ):
            return Reconciliation(store, hub, now).look()
    except filelock.Timeout as error:
        raise Unavailable(
            "another look takes long", where=lock, next_step="slipway webhook events"
        ) from error


def pause(chance: float) -> timedelta:
    """Return how long to wait for the next look; chance between 0 and 1."""
    return EVERY * (1 - JITTER + 2 * JITTER * chance)


@dataclass(slots=True)
class Lookout:
    """One thread beside the courier's; it looks when it begins, and then again and again."""

    store: Store
    metrics: Metrics
    found: Callable[[], None]
    looks: Callable[[Store, datetime], tuple[Finding, ...] | None] = look
    _ended: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def begin(self) -> None:
        """Start the thread."""
        self._thread = threading.Thread(target=self._work, name="lookout", daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Let the thread finish; what it has not finished is done by the next look."""
        self._ended.set()
        if self._thread:
            self._thread.join(END_WITHIN_SECONDS)

    def look(self) -> None:
        """Look once, and count what was there."""
        for each in self.looks(self.store, utc_now()) or ():
            self.metrics.reconciled(each.kind.value)
            level = logging.WARNING if each.kind is Kind.FAILED else logging.INFO
            log.log(level, "%s: %s: %s", each.repository, each.kind, each.what)
        self.found()

    def _work(self) -> None:
        while not self._ended.is_set():
            try:
                self.look()
            except Exception as error:  # noqa: BLE001 whatever it is, the next look may succeed
                self.metrics.reconciled(Kind.FAILED.value)
                log.warning("GitHub is not looked at: %s", error)
            self._ended.wait(pause(random.random()).total_seconds())  # noqa: S311 no secret
