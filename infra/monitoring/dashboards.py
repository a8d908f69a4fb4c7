"""The three dashboards of an application: its health, its rollouts, its DORA figures."""

from datetime import timedelta

from grafana_foundation_sdk.builders import dashboard, text

from infra.monitoring.indicators import Objective, bad_ratio, event_count, objectives
from infra.monitoring.panels import Query, Scale, as_json, begin, graph, number
from infra.monitoring.rules import RATIO
from tasks.core.application import Application
from tasks.core.burn import BURN_WINDOWS
from tasks.core.queries import narrow
from tasks.core.units import format_duration

__all__ = ["dashboards"]

TRACKS = {"stable": "!~", "canary": "=~"}
"""How each track's pods match the names that pods of a canary have."""
_CANARY = ".+-canary-[a-z0-9]+-[a-z0-9]+"
_GLANCE = timedelta(minutes=2)
_HERE = "$namespace"
"""Grafana's variable, which holds the chosen environment's namespace."""


def dashboards(application: Application) -> dict[str, str]:
    """Return each dashboard's JSON by the name of its file."""
    name = application.application
    return {
        f"{name}-health.json": as_json(_health(application)),
        f"{name}-rollouts.json": as_json(_rollouts(application)),
        f"{name}-dora.json": as_json(_dora(application)),
    }


def _health(application: Application) -> dashboard.Dashboard:
    page = begin(application, "Application Health", "now-6h")
    for panel in application.monitoring.panels:
        query = Query(panel.expr.strip(), panel.legend)
        page = page.with_panel(graph(panel.title, (query,), Scale(panel.unit, panel.limit)))
    page = page.with_row(dashboard.Row("Objectives"))
    for name, objective in objectives(application.slos).items():
        queries = _burned(application, name)
        budget = 1 - objective.objective / 100
        title = f"{name}: bad events, objective {objective.objective:g} %"
        page = page.with_panel(graph(title, queries, Scale("ratio", budget)))
    firing = f'sum(ALERTS{{{_labels(application)},alertstate="firing"}}) or vector(0)'
    return page.with_panel(number("Alerts that fire", Query(firing), Scale(limit=1)))


def _burned(application: Application, slo: str) -> tuple[Query, ...]:
    windows = sorted({window for row in BURN_WINDOWS for window in (row.short, row.long)})
    matchers = f'{_labels(application)},slo="{slo}"'
    names = [format_duration(window) for window in windows]
    return tuple(Query(f"{RATIO}{name}{{{matchers}}}", name) for name in names)


def _rollouts(application: Application) -> dashboard.Dashboard:
    page = begin(application, "Rollouts, stable against canary", "now-1h")
    for name, objective in objectives(application.slos).items():
        budget = 1 - objective.objective / 100
        queries = _by_track(bad_ratio(objective, _HERE, _GLANCE))
        page = page.with_panel(graph(f"{name}: bad events", queries, Scale("ratio", budget)))
    first: Objective | None = next(iter(objectives(application.slos).values()), None)
    if first is not None:
        queries = _by_track(event_count(first, _HERE, _GLANCE))
        page = page.with_panel(graph("Events in 2 minutes", queries, Scale()))
    ready = f'kube_deployment_status_replicas_ready{{namespace="{_HERE}"}}'
    restarts = f'increase(kube_pod_container_status_restarts_total{{namespace="{_HERE}"}}[5m])'
    for title, expr, legend in (
        ("Ready copies", ready, "{{deployment}}"),
        ("Restarts in 5 minutes", restarts, "{{pod}}"),
    ):
        page = page.with_panel(graph(title, (Query(expr, legend),), Scale()))
    return page


def _by_track(expr: str) -> tuple[Query, ...]:
    return tuple(
        Query(narrow(expr, f'pod{operator}"{_CANARY}"'), track)
        for track, operator in TRACKS.items()
    )


def _dora(application: Application) -> dashboard.Dashboard:
    """What records and alerts say; a record's Secret is counted by kube-state-metrics."""
    succeeded = _records(application, 'label_slipway_dev_state="succeeded"')
    taken_back = _records(application, 'label_slipway_dev_bad="true"')
    ended = _records(application, 'label_slipway_dev_state=~"succeeded|restored|failed"')
    firing = f'ALERTS{{{_labels(application)},slo!="",alertstate="firing"}}'
    often = f"(count({_recent(succeeded)}) or vector(0)) / ($__range_s / 86400)"
    failed = f"(count({_recent(taken_back)}) or vector(0)) / count({_recent(ended)})"
    broken = f"sum(count_over_time({firing}[$__range:1m])) * 60"
    since = f"time() - max({_created(succeeded)})"
    by_state = f"count by (label_slipway_dev_state) ({_records(application)})"
    page = begin(application, "DORA", "now-30d")
    for title, expr, scale in (
        ("Deployments a day", often, Scale()),
        ("Change failure rate", failed, Scale("ratio", 0.15)),
        ("Time that objectives were missed", broken, Scale("seconds")),
        ("Since the last deployment", since, Scale("seconds")),
    ):
        page = page.with_panel(number(title, Query(expr), scale))
    states = Query(by_state, "{{label_slipway_dev_state}}")
    page = page.with_panel(graph("Records by state", (states,), Scale()))
    words = (
        "Lead time, time to restore and rework rate need what stands inside the records:\n"
        "`slipway dora` computes all five from them, with the definitions that it uses."
    )
    return page.with_panel(text.Panel().title("All five figures").content(words).span(12).height(8))


def _records(application: Application, *matchers: str) -> str:
    all_matchers = (
        f'namespace="{_HERE}"',
        'label_slipway_dev_record="rollout"',
        f'label_slipway_dev_application="{application.application}"',
        *matchers,
    )
    return f"kube_secret_labels{{{','.join(all_matchers)}}}"


def _created(records: str) -> str:
    """Instants at which rollouts began, in seconds since 1970."""
    return f'(kube_secret_created{{namespace="{_HERE}"}} * on (namespace, secret) {records})'


def _recent(records: str) -> str:
    return f"{_created(records)} > time() - $__range_s"


def _labels(application: Application) -> str:
    return f'application="{application.application}",namespace="{_HERE}"'
