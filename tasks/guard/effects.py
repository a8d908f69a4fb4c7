"""Asking Prometheus what was before, and waking somebody up."""

import json
import logging
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import isfinite
from pathlib import Path
from typing import Protocol

import httpx
from pydantic import BaseModel, ConfigDict, ValidationError

from tasks.core.alerts import Alert
from tasks.core.burn import RATIO
from tasks.core.clock import Clock
from tasks.core.errors import ConfigError, Unavailable
from tasks.core.model import Record
from tasks.core.past import Past
from tasks.core.paths import state_dir
from tasks.guard.decide import AFTERMATH
from tasks.guard.model import Case, Evidence, Page

__all__ = ["Pager", "PagerDuty", "ask_prometheus", "find_pager", "wake"]

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
    value: tuple[float, str] = (0.0, "NaN")


class _Data(_Theirs):
    result: tuple[_Series, ...]


class _Found(_Theirs):
    data: _Data


@dataclass(frozen=True, slots=True)
class _Question:
    """Whom to ask, about which rollout, and now."""

    prometheus: str
    past: Past
    it: Record
    now: datetime


def ask_prometheus(
    prometheus: str | None, past: Past, alerts: Iterable[Alert], now: datetime
) -> tuple[Case, ...]:
    """Put beside each alert what Prometheus knows; nothing where it does not answer."""
    known, it = tuple(alerts), past.at_stake
    if prometheus is not None and it is not None:
        question = _Question(prometheus, past, it, now)
        try:
            return tuple(Case(alert, _ask(question, alert)) for alert in known)
        except (httpx.HTTPError, ValidationError) as error:
            log.warning("Prometheus was asked what was before: %s", error)
    return tuple(map(Case, known))


def _ask(question: _Question, alert: Alert) -> Evidence:
    it = question.it
    same = _selector(alert, "alertname", "application", "environment", "slo")
    # pending counts: an alert may wait an hour before it fires
    burning = _query(question, f"ALERTS{{{same}}}", it.started_at)
    down = _selector(alert, "application", "environment") + ',dependency!=""'
    dependencies = _query(question, f"ALERTS{{{down}}}", None)
    return Evidence(
        burning_before=bool(burning),
        fired_before=_fired(question, same),
        bad_since=_bad_share(question, alert, None),
        bad_before=_bad_share(question, alert, it.started_at),
        dependencies=tuple(dict.fromkeys(each.metric["dependency"] for each in dependencies)),
        over=_is_over(question, same),
    )


def _is_over(question: _Question, same: str) -> bool:
    """Say whether an alert has ended: its message may have waited for long.

    Another Prometheus may evaluate the rule; then nothing is known of it here.
    """
    firing = f'ALERTS{{{same},alertstate="firing"}}'
    return not _query(question, firing, None) and bool(
        _query(question, f"max_over_time({firing}[1h])", None)
    )


def _bad_share(question: _Question, alert: Alert, until: datetime | None) -> float | None:
    """Return the mean share of bad events until an instant, over as long as the rollout is there.

    Nothing where nothing records it (infra/monitoring/rules.py), or nobody asked anything.
    """
    lasts = _seconds(question.now - question.it.started_at)
    recorded = f"{RATIO}5m{{{_selector(alert, 'application', 'environment', 'slo')}}}"
    shares = [
        float(each.value[1])
        for each in _query(question, f"avg_over_time({recorded}[{lasts}s])", until)
    ]
    return max(filter(isfinite, shares), default=None)


def _fired(question: _Question, same: str) -> bool:
    """Say whether an alert fired in the time of the release before, once that had settled."""
    it, earlier = question.it, _before(question.past, question.it)
    since = earlier.finished_at + AFTERMATH if earlier and earlier.finished_at else None
    if since is None or since >= it.started_at:
        return False
    lasts = _seconds(it.started_at - since)
    firing = f'max_over_time(ALERTS{{{same},alertstate="firing"}}[{lasts}s])'
    return bool(_query(question, firing, it.started_at))


def _before(past: Past, it: Record) -> Record | None:
    """Return the rollout before; what fired in its time, it may have been to blame for itself."""
    return next((each for each in past.records if each.number < it.number), None)


def _seconds(duration: timedelta) -> int:
    return max(1, int(duration.total_seconds()))


def _selector(alert: Alert, *names: str) -> str:
    return ",".join(f"{name}={json.dumps(alert.labels.get(name, ''))}" for name in names)


def _query(question: _Question, query: str, at: datetime | None) -> tuple[_Series, ...]:
    """Ask about an instant; about Prometheus' own present where there is none."""
    instant = {"time": at.astimezone(UTC).isoformat()} if at else {}
    answer = httpx.get(
        f"{question.prometheus.rstrip('/')}/api/v1/query",
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
