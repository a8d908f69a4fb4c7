from dataclasses import replace

import pytest

from infra.monitoring.manifests import routes_object
from infra.monitoring.routes import Document, alertmanager_config, routes_of
from tasks.core.monitoring import Monitoring
from tests.unit.infra.monitoring.application import SHOP


def channel(name: str) -> Document:
    routes = routes_of(SHOP).route["routes"]
    assert isinstance(routes, list)
    return next(dict(route) for route in routes if route["receiver"] == f"shop-{name}")


@pytest.mark.parametrize(
    ("name", "matchers", "again"),
    [
        pytest.param("rollback", ['slo!=""'], "2m", id="objectives to the receiver"),
        pytest.param(
            "pagerduty", ['severity="critical"', 'environment=~"prod"'], "1h", id="critical pages"
        ),
        pytest.param(
            "slack", ['severity=~"warning|critical"'], "6h", id="what is left to the chat"
        ),
    ],
)
def test_each_kind_of_alert_goes_its_way(name: str, matchers: list[str], again: str) -> None:
    route = channel(name)
    assert (route["matchers"], route["repeat_interval"]) == (matchers, again)


def test_alerts_of_objectives_leave_at_once_one_message_an_environment() -> None:
    route = channel("rollback")
    assert (route["group_wait"], route["group_by"]) == ("0s", ["application", "environment"])
    assert route["continue"] is True


def test_a_critical_alert_that_pages_nobody_is_read_in_the_chat() -> None:
    """Of two routes that fit the first one is taken: that to PagerDuty knows prod alone."""
    routes = routes_of(SHOP).route["routes"]
    assert isinstance(routes, list)
    assert [route["receiver"] for route in routes] == [
        "shop-rollback",
        "shop-pagerduty",
        "shop-slack",
    ]
    assert "continue" not in channel("pagerduty")
    assert "environment" not in str(channel("slack")["matchers"])


def test_who_is_not_named_is_not_told() -> None:
    routes = routes_of(replace(SHOP, monitoring=Monitoring()))
    assert (routes.route["routes"], routes.receivers) == ([], ())


def test_every_route_has_a_receiver() -> None:
    config = alertmanager_config([routes_of(SHOP)])
    receivers, top = config["receivers"], config["route"]
    assert isinstance(receivers, list)
    assert isinstance(top, dict)
    used = {top["receiver"], *(one["receiver"] for one in top["routes"][0]["routes"])}
    assert used == {one["name"] for one in receivers}


def test_in_the_operators_words_a_secret_is_named_by_the_end_of_its_path() -> None:
    spec = routes_object("shop-slipway", "shop-prod", routes_of(SHOP), "prometheus")["spec"]
    assert isinstance(spec, dict)
    by_name = {one["name"]: one for one in spec["receivers"]}
    assert by_name["shop-rollback"]["webhookConfigs"] == [
        {
            "url": "https://slipway.example.com/alertmanager",
            "sendResolved": True,
            "httpConfig": {
                "authorization": {
                    "type": "Bearer",
                    "credentials": {"name": "slipway", "key": "token"},
                }
            },
        }
    ]
    assert by_name["shop-slack"]["slackConfigs"][0]["apiURL"] == {"name": "slipway", "key": "slack"}
    assert spec["route"]["matchers"] == [{"name": "application", "value": "shop", "matchType": "="}]
