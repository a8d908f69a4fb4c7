"""An application with one of everything that monitoring knows."""

from datetime import timedelta

from tasks.core.application import Application, Component, Environment
from tasks.core.monitoring import AlertRule, Monitoring, PagerDuty, Panel, Receiver, Slack
from tasks.core.slos import Availability, Custom, Latency, Saturation, Slos

__all__ = ["SHOP"]

SHOP = Application(
    application="shop",
    components={"api": Component(context="api")},
    environments={
        "dev": Environment(overlay="dev", namespace="shop-dev"),
        "prod": Environment(overlay="prod", namespace="shop-prod"),
    },
    slos=Slos(
        availability=Availability(
            99.9,
            errors='sum(increase(hits{namespace="$namespace",code=~"5.."}[$window]))',
            total='sum(increase(hits{namespace="$namespace"}[$window]))',
            period=timedelta(days=30),
        ),
        saturation=Saturation("queue_length", 100),
        custom={"paid": Custom(99.0, 'paid_total{ok="no"}', "paid_total")},
        latency=Latency(90, timedelta(seconds=1), "hit_seconds", timedelta(days=30)),
    ),
    alerts=(
        AlertRule("NoHits", 'absent(hits{namespace="$namespace"})', "nobody comes"),
        AlertRule(
            "TooLong",
            'vector(1) and on() hits{namespace="$namespace"}',
            "since {{ $value }} s",
            "critical",
            timedelta(hours=1),
            slo="availability",
            environments=("prod",),
        ),
    ),
    monitoring=Monitoring(
        Receiver("https://slipway.example.com/", "/etc/alertmanager/secrets/slipway/token"),
        Slack("#shop", "/etc/alertmanager/secrets/slipway/slack"),
        PagerDuty("/etc/alertmanager/secrets/slipway/pager", environments=("prod",)),
        (Panel("Hits", 'sum(hits{namespace="$namespace"})', unit="ratio", limit=0.5),),
    ),
)
