"""News on their way to GitHub, as its own process hears them."""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from tasks.core.errors import ConfigError, Unavailable
from tasks.core.github import github
from tasks.core.github_login import Login
from tasks.notify.github import GitHubHerald
from tasks.notify.model import Commit, EnvironmentNews, News, RunNews, StageNews, State
from tests.stand_ins.github import StandIn

ONE, TWO = "1" * 40, "2" * 40


def commit(hub: StandIn, run: str = "run-1") -> Commit:
    link = "http://prefect.example/runs/1"
    return Commit("shop", hub.address, ONE, "Sell more", "Dora", run, link)


def prod(
    hub: StandIn, state: State, sentence: str = "", *, run: str = "run-1", page: str = ""
) -> EnvironmentNews:
    url = "https://shop.example"
    return EnvironmentNews(commit(hub, run=run), "prod", "r-1", state, sentence, url, page)


def tell(hub: StandIn, *news: News, login: Login | None = None) -> None:
    with github(login or hub.login()) as client:
        GitHubHerald(client).tell(news)


def said(found: Sequence[Any], *names: str) -> list[tuple[Any, ...]]:
    return [tuple(each[name] for name in names) for each in found]


def test_a_stage_becomes_a_status_of_the_commit(hub: StandIn) -> None:
    about = commit(hub)
    long = StageNews(about, "lint", State.FAILURE, f"no\nsuch\u202e thing {'x' * 200}")
    tell(hub, StageNews(about, "test", State.PENDING), long)
    statuses = hub.world["statuses"]
    assert said(statuses, "sha", "context", "state", "target_url") == [
        (ONE, "slipway/test", "pending", about.link),
        (ONE, "slipway/lint", "failure", about.link),
    ]
    assert statuses[1]["description"].startswith("no such thing xxx")
    assert len(statuses[1]["description"]) == 140


def test_a_release_in_an_environment_becomes_a_deployment_with_its_states(hub: StandIn) -> None:
    for state in (State.WAITING, State.IN_PROGRESS, State.SUCCESS):
        tell(hub, prod(hub, state, f"it is {state}"))
    [deployment] = hub.world["deployments"]
    assert deployment["auto_merge"] is False
    assert deployment["required_contexts"] == []
    assert (deployment["ref"], deployment["environment"], deployment["task"]) == (
        ONE,
        "prod",
        "slipway",
    )
    statuses = hub.world["deployment_statuses"]
    assert said(statuses, "state", "description", "environment_url") == [
        ("pending", "it is waiting", "https://shop.example"),
        ("in_progress", "it is in progress", "https://shop.example"),
        ("success", "it is success", "https://shop.example"),
    ]


def test_what_a_killed_run_tells_again_is_there_once(hub: StandIn) -> None:
    for _ in range(2):
        tell(hub, prod(hub, State.IN_PROGRESS, "rolling out"))
    assert len(hub.world["deployments"]) == len(hub.world["deployment_statuses"]) == 1


def test_another_run_is_another_deployment(hub: StandIn) -> None:
    for run in ("run-1", "run-2"):
        tell(hub, prod(hub, State.SUCCESS, "ready", run=run))
    assert len(hub.world["deployments"]) == 2


def test_what_a_run_has_left_open_is_closed_and_nothing_else(hub: StandIn) -> None:
    hub.knows(pulls={ONE: [{"number": 7, "head": ONE}]})
    mine, other = commit(hub), replace(commit(hub, "run-2"), link="http://prefect.example/runs/2")
    tell(hub, StageNews(mine, "lint", State.SUCCESS), StageNews(mine, "scan", State.PENDING))
    tell(hub, StageNews(other, "test", State.PENDING), prod(hub, State.WAITING, run="run-2"))
    tell(hub, prod(hub, State.WAITING), replace(prod(hub, State.SUCCESS), environment="dev"))
    before = len(hub.world["statuses"]), len(hub.world["deployment_statuses"])
    ended = RunNews(replace(mine, name=""), "prod", "cancelled by a person")
    for _ in range(2):
        tell(hub, ended)
    statuses, deployments = hub.world["statuses"], hub.world["deployment_statuses"]
    assert said(statuses[before[0] :], "context", "state", "description") == [
        ("slipway/scan", "error", "cancelled by a person")
    ]
    assert said(deployments[before[1] :], "deployment_id", "state", "description") == [
        (2, "inactive", "cancelled by a person")
    ]
    [comment] = hub.world["comments"]
    assert "#### ○ prod: inactive" in comment["body"]


def test_a_run_that_ended_before_its_first_rollout_has_its_stages_closed(hub: StandIn) -> None:
    tell(hub, StageNews(commit(hub), "build", State.PENDING))
    tell(hub, RunNews(commit(hub), "prod", "cancelled by a person"))
    assert said(hub.world["statuses"], "context", "state") == [
        ("slipway/build", "pending"),
        ("slipway/build", "error"),
    ]


def test_a_payload_that_github_gives_back_as_text_is_known_again(hub: StandIn) -> None:
    tell(hub, prod(hub, State.IN_PROGRESS))
    [made] = hub.world["deployments"]
    hub.knows(deployments=[{**made, "payload": json.dumps(made["payload"])}])
    tell(hub, prod(hub, State.SUCCESS))
    assert len(hub.world["deployments"]) == 1


