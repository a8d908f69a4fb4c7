"""Asking Prometheus what was before, and waking somebody up."""

import json
import logging
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

import httpx
from pydantic import BaseModel, ConfigDict, ValidationError

from tasks.core.alerts import Alert
from tasks.core.clock import Clock
from tasks.core.errors import ConfigError, Unavailable
from tasks.core.model import Record, RolloutState
from tasks.core.past import Past
from tasks.core.paths import state_dir
from tasks.guard.decide import AFTERMATH, foremost
from tasks.guard.model import Evidence, Page

__all__ = ["Pager", "PagerDuty", "ask_prometheus", "find_pager"]

log = logging.getLogger(__name__)

TIMEOUT_SECONDS = 5.0
OTHERS = stat.S_IRWXG | stat.S_IRWXO
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


class _Theirs(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class _Series(_Theirs):
    metric: dict[str, str]


class _Data(_Theirs):
    result: tuple[_Series, ...]


class _Found(_Theirs):
    data: _Data


def ask_prometheus(prometheus: str | None, past: Past, alerts: tuple[Alert, ...]) -> Evidence:
    """Return what Prometheus knows beside the alert; nothing where it does not answer."""
    alert, live = foremost(alerts), past.record(past.live)
    if prometheus is None or alert is None or live is None:
        return Evidence()
    try:
        return _ask(prometheus, past, alert, live)
    except (httpx.HTTPError, ValidationError) as error:
        log.warning("Prometheus was asked what was before: %s", error)
        return Evidence()


def _ask(prometheus: str, past: Past, alert: Alert, live: Record) -> Evidence:
    same = _selector(alert, "alertname", "application", "environment", "slo")
    # pending counts: an alert may wait an hour before it fires
    burning = _query(prometheus, f"ALERTS{{{same}}}", live.started_at)
    down = _selector(alert, "application", "environment") + ',alertstate="firing",dependency!=""'
    dependencies = _query(prometheus, f"ALERTS{{{down}}}", None)
    return Evidence(
        burning_before=bool(burning),
        fired_before=_fired(prometheus, same, _earlier(past, live), live),
        dependencies=tuple(dict.fromkeys(each.metric["dependency"] for each in dependencies)),
    )


def _fired(prometheus: str, same: str, earlier: Record | None, live: Record) -> bool:
    """Say whether an alert fired in the time of the release before, once that had settled."""
    since = earlier.finished_at + AFTERMATH if earlier and earlier.finished_at else None
    if since is None or since >= live.started_at:
        return False
    seconds = int((live.started_at - since).total_seconds()) or 1
    firing = f'max_over_time(ALERTS{{{same},alertstate="firing"}}[{seconds}s])'
    return bool(_query(prometheus, firing, live.started_at))


def _earlier(past: Past, live: Record) -> Record | None:
    """Return the rollout that was live before."""
    good = (each for each in past.records if each.state is RolloutState.SUCCEEDED)
    return next((each for each in good if each.number < live.number), None)


def _selector(alert: Alert, *names: str) -> str:
    return ",".join(f"{name}={json.dumps(alert.labels.get(name, ''))}" for name in names)


def _query(prometheus: str, query: str, at: datetime | None) -> tuple[_Series, ...]:
    instant = {"time": at.astimezone(UTC).isoformat()} if at else {}
    answer = httpx.get(
        f"{prometheus.rstrip('/')}/api/v1/query",
        params={"query": query, **instant},
        timeout=TIMEOUT_SECONDS,
        trust_env=False,
    )
    return _Found.model_validate_json(answer.raise_for_status().content).data.result


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
    try:
        mode, lines = file.stat().st_mode, file.read_text().split()
    except FileNotFoundError:
        return None
    if mode & OTHERS or not lines:
        what = "can be read by others" if lines else "is empty"
        raise ConfigError(what, where=str(file), next_step="write the key there, mode 600")
    return PagerDuty(lines[0], clock, *lines[1:2])
