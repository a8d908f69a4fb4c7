"""Asking Prometheus what was before."""

import json
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import isfinite

from tasks.core.alerts import Alert
from tasks.core.burn import RATIO
from tasks.core.errors import ConfigError, Unavailable
from tasks.core.past import Past
from tasks.core.prometheus import Prometheus
from tasks.core.record import Record
from tasks.guard.decide import AFTERMATH
from tasks.guard.model import Case, Evidence

__all__ = ["ask_prometheus"]

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Question:
    """Whom to ask, about which rollout, and now."""

    prometheus: Prometheus
    past: Past
    it: Record
    now: datetime


def ask_prometheus(
    prometheus: Prometheus | None, past: Past, alerts: Iterable[Alert], now: datetime
) -> tuple[Case, ...]:
    """Put beside each alert what Prometheus knows; nothing where it does not answer."""
    known, it = tuple(alerts), past.at_stake
    if prometheus is not None and it is not None:
        question = _Question(prometheus, past, it, now)
        try:
            return tuple(Case(alert, _ask(question, alert)) for alert in known)
        except (ConfigError, Unavailable) as error:
            log.warning("Prometheus was asked what was before: %s", error)
    return tuple(map(Case, known))


def _ask(question: _Question, alert: Alert) -> Evidence:
    it = question.it
    same = _selector(alert, "alertname", "application", "environment", "slo")
    # pending counts: an alert may wait an hour before it fires
    burning = question.prometheus.instant(f"ALERTS{{{same}}}", it.started_at)
    down = _selector(alert, "application", "environment") + ',dependency!=""'
    dependencies = question.prometheus.instant(f"ALERTS{{{down}}}")
    return Evidence(
        burning_before=bool(burning),
        fired_before=_fired(question, same),
        bad_since=_bad_share(question, alert, None),
        bad_before=_bad_share(question, alert, it.started_at),
        dependencies=tuple(dict.fromkeys(each.labels["dependency"] for each in dependencies)),
        over=_is_over(question.prometheus, same),
    )


def _is_over(prometheus: Prometheus, same: str) -> bool:
    """Say whether an alert has ended: its message may have waited for long.

    Another Prometheus may evaluate the rule; then nothing is known of it here.
    """
    firing = f'ALERTS{{{same},alertstate="firing"}}'
    fired_lately = f"max_over_time({firing}[1h])"
    return not prometheus.instant(firing) and bool(prometheus.instant(fired_lately))


def _bad_share(question: _Question, alert: Alert, until: datetime | None) -> float | None:
    """Return the mean share of bad events until an instant, over as long as the rollout is there.

    Nothing where nothing records it (infra/monitoring/rules.py), or nobody asked anything.
    """
    lasts = _seconds(question.now - question.it.started_at)
    recorded = f"{RATIO}5m{{{_selector(alert, 'application', 'environment', 'slo')}}}"
    mean = f"avg_over_time({recorded}[{lasts}s])"
    shares = (each.value for each in question.prometheus.instant(mean, until))
    return max(filter(isfinite, shares), default=None)


def _fired(question: _Question, same: str) -> bool:
    """Say whether an alert fired in the time of the release before, once that had settled."""
    it, earlier = question.it, _before(question.past, question.it)
    since = earlier.finished_at + AFTERMATH if earlier and earlier.finished_at else None
    if since is None or since >= it.started_at:
        return False
    lasts = _seconds(it.started_at - since)
    firing = f'max_over_time(ALERTS{{{same},alertstate="firing"}}[{lasts}s])'
    return bool(question.prometheus.instant(firing, it.started_at))


def _before(past: Past, it: Record) -> Record | None:
    """Return the rollout before; what fired in its time, it may have been to blame for itself."""
    return next((each for each in past.records if each.number < it.number), None)


def _seconds(duration: timedelta) -> int:
    return max(1, int(duration.total_seconds()))


def _selector(alert: Alert, *names: str) -> str:
    return ",".join(f"{name}={json.dumps(alert.labels.get(name, ''))}" for name in names)
