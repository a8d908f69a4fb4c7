"""The three dashboards of an application: its health, its rollouts, its DORA figures."""

from dataclasses import dataclass
from datetime import timedelta

from grafana_foundation_sdk.builders import dashboard, text

from infra.monitoring.indicators import Objective, bad_ratio, event_count, objectives
from infra.monitoring.panels import Mark, Query, Scale, as_json, begin, graph, marked, number
from tasks.core.application import Application
from tasks.core.burn import BURN_WINDOWS, RATIO
from tasks.core.queries import narrow
from tasks.core.tracks import CANARY, STABLE
from tasks.core.units import format_duration

__all__ = ["dashboards"]

OPERATORS = {STABLE: "!~", CANARY: "=~"}
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
    page = marked(begin(application, "Application Health", "now-6h"), _marks(application))
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
    page = marked(page, _marks(application))
    for name, objective in objectives(application.slos).items():
        budget = 1 - objective.objective / 100
        queries = _by_track(bad_ratio(objective, _HERE, _GLANCE))
        page = page.with_panel(graph(f"{name}: bad events", queries, Scale("ratio", budget)))
    first: Objective | None = next(iter(objectives(application.slos).values()), None)
    if first is not None:
        events = event_count(first, _HERE, _GLANCE)
        share = Query(_share(events), CANARY)
        page = page.with_panel(graph("Events in 2 minutes", _by_track(events), Scale()))
        page = page.with_panel(graph("Share that the canary answers", (share,), Scale("ratio")))
    ready = f'kube_deployment_status_replicas_ready{{namespace="{_HERE}"}}'
    restarts = f'increase(kube_pod_container_status_restarts_total{{namespace="{_HERE}"}}[5m])'
    for title, expr, legend in (
        ("Ready copies", ready, "{{deployment}}"),
        ("Restarts in 5 minutes", restarts, "{{pod}}"),
    ):
        page = page.with_panel(graph(title, (Query(expr, legend),), Scale()))
    return page


def _share(events: str) -> str:
    """0 where there is no canary, nothing where there are no events."""
    canary = narrow(events, f'pod=~"{_CANARY}"')
    return f"({canary} or 0 * {events})\n/ ({events} > 0)"


def _by_track(expr: str) -> tuple[Query, ...]:
    return tuple(
        Query(narrow(expr, f'pod{operator}"{_CANARY}"'), track)
        for track, operator in OPERATORS.items()
    )


def _dora(application: Application) -> dashboard.Dashboard:
    """What records and alerts say, counted as tasks/report/dora.py does as far as labels tell."""
    records = _Records(application.application)
    changes = records.changes(_ENDED)
    failed = f"({records.changes(_FAILED)} or {records.changes(_BAD)})"
    rollbacks = f"{records.recent(_ENDED)} and on (namespace, secret) {records.rollbacks}"
    firing = f'ALERTS{{{_labels(application)},slo!="",alertstate="firing"}}'
    often = f"(count({records.changes(_SUCCEEDED)}) or vector(0)) / ($__range_s / 86400)"
    failing = f"(count({failed}) or vector(0)) / count({changes})"
    reworked = f"(count({rollbacks}) or vector(0)) / count({records.recent(_ENDED)})"
    broken = f"sum(count_over_time({firing}[$__range:1m])) * 60"
    since = f"time() - max({records.created(_SUCCEEDED)} {records.unless_rollback})"
    by_state = f"count by (label_slipway_dev_state) ({records.selector()})"
    page = begin(application, "DORA", "now-30d")
    for title, expr, scale in (
        ("Deployments a day", often, Scale()),
        ("Change failure rate", failing, Scale("ratio", 0.15)),
        ("Rollbacks, of all rollouts", reworked, Scale("ratio")),
        ("Time that objectives were missed", broken, Scale("seconds")),
        ("Since the last deployment", since, Scale("seconds")),
    ):
        page = page.with_panel(number(title, Query(expr), scale))
    states = Query(by_state, "{{label_slipway_dev_state}}")
    page = page.with_panel(graph("Records by state", (states,), Scale()))
    return page.with_panel(
        text.Panel().title("All five figures").content(_WORDS).span(12).height(8)
    )


_WORDS = """\
Lead time and recovery time stand inside the records, where Prometheus does not look. The rework
rate is that of the rollbacks here and of the first rollout after each failure.

`slipway dora` computes all five figures, with the definitions that it uses.
"""
_SUCCEEDED = 'label_slipway_dev_state="succeeded"'
_FAILED = 'label_slipway_dev_state=~"restored|failed"'
_ENDED = 'label_slipway_dev_state=~"succeeded|restored|failed"'
_BAD = 'label_slipway_dev_bad="true"'


@dataclass(frozen=True, slots=True)
class _Records:
    """Queries about the records of rollouts, by the labels of their Secrets."""

    application: str

    def selector(self, *matchers: str) -> str:
        """Records, each with the value 1."""
        all_matchers = (
            f'namespace="{_HERE}"',
            'label_slipway_dev_record="rollout"',
            f'label_slipway_dev_application="{self.application}"',
            *matchers,
        )
        return f"kube_secret_labels{{{','.join(all_matchers)}}}"

    def created(self, *matchers: str) -> str:
        """Instants at which rollouts began, in seconds since 1970, with their releases."""
        begun = f'kube_secret_created{{namespace="{_HERE}"}}'
        release = "on (namespace, secret) group_left (label_slipway_dev_release)"
        return f"({begun} * {release} {self.selector(*matchers)})"

    def recent(self, *matchers: str) -> str:
        """Those that began in the time that is shown."""
        return f"({self.created(*matchers)} > time() - $__range_s)"

    @property
    def rollbacks(self) -> str:
        """Records of a release that had succeeded before: no label says it."""
        first = f"min by (label_slipway_dev_release) ({self.created(_SUCCEEDED)})"
        return f"({self.created()} > on (label_slipway_dev_release) group_left () {first})"

    @property
    def unless_rollback(self) -> str:
        """The end of a query for rollouts that brought a release in."""
        return f"unless on (namespace, secret) {self.rollbacks}"

    def changes(self, *matchers: str) -> str:
        """Rollouts of the time that is shown which brought a release in."""
        return f"({self.recent(*matchers)} {self.unless_rollback})"


def _marks(application: Application) -> tuple[Mark, ...]:
    """Where on a time axis rollouts began and ended; single verdicts stand inside the records."""
    records = _Records(application.application)
    return tuple(
        Mark(name, colour, f"{found} unless on (namespace, secret) {found} offset 1m")
        for name, colour, found in (
            ("a rollout began", "blue", records.selector()),
            ("a rollout succeeded", "green", records.selector(_SUCCEEDED)),
            ("a release was taken back, or failed", "red", records.selector(_FAILED)),
        )
    )


def _labels(application: Application) -> str:
    return f'application="{application.application}",namespace="{_HERE}"'
