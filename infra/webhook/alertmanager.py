"""Alertmanager's webhook, version 4: one event for each environment that it is about.

Source: prometheus.io, Alerting, Configuration, webhook_config.
"""

import json
from datetime import datetime
from hashlib import sha256

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from infra.webhook.model import Alerts, Event, Refused
from tasks.core.alerts import Alert

__all__ = ["read_alerts"]

BAD_REQUEST = 400


class _Theirs(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class _Alert(_Theirs):
    status: str
    labels: dict[str, str]
    annotations: dict[str, str] = {}
    startsAt: AwareDatetime  # noqa: N815 theirs


class _Message(_Theirs):
    alerts: tuple[_Alert, ...]


def read_alerts(body: bytes, received_at: datetime) -> tuple[Event, ...]:
    """Read a message; Alertmanager sends it again and again while its alerts fire.

    Raises:
        Refused: it is none of Alertmanager's.
    """
    try:
        message = _Message.model_validate_json(body)
    except ValidationError as error:
        raise Refused(BAD_REQUEST, "payload") from error
    places = dict.fromkeys(map(_place, message.alerts))
    return tuple(
        _event(place, [each for each in message.alerts if _place(each) == place], received_at)
        for place in places
    )


def _place(alert: _Alert) -> tuple[str, str]:
    return alert.labels.get("application", ""), alert.labels.get("environment", "")


def _event(place: tuple[str, str], found: list[_Alert], received_at: datetime) -> Event:
    application, environment = place
    alerts = tuple(map(_alert, found))
    # repetitions are judged each on its own: what was too early for an answer may not be any more
    said = json.dumps(
        [received_at.isoformat(), [each.model_dump(mode="json") for each in found]], sort_keys=True
    )
    content = sha256(said.encode()).hexdigest()
    subject = f"{environment}/{application}"
    facts = Alerts(application, environment, alerts)
    return Event("alertmanager", "alert", content, content, subject, "", facts)


def _alert(found: _Alert) -> Alert:
    return Alert(
        name=found.labels.get("alertname", ""),
        firing=found.status == "firing",
        started_at=found.startsAt,
        labels=found.labels,
        summary=found.annotations.get("summary", ""),
    )
