"""Alerts, panels and routes: whether they can be evaluated, and whether anybody is there."""

from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath

from tasks.core.application import Application
from tasks.core.config.addresses import wrong_with
from tasks.core.config.problem import Finding, Path
from tasks.core.config.queries import query_fault
from tasks.core.monitoring import AlertRule, Monitoring
from tasks.core.queries import placeholders

__all__ = ["monitoring_findings"]

_FILLED_IN = "namespace"
_SECRET_PARTS = 3
"""Of an absolute path: the root, the Secret, its key."""


def monitoring_findings(application: Application) -> Iterator[Finding]:
    """What could never fire, could never be drawn, or would reach nobody."""
    for index, alert in enumerate(application.alerts):
        yield from _alert(alert, ("alerts", index), application)
    yield from _twice((alert.name for alert in application.alerts), ("alerts",), "name")
    yield from _monitoring(application.monitoring, ("monitoring",))
    for channel in ("slack", "pagerduty"):
        told = getattr(application.monitoring, channel)
        path = ("monitoring", channel, "environments")
        yield from _environments(told.environments if told else (), path, application)


def _alert(alert: AlertRule, path: Path, application: Application) -> Iterator[Finding]:
    yield from _query(alert.expr, (*path, "expr"))
    objectives = application.slos.goals
    if alert.slo is not None and alert.slo not in objectives:
        yield Finding(
            (*path, "slo"),
            f"{alert.slo} is no objective of this application",
            f"name one of {', '.join(objectives)}" if objectives else "remove it, or add `slos:`",
        )
    if alert.rollback and alert.slo is None:
        what = "takes a release back for an objective, and names none"
        yield Finding((*path, "rollback"), what, "name the objective with `slo`, or remove this")
    if alert.rollback and alert.dependency is not None:
        what = f"would take a release back because {alert.dependency} is down"
        yield Finding((*path, "rollback"), what, "remove it, or `dependency`")
    yield from _environments(alert.environments, (*path, "environments"), application)


def _environments(
    names: tuple[str, ...], path: Path, application: Application
) -> Iterator[Finding]:
    for index, name in enumerate(names):
        if name not in application.environments:
            yield Finding(
                (*path, index),
                f"{name} is no environment of this application",
                f"name one of {', '.join(application.environments)}",
            )


def _query(query: str, path: Path) -> Iterator[Finding]:
    fault = query_fault(query)
    unknown = sorted(placeholders(query) - {_FILLED_IN})
    if unknown:
        yield Finding(
            path,
            f"wants ${unknown[0]} filled in, and only $namespace is",
            "write the value itself, such as [5m]",
        )
    elif fault:
        remedy = "try the query in Prometheus; $namespace is filled in by Slipway"
        yield Finding(path, f"is no valid PromQL: {fault}", remedy)


def _monitoring(monitoring: Monitoring, path: Path) -> Iterator[Finding]:
    for index, panel in enumerate(monitoring.panels):
        yield from _query(panel.expr, (*path, "panels", index, "expr"))
    titles = (panel.title for panel in monitoring.panels)
    yield from _twice(titles, (*path, "panels"), "title")
    receiver = monitoring.receiver
    if receiver is not None and (wrong := wrong_with(receiver.address)):
        yield Finding(
            (*path, "receiver", "address"),
            wrong,
            "write it as Alertmanager reaches it, such as https://slipway.example.com",
        )
    for keys, file in _secret_files(monitoring):
        place = PurePosixPath(file)
        if not place.is_absolute() or len(place.parts) < _SECRET_PARTS:
            yield Finding(
                (*path, *keys),
                f"must be an absolute path of a folder and a file, got {file!r}",
                "write where Alertmanager finds it, such as"
                " /etc/alertmanager/secrets/slipway/token",
            )


def _secret_files(monitoring: Monitoring) -> Iterator[tuple[Path, str]]:
    if monitoring.receiver:
        yield ("receiver", "token_file"), monitoring.receiver.token_file
    if monitoring.slack:
        yield ("slack", "url_file"), monitoring.slack.url_file
    if monitoring.pagerduty:
        yield ("pagerduty", "key_file"), monitoring.pagerduty.key_file


def _twice(names: Iterable[str], path: Path, key: str) -> Iterator[Finding]:
    seen: set[str] = set()
    for index, name in enumerate(names):
        if name in seen:
            what = f"{name} stands in this list already"
            yield Finding((*path, index, key), what, "give each one a name of its own")
        seen.add(name)
