import json
from typing import Any

import promql_parser
import pytest

from infra.monitoring.bundle import manifests, plain_files
from infra.monitoring.dashboards import dashboards
from tests.unit.infra.monitoring.application import SHOP

PAGES = {name: json.loads(text) for name, text in dashboards(SHOP).items()}


def panels(page: str) -> dict[str, Any]:
    return {panel["title"]: panel for panel in PAGES[f"shop-{page}.json"]["panels"]}


@pytest.mark.parametrize("name", PAGES)
def test_a_dashboard_has_a_name_of_its_own_and_no_overlap(name: str) -> None:
    assert len({page["uid"] for page in PAGES.values()}) == len(PAGES)
    places = [panel["gridPos"] for panel in PAGES[name]["panels"]]
    taken = {
        (column, row)
        for place in places
        for column in range(place["x"], place["x"] + place["w"])
        for row in range(place["y"], place["y"] + place["h"])
    }
    assert len(taken) == sum(place["w"] * place["h"] for place in places)


@pytest.mark.parametrize("name", PAGES)
def test_every_query_is_about_the_chosen_environment(name: str) -> None:
    for panel in PAGES[name]["panels"]:
        targets = panel.get("targets") or []
        assert all("$namespace" in target["expr"] for target in targets)
        assert len({target["refId"] for target in targets}) == len(targets)


def test_an_own_panel_is_red_from_its_limit_on() -> None:
    fields = panels("health")["Hits"]["fieldConfig"]["defaults"]
    assert fields["unit"] == "percentunit"
    assert [step["value"] for step in fields["thresholds"]["steps"]] == [None, 0.5]


def test_the_budget_is_the_limit_of_an_objective() -> None:
    panel = panels("health")["availability: bad events, objective 99.9 %"]
    steps = panel["fieldConfig"]["defaults"]["thresholds"]["steps"]
    assert steps[1]["value"] == pytest.approx(0.001)


def test_stable_and_canary_stand_in_one_graph() -> None:
    targets = panels("rollouts")["availability: bad events"]["targets"]
    assert [target["legendFormat"] for target in targets] == ["stable", "canary"]
    assert ['pod!~".+-canary-' in target["expr"] for target in targets] == [True, False]
    assert ['pod=~".+-canary-' in target["expr"] for target in targets] == [False, True]


def test_rollouts_are_marked_where_they_began_and_ended() -> None:
    for page in ("health", "rollouts"):
        marks = PAGES[f"shop-{page}.json"]["annotations"]["list"]
        assert [each["name"] for each in marks] == [
            "a rollout began", "a rollout succeeded", "a release was taken back, or failed",
        ]  # fmt: skip
        for mark in marks:
            assert "$namespace" in mark["expr"]
            promql_parser.parse(mark["expr"])


def test_the_canarys_share_of_the_traffic_is_shown() -> None:
    [target] = panels("rollouts")["Share that the canary answers"]["targets"]
    promql_parser.parse(target["expr"])
    assert 'pod=~".+-canary-' in target["expr"]


def test_an_environment_is_chosen_by_its_name() -> None:
    variables = PAGES["shop-health.json"]["templating"]["list"]
    assert variables[1]["query"] == "dev : shop-dev,prod : shop-prod"


def test_everything_is_in_both_kinds_of_files() -> None:
    assert sorted(plain_files(SHOP)) == [
        "alertmanager.yml",
        "dashboards/shop-dora.json",
        "dashboards/shop-health.json",
        "dashboards/shop-rollouts.json",
        "rules/shop.dev.yaml",
        "rules/shop.prod.yaml",
    ]
    assert sorted(manifests(SHOP, "prometheus")) == ["dashboards.yaml", "dev.yaml", "prod.yaml"]
