from dataclasses import replace
from datetime import timedelta

import promql_parser
import pytest

from infra.monitoring.indicators import bad_ratio, event_count
from infra.monitoring.rules import Rule, rule_groups
from tasks.core.alerts import QUIET
from tasks.core.monitoring import AlertRule
from tasks.core.slos import Availability
from tests.unit.infra.monitoring.application import SHOP

RULES = [rule for group in rule_groups(SHOP, "prod") for rule in group.rules]


def rule(name: str, slo: str | None = None) -> Rule:
    return next(one for one in RULES if one.name == name and one.labels.get("slo") == slo)


@pytest.mark.parametrize("rule", RULES, ids=lambda one: f"{one.name}-{one.labels.get('slo')}")
def test_a_rule_can_be_read_and_says_whose_it_is(rule: Rule) -> None:
    promql_parser.parse(rule.expr)
    assert {name: rule.labels[name] for name in ("application", "environment", "namespace")} == {
        "application": "shop",
        "environment": "prod",
        "namespace": "shop-prod",
    }
    if rule.lasting is not None:
        assert rule.labels["severity"] in {"critical", "warning", QUIET}
        assert rule.annotations["summary"]


def test_the_share_of_bad_events_is_recorded_for_every_window_of_the_table() -> None:
    recorded = [one.name for one in RULES if one.lasting is None and one.labels["slo"] == "latency"]
    assert recorded == [
        "slipway:slo_bad:ratio_rate30m",
        "slipway:slo_bad:ratio_rate6h",
        "slipway:slo_events:increase6h",
        "slipway:slo_bad:ratio_rate72h",
        "slipway:slo_events:increase72h",
        "slipway:slo_bad:ratio_rate5m",
        "slipway:slo_bad:ratio_rate1h",
        "slipway:slo_events:increase1h",
    ]


def test_long_windows_are_not_counted_every_few_seconds() -> None:
    intervals = {group.name: group.interval for group in rule_groups(SHOP, "prod")}
    assert intervals == {
        "shop-prod-availability-long": timedelta(minutes=1),
        "shop-prod-availability": None,
        "shop-prod-latency-long": timedelta(minutes=1),
        "shop-prod-latency": None,
        "shop-prod-paid-long": timedelta(minutes=1),
        "shop-prod-paid": None,
        "shop-prod-alerts": None,
    }


def test_a_fast_burn_fires_by_the_limits_of_the_workbook() -> None:
    expr = rule("ErrorBudgetBurnsFast", "availability").expr
    assert [word for word in expr.split() if word.startswith("0.")] == [
        "0.0144", "0.0144", "0.006", "0.006",
    ]  # fmt: skip


def test_a_minute_of_burning_is_for_the_guard_alone() -> None:
    found = rule("ErrorBudgetBurnsNow", "availability")
    assert (found.labels["severity"], found.labels["rollback"]) == (QUIET, "true")
    assert "ratio_rate1m" in found.expr
    assert "> 0.0144" in found.expr


def test_a_limit_that_nothing_could_exceed_is_left_out() -> None:
    """A tenth of all requests may be slow: 14.4 times that is more than all of them."""
    assert not [one for one in RULES if one.name == "ErrorBudgetBurnsNow" and "latency" in one.expr]
    expr = rule("ErrorBudgetBurnsFast", "latency").expr
    assert "ratio_rate1h" not in expr
    assert "ratio_rate6h" in expr


def test_an_absent_counter_of_failures_is_no_failure_and_no_events_are_no_result() -> None:
    assert rule("slipway:slo_bad:ratio_rate5m", "availability").expr == (
        '(sum(sum(increase(hits{namespace="shop-prod",code=~"5.."}[5m])))'
        ' or 0 * sum(sum(increase(hits{namespace="shop-prod"}[5m]))))\n'
        '/ (sum(sum(increase(hits{namespace="shop-prod"}[5m]))) > 0)'
    )


def test_what_is_slow_is_counted_by_the_bucket_at_the_threshold() -> None:
    assert rule("slipway:slo_bad:ratio_rate1h", "latency").expr == (
        r'1 - sum(rate(hit_seconds_bucket{namespace="shop-prod",le=~"1(\\.0)?"}[1h]))'
        '\n/ (sum(rate(hit_seconds_count{namespace="shop-prod"}[1h])) > 0)'
    )


def test_an_own_alert_of_an_objective_carries_its_name() -> None:
    assert rule("TooLong", "availability").labels == {
        "application": "shop",
        "environment": "prod",
        "namespace": "shop-prod",
        "slo": "availability",
        "severity": "critical",
    }


def test_an_own_alert_says_what_is_down_where_to_look_and_whether_it_may_take_a_release_back() -> (
    None
):
    own = AlertRule(
        "Down", "up == 0", "it is down", dependency="queue", dashboard="http://g", rollback=False
    )
    shop = replace(SHOP, alerts=(own,))
    [found] = [
        one for group in rule_groups(shop, "dev") for one in group.rules if one.name == "Down"
    ]
    assert {name: found.labels[name] for name in ("dependency", "rollback", "severity")} == {
        "dependency": "queue",
        "rollback": "false",
        "severity": "warning",
    }
    assert found.annotations == {"summary": "it is down", "dashboard": "http://g"}


def test_an_own_alert_is_only_where_it_is_meant() -> None:
    names = [one.name for group in rule_groups(SHOP, "dev") for one in group.rules]
    assert ("NoHits" in names, "TooLong" in names) == (True, False)


def test_a_plain_counter_is_counted_where_the_application_runs() -> None:
    assert rule("slipway:slo_bad:ratio_rate5m", "paid").expr == (
        '(sum(sum(increase(paid_total{namespace="shop-prod",ok="no"}[5m])))'
        ' or 0 * sum(sum(increase(paid_total{namespace="shop-prod"}[5m]))))\n'
        '/ (sum(sum(increase(paid_total{namespace="shop-prod"}[5m]))) > 0)'
    )


def test_a_number_over_its_limit_is_a_warning() -> None:
    found = rule("LimitExceeded", "saturation")
    assert found.expr == 'max(queue_length{namespace="shop-prod"}) > 100'
    assert (found.labels["severity"], found.lasting) == ("warning", timedelta(minutes=5))


def test_errors_in_events_and_a_total_per_second_are_brought_to_one_unit() -> None:
    mixed = Availability(99, 'bad{code="500"}', "sum(rate(all[$window]))")
    assert bad_ratio(mixed, "shop", timedelta(minutes=5)).startswith(
        '(sum((sum(increase(bad{namespace="shop",code="500"}[5m]))) / 300)'
    )
    assert "/ 300" not in bad_ratio(
        Availability(99, "sum(rate(bad[$window]))", "sum(rate(all[$window]))"),
        "shop",
        timedelta(minutes=5),
    )


def test_what_is_counted_per_second_is_counted_over_the_whole_window() -> None:
    rates = Availability(99, "sum(rate(bad[$window]))", "sum(rate(all[$window]))")
    assert event_count(rates, "shop", timedelta(hours=1)) == "sum(sum(rate(all[1h]))) * 3600"
