from dataclasses import replace

import pytest

from tasks.core.application import Application
from tasks.core.config.monitoring import monitoring_findings
from tasks.core.monitoring import AlertRule, Monitoring, PagerDuty, Panel, Receiver, Slack
from tests.unit.infra.monitoring.application import SHOP

ALERT = AlertRule("Down", 'up{namespace="$namespace"} == 0', "it is down")


def findings(application: Application = SHOP) -> list[tuple[str, str]]:
    found = monitoring_findings(application)
    return [(".".join(map(str, one.path)), one.message) for one in found]


@pytest.mark.parametrize(
    ("alerts", "path", "message"),
    [
        pytest.param(
            (replace(ALERT, expr="sum("),), "alerts.0.expr", "is no valid PromQL",
            id="a query that cannot be read",
        ),
        pytest.param(
            (replace(ALERT, expr="rate(up[$window])"),), "alerts.0.expr", "wants $window filled in",
            id="a placeholder that nobody fills in",
        ),
        pytest.param(
            (replace(ALERT, slo="speed"),), "alerts.0.slo", "speed is no objective",
            id="an unknown objective",
        ),
        pytest.param(
            (replace(ALERT, environments=("prod", "qa")),), "alerts.0.environments.1",
            "qa is no environment", id="an unknown environment",
        ),
        pytest.param(
            (replace(ALERT, rollback=True),), "alerts.0.rollback", "names none",
            id="a rollback for no objective",
        ),
        pytest.param(
            (replace(ALERT, rollback=True, slo="availability", dependency="queue"),),
            "alerts.0.rollback", "because queue is down", id="a rollback for what is down",
        ),
        pytest.param((ALERT, ALERT), "alerts.1.name", "stands in this list already", id="twice"),
    ],
)  # fmt: skip
def test_an_alert_that_cannot_work_is_named(
    alerts: tuple[AlertRule, ...], path: str, message: str
) -> None:
    [(where, what)] = findings(replace(SHOP, alerts=alerts))
    assert where == path
    assert message in what


@pytest.mark.parametrize(
    ("monitoring", "path", "message"),
    [
        pytest.param(
            Monitoring(Receiver("slipway:80", "/etc/secrets/token")), "monitoring.receiver.address",
            "must be an address", id="an address without http",
        ),
        pytest.param(
            Monitoring(slack=Slack("#a", "slack-url")), "monitoring.slack.url_file",
            "must be an absolute path", id="a secret at a relative path",
        ),
        pytest.param(
            Monitoring(pagerduty=PagerDuty("/etc/am/key", environments=("qa",))),
            "monitoring.pagerduty.environments.0", "qa is no environment", id="nobody's pages",
        ),
        pytest.param(
            Monitoring(panels=(Panel("Load", "sum("),)), "monitoring.panels.0.expr",
            "is no valid PromQL", id="a panel that cannot be drawn",
        ),
    ],
)  # fmt: skip
def test_a_channel_or_panel_that_cannot_work_is_named(
    monitoring: Monitoring, path: str, message: str
) -> None:
    [(where, what)] = findings(replace(SHOP, monitoring=monitoring))
    assert where == path
    assert message in what


def test_what_works_is_silent() -> None:
    assert findings() == []
