"""Who is told of an application's alerts: routes and receivers for Alertmanager."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tasks.core.application import Application
from tasks.core.monitoring import PagerDuty, Receiver, Slack
from tasks.core.units import format_duration

__all__ = ["Document", "Routes", "alertmanager_config", "routes_of"]

Document = dict[str, object]

NOBODY = "nobody"
TITLE = (
    "{{ .CommonLabels.application }} {{ .CommonLabels.environment }}: {{ .CommonLabels.alertname }}"
)
TEXT = "{{ range .Alerts }}{{ .Annotations.summary }}\n{{ .Annotations.description }}\n{{ end }}"


@dataclass(frozen=True, slots=True)
class Routes:
    """One application's part of an Alertmanager's configuration, as it reads it."""

    route: Document
    receivers: tuple[Document, ...]


@dataclass(frozen=True, slots=True)
class _Channel:
    """A way on which alerts leave: which ones, and to whom."""

    name: str
    route: Document
    receiver: Document


def routes_of(application: Application) -> Routes:
    """Return where the alerts that carry the application's name go."""
    name = application.application
    channels = tuple(_channels(application))
    route: Document = {
        "receiver": NOBODY,
        "matchers": [f'application="{name}"'],
        "group_by": ["application", "environment", "alertname"],
        "routes": [{"receiver": f"{name}-{one.name}", **one.route} for one in channels],
    }
    receivers = ({"name": f"{name}-{one.name}", **one.receiver} for one in channels)
    return Routes(route, tuple(receivers))


def alertmanager_config(applications: Iterable[Routes]) -> Document:
    """Return a whole configuration; alerts that belong to no application go nowhere."""
    every = tuple(applications)
    return {
        "route": {
            "receiver": NOBODY,
            "group_by": ["alertname", "namespace", "app"],
            "group_wait": "5s",
            "group_interval": "30s",
            "repeat_interval": "6h",
            "routes": [one.route for one in every],
        },
        "receivers": [{"name": NOBODY}, *(one for each in every for one in each.receivers)],
    }


def _channels(application: Application) -> Iterator[_Channel]:
    monitoring = application.monitoring
    if monitoring.receiver:
        yield _rollback(monitoring.receiver)
    if monitoring.pagerduty:
        yield _pagerduty(monitoring.pagerduty)
    if monitoring.slack:
        yield _slack(monitoring.slack)


def _rollback(receiver: Receiver) -> _Channel:
    """Alerts of objectives, at once and all of an environment together; others hear of them too."""
    return _Channel(
        "rollback",
        {
            "matchers": ['slo!=""'],
            "group_by": ["application", "environment"],
            "group_wait": "0s",
            "group_interval": "1s",
            "repeat_interval": "2m",
            "continue": True,
        },
        {
            "webhook_configs": [
                {
                    "url": f"{receiver.address.rstrip('/')}/alertmanager",
                    "send_resolved": True,
                    "http_config": {
                        "authorization": {
                            "type": "Bearer",
                            "credentials_file": receiver.token_file,
                        }
                    },
                }
            ]
        },
    )


def _pagerduty(pagerduty: PagerDuty) -> _Channel:
    return _Channel(
        "pagerduty",
        _of('severity="critical"', pagerduty),
        {
            "pagerduty_configs": [
                {
                    "routing_key_file": pagerduty.key_file,
                    "description": TITLE,
                    "severity": "critical",
                }
            ]
        },
    )


def _slack(slack: Slack) -> _Channel:
    """Warnings, and critical alerts that the route before has not taken: somebody hears of all."""
    return _Channel(
        "slack",
        _of('severity=~"warning|critical"', slack),
        {
            "slack_configs": [
                {
                    "api_url_file": slack.url_file,
                    "channel": slack.channel,
                    "title": TITLE,
                    "text": TEXT,
                    "send_resolved": True,
                }
            ]
        },
    )


def _of(severity: str, channel: PagerDuty | Slack) -> Document:
    places = "|".join(channel.environments)
    matchers = [severity, *([f'environment=~"{places}"'] if places else [])]
    return {"matchers": matchers, "repeat_interval": format_duration(channel.every)}
