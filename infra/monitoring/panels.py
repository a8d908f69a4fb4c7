"""Graphs and numbers of a Grafana dashboard, and what all of ours have in common."""

import json
from dataclasses import dataclass
from string import ascii_uppercase
from typing import Literal

from grafana_foundation_sdk.builders import common, dashboard, stat, timeseries
from grafana_foundation_sdk.builders.prometheus import Dataquery
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.common import GraphThresholdsStyleMode
from grafana_foundation_sdk.models.dashboard import (
    DashboardCursorSync,
    DataSourceRef,
    Threshold,
    ThresholdsMode,
    VariableOption,
)

from tasks.core.application import Application

__all__ = ["Mark", "Query", "Scale", "as_json", "begin", "graph", "marked", "number"]

Unit = Literal["ratio", "seconds", "bytes", "none"]
_GRAFANA: dict[Unit, str] = {
    "ratio": "percentunit",
    "seconds": "s",
    "bytes": "bytes",
    "none": "short",
}
_SOURCE = DataSourceRef("prometheus", "${datasource}")
_HALF, _THIRD = 12, 8
"""Columns of 24."""


@dataclass(frozen=True, slots=True)
class Query:
    """A query of a panel; legend is the name of each line in Grafana's template."""

    expr: str
    legend: str = ""


@dataclass(frozen=True, slots=True)
class Scale:
    """What a panel's numbers are; limit is where red begins."""

    unit: Unit = "none"
    limit: float | None = None


@dataclass(frozen=True, slots=True)
class Mark:
    """A line across all graphs wherever a query has a result."""

    name: str
    colour: str
    expr: str


def graph(title: str, queries: tuple[Query, ...], scale: Scale) -> timeseries.Panel:
    """Return lines over time, half the page wide; the limit is a line of its own."""
    panel = timeseries.Panel().title(title).datasource(_SOURCE).span(_HALF).height(8).min(0)
    panel = panel.unit(_GRAFANA[scale.unit]).fill_opacity(8).thresholds(_thresholds(scale))
    if scale.limit is not None:
        mode = GraphThresholdsStyleMode.DASHED_AND_AREA
        panel = panel.thresholds_style(common.GraphThresholdsStyleConfig().mode(mode))
    for letter, query in zip(ascii_uppercase, queries, strict=False):
        panel = panel.with_target(_target(query).range().ref_id(letter))
    return panel


def number(title: str, query: Query, scale: Scale) -> stat.Panel:
    """Return one number, a third of the page wide."""
    panel = stat.Panel().title(title).datasource(_SOURCE).span(_THIRD).height(4)
    panel = panel.unit(_GRAFANA[scale.unit]).thresholds(_thresholds(scale)).no_value("none")
    return panel.with_target(_target(query).instant().ref_id("A"))


def begin(application: Application, title: str, since: str) -> dashboard.Dashboard:
    """Return an empty dashboard about one application, for an environment of one's choice."""
    name = application.application
    places = application.environments
    last = list(places)[-1]
    environments = (
        dashboard.CustomVariable("namespace")
        .label("environment")
        .values(",".join(f"{each} : {place.namespace}" for each, place in places.items()))
        .current(VariableOption(text=last, value=places[last].namespace))
    )
    return (
        dashboard.Dashboard(f"{name}: {title}")
        .uid(f"slipway-{name}-{title.split(maxsplit=1)[0].lower()}"[:40])
        .tags(["slipway", name])
        .timezone("browser")
        .time(since, "now")
        .refresh("30s")
        .tooltip(DashboardCursorSync.CROSSHAIR)
        .with_variable(dashboard.DatasourceVariable("datasource").type("prometheus"))
        .with_variable(environments)
    )


def marked(page: dashboard.Dashboard, marks: tuple[Mark, ...]) -> dashboard.Dashboard:
    """Put marks on the time axis of a page; each can be switched off there."""
    for mark in marks:
        query = dashboard.AnnotationQuery().name(mark.name).datasource(_SOURCE)
        page = page.annotation(query.icon_color(mark.colour).expr(mark.expr))
    return page


def as_json(built: dashboard.Dashboard) -> str:
    """Return the dashboard as Grafana imports it."""
    return json.dumps(built.build(), cls=JSONEncoder, indent=2) + "\n"


def _target(query: Query) -> Dataquery:
    return Dataquery().expr(query.expr).legend_format(query.legend or "__auto")


def _thresholds(scale: Scale) -> dashboard.ThresholdsConfig:
    steps = [Threshold(value=None, color="green")]
    if scale.limit is not None:
        steps.append(Threshold(value=scale.limit, color="red"))
    return dashboard.ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(steps)
