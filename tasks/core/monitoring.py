"""Alerts and panels of an application's own, and who is told, as slipway.yaml describes them."""

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, StringConstraints
from pydantic.dataclasses import dataclass

from tasks.core.strict import STRICT, Name
from tasks.core.units import Duration

__all__ = ["AlertRule", "Monitoring", "PagerDuty", "Panel", "Receiver", "Slack"]

AlertName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_]*$", max_length=60)]


@dataclass(frozen=True, slots=True, config=ConfigDict(extra="forbid", validate_by_name=True))
class AlertRule:
    """An alert of the application's own, once for each environment.

    Attributes:
        expr: PromQL that has a result while something is wrong; `$namespace` is filled in.
        lasting: how long it has to have a result before somebody is told.
        severity: critical pages, warning writes to the chat.
        summary: what is wrong, in Prometheus' templates (`{{ $value }}`, `{{ $labels.pod }}`).
        runbook: address of what to do.
        slo: the objective that is broken; such an alert may take a release back.
        environments: where it holds; in all of them where absent.
        dashboard: address of the page to look at.
        dependency: what is down while it fires, such as a database: nobody's release is to blame.
        rollback: whether it may take a release back; critical ones of an objective where absent.
    """

    name: AlertName
    expr: str
    summary: Annotated[str, Field(min_length=1)]
    severity: Literal["critical", "warning"] = "warning"
    lasting: Annotated[Duration | None, Field(alias="for")] = None
    runbook: str | None = None
    slo: str | None = None
    environments: tuple[Name, ...] = ()
    dashboard: str | None = None
    dependency: Name | None = None
    rollback: bool | None = None


@dataclass(frozen=True, slots=True, config=STRICT)
class Panel:
    """A graph on the application's dashboard.

    Attributes:
        expr: PromQL; `$namespace` is filled in.
        legend: name of each line, in Grafana's template (`{{pod}}`).
        unit: ratio (0 to 1, shown in percent), seconds, bytes, or none for a plain number.
        limit: value from which the graph is red.
    """

    title: Annotated[str, Field(min_length=1)]
    expr: str
    legend: str = ""
    unit: Literal["ratio", "seconds", "bytes", "none"] = "none"
    limit: float | None = None


@dataclass(frozen=True, slots=True, config=STRICT)
class Slack:
    """Where warnings go, and critical alerts that page nobody.

    Attributes:
        url_file: file on Alertmanager's side that holds the webhook's address.
        every: how often it is said again while nothing changes.
        environments: whose alerts; those of all where absent.
    """

    channel: Annotated[str, Field(min_length=2)]
    url_file: str
    every: Duration = timedelta(hours=6)
    environments: tuple[Name, ...] = ()


@dataclass(frozen=True, slots=True, config=STRICT)
class PagerDuty:
    """Who is paged.

    Attributes:
        key_file: file on Alertmanager's side that holds the integration key (Events API v2).
        every: how often it is said again while nothing changes.
        environments: whose critical alerts; those of all where absent.
    """

    key_file: str
    every: Duration = timedelta(hours=1)
    environments: tuple[Name, ...] = ()


@dataclass(frozen=True, slots=True, config=STRICT)
class Receiver:
    """Slipway's receiver, as Alertmanager reaches it.

    Attributes:
        token_file: file on Alertmanager's side that holds the bearer token.
    """

    address: str
    token_file: str


@dataclass(frozen=True, slots=True, config=STRICT)
class Monitoring:
    """Who is told of alerts, and what is on the dashboard beside the objectives.

    A secret is never in this file: each is named by the path at which Alertmanager finds it. In
    the manifests for kube-prometheus-stack the last two parts of that path are the Secret and its
    key.
    """

    receiver: Receiver | None = None
    slack: Slack | None = None
    pagerduty: PagerDuty | None = None
    panels: tuple[Panel, ...] = ()
