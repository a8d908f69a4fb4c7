"""Recording and alerting rules of an application in one environment, for Prometheus."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from infra.monitoring.indicators import (
    Objective,
    bad_ratio,
    event_count,
    objectives,
    over_limit,
)
from tasks.core.alerts import QUIET
from tasks.core.application import Application
from tasks.core.burn import BURN_WINDOWS, RATIO, BurnWindow
from tasks.core.monitoring import AlertRule
from tasks.core.queries import resolve
from tasks.core.slos import Saturation
from tasks.core.units import format_duration

__all__ = ["EVENTS", "Group", "Rule", "rule_groups"]

EVENTS = "slipway:slo_events:increase"
"""How many events a long window holds: a few of them are no evidence."""

PAGES, TICKETS = BURN_WINDOWS[:2], BURN_WINDOWS[2:]
_LASTING = timedelta(minutes=5)
"""For so long a number has to be over its limit: one moment is no trouble."""
_NOW = timedelta(minutes=1)
"""Long enough to look at a release that has just come; nobody is woken up for a minute."""
_HASTE = (PAGES[0].long, PAGES[0].short)
"""Windows that are looked at as often as the server can; longer ones hold too much for that."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule; name is that of the series or of the alert.

    Attributes:
        lasting: how long an alert has to hold before it fires; None for a recording rule.
    """

    name: str
    expr: str
    labels: dict[str, str]
    lasting: timedelta | None = None
    annotations: dict[str, str] = field(default_factory=dict)

    def document(self) -> dict[str, object]:
        """Return the rule as Prometheus reads it."""
        if self.lasting is None:
            return {"record": self.name, "expr": self.expr, "labels": self.labels}
        return {
            "alert": self.name,
            "expr": self.expr,
            "for": format_duration(self.lasting),
            "labels": self.labels,
            "annotations": self.annotations,
        }


@dataclass(frozen=True, slots=True)
class Group:
    """Rules that are evaluated one after the other; interval is the server's own where None."""

    name: str
    rules: tuple[Rule, ...]
    interval: timedelta | None = None

    def document(self) -> dict[str, object]:
        """Return the group as Prometheus reads it."""
        often = {"interval": format_duration(self.interval)} if self.interval else {}
        return {"name": self.name, **often, "rules": [rule.document() for rule in self.rules]}


@dataclass(frozen=True, slots=True)
class _Place:
    """An objective in an environment."""

    application: Application
    environment: str
    slo: str
    objective: Objective

    @property
    def namespace(self) -> str:
        return self.application.environments[self.environment].namespace

    @property
    def budget(self) -> float:
        return 1 - self.objective.objective / 100

    @property
    def least(self) -> int:
        return self.application.slos.judging.min_events

    @property
    def labels(self) -> dict[str, str]:
        return {**_where(self.application, self.environment), "slo": self.slo}

    @property
    def selector(self) -> str:
        return ",".join(f'{name}="{value}"' for name, value in self.labels.items())


def rule_groups(application: Application, environment: str) -> tuple[Group, ...]:
    """Return everything that is recorded and watched in an environment."""
    prefix = f"{application.application}-{environment}"
    places = [
        _Place(application, environment, name, objective)
        for name, objective in objectives(application.slos).items()
    ]
    groups = [group for place in places for group in _burning(prefix, place)]
    others = (*_limits(application, environment), *_own_alerts(application, environment))
    if others:
        groups.append(Group(f"{prefix}-alerts", others))
    return tuple(groups)


def _burning(prefix: str, place: _Place) -> Iterator[Group]:
    windows = sorted({window for row in BURN_WINDOWS for window in (row.long, row.short)})
    recorded = [(window, rule) for window in windows for rule in _recorded(place, window)]
    slow = tuple(rule for window, rule in recorded if window not in _HASTE)
    fast = tuple(rule for window, rule in recorded if window in _HASTE)
    yield Group(f"{prefix}-{place.slo}-long", slow, timedelta(minutes=1))
    now = (*_counted(place, _NOW), _burns_now(place)) if _page_limit(place) < 1 else ()
    yield Group(f"{prefix}-{place.slo}", (*fast, *_burn_alerts(place), *now))


def _recorded(place: _Place, window: timedelta) -> Iterator[Rule]:
    ratio, events = _counted(place, window)
    yield ratio
    if any(row.long == window for row in BURN_WINDOWS):
        yield events


def _counted(place: _Place, window: timedelta) -> tuple[Rule, Rule]:
    """Return the series of a window: the share of bad events, and how many it is about."""
    name, where = format_duration(window), (place.objective, place.namespace, window)
    return (
        Rule(f"{RATIO}{name}", bad_ratio(*where), place.labels),
        Rule(f"{EVENTS}{name}", event_count(*where), place.labels),
    )


