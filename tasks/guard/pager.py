"""Waking somebody up."""

import logging
from datetime import timedelta
from pathlib import Path
from typing import Protocol

import httpx

from tasks.core.clock import Clock
from tasks.core.errors import ConfigError, Unavailable
from tasks.core.files import read_private
from tasks.core.paths import state_dir
from tasks.guard.model import Page

__all__ = ["Pager", "PagerDuty", "find_pager", "wake"]

log = logging.getLogger(__name__)

TIMEOUT_SECONDS = 5.0
REMEDY = "write the key there, mode 600"
EVENTS = "https://events.pagerduty.com/v2/enqueue"
SENT_AGAIN = (timedelta(seconds=1), timedelta(seconds=5), timedelta(seconds=15))
LONGEST_SUMMARY = 1024
"""PagerDuty refuses longer ones."""


class Pager(Protocol):
    """Wakes somebody up."""

    def page(self, page: Page) -> None:
        """Send a page.

        Raises:
            Unavailable: it could not be handed over.
        """
        ...


class PagerDuty:
    """PagerDuty's Events API, version 2; pages with the same key are one incident there."""

    def __init__(self, key: str, clock: Clock, url: str = EVENTS) -> None:
        self._key, self._url, self._clock = key, url, clock

    def page(self, page: Page) -> None:
        """Trigger an incident, or add to the open one with the same key.

        Raises:
            ConfigError: PagerDuty refuses the page or the key.
            Unavailable: it does not answer.
        """
        event: dict[str, object] = {
            "routing_key": self._key,
            "event_action": "trigger",
            "dedup_key": page.key,
            "client": "Slipway",
            "payload": {
                "summary": page.summary[:LONGEST_SUMMARY],
                "source": page.source,
                "severity": "critical",
                "custom_details": dict(enumerate(page.details, 1)),
            },
        }
        for pause in SENT_AGAIN:
            if self._sent(event):
                return
            self._clock.wait(pause)
        raise Unavailable("does not take the page", where="PagerDuty", next_step="page by hand")

    def _sent(self, event: dict[str, object]) -> bool:
        """Send once; False where the same may succeed later."""
        try:
            answer = httpx.post(self._url, json=event, timeout=TIMEOUT_SECONDS)
        except httpx.HTTPError as error:
            log.warning("PagerDuty does not answer: %s", type(error).__name__)
            return False
        if answer.is_success:
            return True
        if answer.status_code == httpx.codes.TOO_MANY_REQUESTS or answer.is_server_error:
            log.warning("PagerDuty answers %d", answer.status_code)
            return False
        raise ConfigError(
            f"refuses the page ({answer.status_code})",
            where="PagerDuty",
            next_step="look at the key in pagerduty-key",
        )


def find_pager(clock: Clock, file: Path | None = None) -> Pager | None:
    """Return the pager of this machine, None where nobody has set one up.

    Args:
        clock: for the pauses between attempts.
        file: integration key on the first line; on the second, where it is another one, the
            address of the Events API (PagerDuty's EU region).

    Raises:
        ConfigError: others can read the file, or it is empty.
    """
    file = file or state_dir() / "pagerduty-key"
    content = read_private(file, REMEDY)
    if content is None:
        return None
    lines = content.decode().split()
    if not lines:
        raise ConfigError("is empty", where=str(file), next_step=REMEDY)
    return PagerDuty(lines[0], clock, *lines[1:2])


def wake(page: Page, clock: Clock) -> bool:
    """Send a page where that is set up on this machine; say whether it is.

    Raises:
        ConfigError: the key's file, or PagerDuty, says no.
        Unavailable: PagerDuty does not take it.
    """
    pager = find_pager(clock)
    if pager is not None:
        pager.page(page)
    return pager is not None
