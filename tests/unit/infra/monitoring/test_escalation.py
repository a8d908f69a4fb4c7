"""MyFin's runbook: above 2 % page, above 5 % incident, longer than an hour the release goes back.

From its own slipway.yaml, through the rules and routes that come out of it, to the guard's answer.
"""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from infra.examples import EXAMPLES
from infra.monitoring.panels import begin
from infra.monitoring.routes import routes_of
from infra.monitoring.rules import Rule, rule_groups
from tasks.core.alerts import Alert
from tasks.core.config import load
from tasks.core.past import Past
from tasks.guard.decide import breaches, judge
from tasks.guard.model import Answer, Case, Evidence, Judgement, Seen
from tests.unit.tasks.guard.test_decide import FIRST, LIVE, MINUTE
from tests.unit.tasks.releases import NOON

MYFIN = load(EXAMPLES / "myfin")
PROD = MYFIN.environments["prod"]
RULES = [
    rule for group in rule_groups(MYFIN, "prod") for rule in group.rules if rule.lasting is not None
]
PAST = Past(
    records=(LIVE, FIRST),
    live=2,
    goal=1,
    bad=(),
    rules=PROD.rollback,
    approval=PROD.approval,
    slos=MYFIN.slos,
)
"""Rollout 2 ended at 12:05."""


def rule(name: str) -> Rule:
    return next(each for each in RULES if each.name == name)


def fired(name: str, began: datetime) -> Alert:
    """Return the alert as Prometheus sends it when its query has had a result for long enough."""
    found = rule(name)
    lasting = found.lasting or timedelta(0)
    return Alert(name, True, began + lasting, found.labels, found.annotations["summary"])  # noqa: FBT003


def judged(*alerts: Alert, evidence: Evidence | None = None) -> Judgement:
    """Say what the guard answers half a minute after the newest of the alerts."""
    cases = tuple(Case(each, evidence or Evidence()) for each in breaches(alerts))
    now = max(each.started_at for each in alerts) + MINUTE / 2
    return judge(Seen(now, PAST, cases))


@pytest.mark.parametrize(
    ("name", "over", "lasting"),
    [
        ("HighErrorRate", "> 0.005", timedelta(minutes=5)),
        ("ErrorRatePage", "> 0.02", timedelta(0)),
        ("ErrorRateIncident", "> 0.05", timedelta(0)),
        ("ErrorsForAnHour", "> 0.005", timedelta(hours=1)),
    ],
)
def test_the_escalation_has_the_limits_of_the_runbook(
    name: str, over: str, lasting: timedelta
) -> None:
    found = rule(name)
    assert found.expr.endswith(over)
    assert (found.lasting, found.labels["severity"]) == (lasting, "critical")


def test_more_than_two_and_five_per_cent_page_and_take_nothing_back() -> None:
    alerts = [fired(name, NOON + 6 * MINUTE) for name in ("ErrorRatePage", "ErrorRateIncident")]
    assert judged(*alerts).answer is Answer.IGNORE
    routes = routes_of(MYFIN).route["routes"]
    assert isinstance(routes, list)
    pager = next(each for each in routes if each["receiver"] == "myfin-pagerduty")
    assert pager["matchers"] == ['severity="critical"', 'environment=~"prod"']


def test_errors_for_an_hour_take_the_release_back() -> None:
    judgement = judged(fired("ErrorsForAnHour", NOON + 6 * MINUTE))
    assert judgement.answer is Answer.ROLL_BACK, judgement.reason
    assert judgement.reason.startswith(
        "ErrorsForAnHour began 1h6m after rollout 2: MyFin API error"
    )


def test_errors_for_an_hour_that_the_release_before_made_as_well_only_page() -> None:
    as_bad = Evidence(bad_since=0.011, bad_before=0.009)
    judgement = judged(fired("ErrorsForAnHour", NOON + 6 * MINUTE), evidence=as_bad)
    assert (judgement.answer, judgement.reason) == (
        Answer.PAGE,
        "the release before it was just as bad",
    )


def test_a_fast_burn_takes_the_release_back_without_waiting_for_the_hour() -> None:
    slow, fast = (
        fired("ErrorsForAnHour", NOON - 61 * MINUTE),
        fired("ErrorBudgetBurnsFast", LIVE.started_at + 7 * MINUTE),
    )
    assert judged(slow, fast).answer is Answer.ROLL_BACK
    assert judged(slow).answer is Answer.PAGE


def test_warnings_take_nothing_back() -> None:
    warnings = [each.name for each in RULES if each.labels["severity"] == "warning"]
    assert {"HighLatency", "LimitExceeded", "ErrorBudgetBurnsSlowly"} <= set(warnings)
    assert judged(*(fired(name, NOON + 6 * MINUTE) for name in warnings)).answer is Answer.IGNORE


def test_no_release_is_to_blame_while_the_database_is_down() -> None:
    assert rule("DatabaseDown").labels["dependency"] == "database"
    down = Evidence(dependencies=("database",))
    judgement = judged(fired("ErrorBudgetBurnsFast", NOON + 7 * MINUTE), evidence=down)
    assert (judgement.answer, judgement.reason) == (Answer.PAGE, "database is down")


def test_the_latencys_alert_leads_to_the_dashboard_that_comes_with_it() -> None:
    uid = begin(MYFIN, "Application Health", "now-6h").build().uid
    assert rule("HighLatency").annotations["dashboard"] == f"http://grafana:3000/d/{uid}"


def test_the_guard_reads_these_labels_after_alertmanager_has_sent_them() -> None:
    alert = fired("ErrorsForAnHour", NOON)
    assert breaches((replace(alert, firing=False),)) == ()
    assert breaches((alert,)) == (alert,)