def _burn_alerts(place: _Place) -> Iterator[Rule]:
    yield from _burn_alert(place, PAGES, "critical")
    yield from _burn_alert(place, TICKETS, "warning")


def _page_limit(place: _Place) -> float:
    """Return the share of bad events, 0 to 1, that the table's first row calls for a page at."""
    return PAGES[0].limit(place.objective.period) * place.budget


def _burns_now(place: _Place) -> Rule:
    """Burning as fast as the table's first row, for a minute: the guard hears of it, no person.

    So many bad events are asked for as elsewhere events: a minute holds few.
    """
    window = format_duration(_NOW)
    ratio = f"{RATIO}{window}{{{place.selector}}}"
    bad = f"{ratio} * {EVENTS}{window}{{{place.selector}}}"
    return Rule(
        "ErrorBudgetBurnsNow",
        f"{ratio} > {_page_limit(place):.6g}\nand {bad} >= {place.least}",
        {**place.labels, "severity": QUIET, "rollback": "true"},
        timedelta(0),
        _burn_words(place, "within days if it goes on"),
    )


def _burn_alert(place: _Place, rows: tuple[BurnWindow, ...], severity: str) -> Iterator[Rule]:
    """One alert over some rows of the table, without those that nothing could ever exceed."""
    limits = [(row, row.limit(place.objective.period) * place.budget) for row in rows]
    conditions = [_condition(place, row, limit) for row, limit in limits if limit < 1]
    if not conditions:
        return
    fast = severity == "critical"
    labels = {**place.labels, "severity": severity}
    yield Rule(
        "ErrorBudgetBurnsFast" if fast else "ErrorBudgetBurnsSlowly",
        "\nor\n".join(conditions),
        labels,
        timedelta(0),
        _burn_words(place, "within days" if fast else "before its period is over"),
    )


def _condition(place: _Place, row: BurnWindow, limit: float) -> str:
    long, short = (
        f"{RATIO}{format_duration(window)}{{{place.selector}}} > {limit:.6g}"
        for window in (row.long, row.short)
    )
    enough = f"{EVENTS}{format_duration(row.long)}{{{place.selector}}} >= {place.least}"
    return f"({long}\nand {short}\nand {enough})"


def _burn_words(place: _Place, pace: str) -> dict[str, str]:
    application, environment = place.application.application, place.environment
    return {
        "summary": f"{application} in {environment}: {place.slo} misses its objective of"
        f" {place.objective.objective:g} %, {{{{ $value | humanizePercentage }}}} is bad;"
        f" the error budget will be gone {pace}",
        "description": _what_to_do(environment),
    }


def _limits(application: Application, environment: str) -> Iterator[Rule]:
    where = _where(application, environment)
    for name, goal in application.slos.goals.items():
        if isinstance(goal, Saturation):
            whose = f"{application.application} in {environment}: {name}"
            summary = f"{whose} is {{{{ $value | humanize }}}}, over its limit of {goal.limit:g}"
            yield Rule(
                "LimitExceeded",
                over_limit(goal, where["namespace"]),
                {**where, "slo": name, "severity": "warning"},
                _LASTING,
                {"summary": summary, "description": _what_to_do(environment)},
            )


def _own_alerts(application: Application, environment: str) -> Iterator[Rule]:
    for alert in application.alerts:
        if not alert.environments or environment in alert.environments:
            yield _own(alert, _where(application, environment))


def _own(alert: AlertRule, where: dict[str, str]) -> Rule:
    may = None if alert.rollback is None else str(alert.rollback).lower()
    labels = {"slo": alert.slo, "dependency": alert.dependency, "rollback": may}
    pages = {"runbook_url": alert.runbook, "dashboard": alert.dashboard}
    return Rule(
        alert.name,
        resolve(alert.expr, where).strip(),
        {**where, **_given(labels), "severity": alert.severity},
        alert.lasting or timedelta(0),
        {"summary": alert.summary, **_given(pages)},
    )


def _given(words: Mapping[str, str | None]) -> dict[str, str]:
    return {key: word for key, word in words.items() if word}


def _what_to_do(environment: str) -> str:
    return (
        f"What to do: `slipway history {environment}` says what was rolled out last. Is it to"
        f" blame: `slipway rollback {environment} --reason '...'`. Within the rollback window"
        " Slipway decides that itself and says why."
    )


def _where(application: Application, environment: str) -> dict[str, str]:
    return {
        "application": application.application,
        "environment": environment,
        "namespace": application.environments[environment].namespace,
    }