def test_a_deployment_whose_answer_got_lost_is_not_made_twice(hub: StandIn) -> None:
    hub.fails("POST .*/deployments$", 502, afterwards=True)
    tell(hub, prod(hub, State.IN_PROGRESS))
    assert len(hub.world["deployments"]) == 1
    assert len(hub.world["deployment_statuses"]) == 1


def test_a_pull_request_has_one_comment_which_is_updated_in_place(hub: StandIn) -> None:
    hub.knows(pulls={ONE: [{"number": 7, "head": ONE}]})
    scan = StageNews(commit(hub), "scan", State.SUCCESS, "nothing blocks", "- api: 3 warn")
    tell(hub, scan)
    [first] = hub.world["comments"]
    tell(hub, prod(hub, State.WAITING, "waits for an approval", page="## the plan"))
    tell(hub, prod(hub, State.SUCCESS, "ready, probes passed: 4"))
    [comment] = hub.world["comments"]
    assert comment["id"] == first["id"]
    assert comment["issue"] == 7
    body = comment["body"]
    assert "| ✓ | scan | nothing blocks" in body
    assert "- api: 3 warn" in body
    assert "#### ✓ prod: success" in body
    assert "ready, probes passed: 4" in body
    assert "## the plan" in body
    assert "waits for an approval" not in body


def test_what_passes_is_no_reason_to_write_to_people(hub: StandIn) -> None:
    hub.knows(pulls={ONE: [{"number": 7, "head": ONE}]})
    tell(hub, StageNews(commit(hub), "lint", State.SUCCESS, "no problems"))
    assert hub.world["comments"] == []
    assert not [each for each in hub.heard() if "pulls" in each]


@pytest.mark.parametrize(
    ("pull", "comments"),
    [
        pytest.param({"number": 7, "head": ONE}, 1, id="its newest commit"),
        pytest.param({"number": 7, "head": TWO, "merge": ONE}, 1, id="its merge"),
        pytest.param({"number": 7, "head": TWO}, 0, id="an older commit of it"),
    ],
)
def test_which_pull_requests_hear_of_a_commit(
    hub: StandIn, pull: dict[str, Any], comments: int
) -> None:
    hub.knows(pulls={ONE: [pull]})
    tell(hub, prod(hub, State.SUCCESS, "ready"))
    assert len(hub.world["comments"]) == comments


def test_a_comment_that_somebody_else_has_marked_as_ours_is_left_alone(hub: StandIn) -> None:
    hub.knows(pulls={ONE: [{"number": 7, "head": ONE}]})
    tell(hub, prod(hub, State.IN_PROGRESS, "rolling out"))
    [ours] = hub.world["comments"]
    forged = {**ours, "user": {"login": "mallory"}, "id": 1}
    others = [{**forged, "id": n, "body": "hm"} for n in range(2, 150)]
    hub.knows(comments=[forged, *others, {**ours, "id": 150}])
    tell(hub, prod(hub, State.SUCCESS, "ready"))
    comments = {each["id"]: each["body"] for each in hub.world["comments"]}
    assert len(comments) == 150
    assert "rolling out" in comments[1]
    assert "prod: success" in comments[150]


def test_an_app_tells_with_a_token_for_the_repository_which_it_gets_once(hub: StandIn) -> None:
    hub.knows(pulls={ONE: [{"number": 7, "head": ONE}]})
    login = hub.app_login()
    tell(hub, prod(hub, State.IN_PROGRESS, "rolling out"), login=login)
    tell(hub, prod(hub, State.SUCCESS, "ready"), login=login)
    heard = hub.heard()
    assert len([each for each in heard if each.endswith("/access_tokens")]) == 1
    [comment] = hub.world["comments"]
    assert comment["user"]["login"] == "octoapp[bot]"


def test_a_missing_permission_keeps_nothing_else_from_being_told(hub: StandIn) -> None:
    permission = {"x-accepted-github-permissions": "deployments=write"}
    hub.fails("POST .*/deployments$", 403, headers=permission, message="Resource not accessible")
    with pytest.raises(ConfigError, match="give it the permission: deployments=write") as caught:
        tell(hub, prod(hub, State.SUCCESS), StageNews(commit(hub), "lint", State.SUCCESS, "good"))
    assert "github_pat" not in str(caught.value)
    assert said(hub.world["statuses"], "context") == [("slipway/lint",)]


def test_github_being_away_is_said_without_the_token(hub: StandIn) -> None:
    hub.fails("statuses", 503, times=99)
    with pytest.raises(Unavailable, match=r"GitHub acme/shop: .*HTTP 503") as caught:
        tell(hub, StageNews(commit(hub), "lint", State.SUCCESS))
    assert "github_pat" not in str(caught.value)


def test_a_commit_from_elsewhere_is_told_to_nobody(hub: StandIn) -> None:
    elsewhere = replace(commit(hub), repository="https://git.example/acme/shop.git")
    tell(hub, StageNews(elsewhere, "lint", State.SUCCESS))
    assert hub.heard() == []
