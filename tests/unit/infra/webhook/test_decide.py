import json
from datetime import UTC, datetime
from typing import Any

import pytest

from infra.webhook.alertmanager import read_alerts
from infra.webhook.decide import decide
from infra.webhook.github import read_event
from infra.webhook.model import Ignore, Start
from tasks.core.triggers import Trigger
from tasks.notify import Commit, EnvironmentNews, State
from tasks.notify.github_messages import deployment as deployment_of
from tests.unit.infra.webhook.world import ONE, TWO, ZERO, alert, push, repository

REPOSITORY = push()["repository"]
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
TAG = "refs/tags/v1.2"


def commit(message: str) -> dict[str, Any]:
    head = {"id": ONE, "message": message}
    return push(head_commit=head, commits=[head])


def decided(name: str, payload: dict[str, Any], *triggers: Trigger) -> str:
    """Say in one line what an event starts."""
    event = read_event(name, "d-1", json.dumps(payload).encode())
    match decide(event, repository(*triggers)):
        case Start() as start:
            return f"{start.parameters['revision']} until {start.parameters['until']}"
        case Ignore(reason):
            return reason


ALL = f"{ONE} until None"


@pytest.mark.parametrize(
    ("payload", "triggers", "expected"),
    [
        pytest.param(push(), (), ALL, id="the default branch, without any rule"),
        pytest.param(
            push(ref="refs/heads/topic"),
            (),
            "no trigger fits a push to refs/heads/topic",
            id="another branch, without any rule",
        ),
        pytest.param(push(ref=TAG), (), f"no trigger fits a push to {TAG}", id="a tag likewise"),
        pytest.param(
            push(ref="refs/heads/release/1.2"),
            (Trigger("push", branches=("release/*",), until="staging"),),
            f"{ONE} until staging",
            id="a pattern of branches",
        ),
        pytest.param(
            push(ref="refs/heads/release/1/2"),
            (Trigger("push", branches=("release/*",)),),
            "no trigger fits a push to refs/heads/release/1/2",
            id="one star stops at a slash",
        ),
        pytest.param(
            push(ref="refs/heads/release/1/2"),
            (Trigger("push", branches=("release/**",)),),
            ALL,
            id="two stars do not",
        ),
        pytest.param(
            push(TWO, TAG, head_commit={"id": ONE}),
            (Trigger("push", tags=("v*",)),),
            ALL,
            id="an annotated tag counts for its commit",
        ),
        pytest.param(
            push(),
            (Trigger("push", tags=("v*",)),),
            "no trigger fits a push to refs/heads/main",
            id="a rule for tags leaves branches alone",
        ),
        pytest.param(
            push(after=ZERO, deleted=True, head_commit=None),
            (),
            "refs/heads/main was deleted",
            id="a deletion",
        ),
        pytest.param(push(forced=True), (), ALL, id="a forced push delivers the new head"),
        pytest.param(
            commit("Words\n\n[skip ci]"), (), "the commit's message says [skip ci]", id="skip words"
        ),
        pytest.param(
            commit("Words\n\nskip-checks: true"),
            (),
            "the commit's message says skip-checks: true",
            id="the trailer of GitHub",
        ),
        pytest.param(push(), (Trigger("push", paths=("api/**",)),), ALL, id="a path it touches"),
        pytest.param(
            push(),
            (Trigger("push", paths=("docs/**",)),),
            "no trigger fits a push to refs/heads/main",
            id="a path it does not touch",
        ),
        pytest.param(
            push(forced=True),
            (Trigger("push", paths=("docs/**",)),),
            ALL,
            id="paths that nobody knows are no reason to leave it",
        ),
        pytest.param(
            push(commits=[]), (Trigger("push", paths=("docs/**",)),), ALL, id="no commits named"
        ),
        pytest.param(
            push(),
            (Trigger("push", until="dev"), Trigger("push", until="prod")),
            f"{ONE} until dev",
            id="the first rule that fits",
        ),
        pytest.param(
            push(),
            (Trigger("release"),),
            "no trigger fits a push to refs/heads/main",
            id="rules for other events only",
        ),
        pytest.param(
            push("--upload-pack=x", head_commit=None),
            (),
            "'--upload-pack=x' is no commit and no tag",
            id="words for git in the place of a commit",
        ),
    ],
)
def test_what_a_push_starts(
    payload: dict[str, Any], triggers: tuple[Trigger, ...], expected: str
) -> None:
    assert decided("push", payload, *triggers) == expected


def release(action: str = "published", tag: str = "v1", **more: bool) -> dict[str, Any]:
    found = {"id": 7, "tag_name": tag, "draft": False, **more}
    return {"action": action, "release": found, "repository": REPOSITORY}


def workflow(home: str = "acme/shop", **changed: object) -> dict[str, Any]:
    run = {
        "id": 8,
        "name": "ci",
        "conclusion": "success",
        "head_branch": "main",
        "head_sha": ONE,
        "head_repository": {"full_name": home},
        **changed,
    }
    return {"action": "completed", "workflow_run": run, "repository": REPOSITORY}


def deployment(environment: str, action: str = "created") -> dict[str, Any]:
    asked = {"id": 9, "sha": ONE, "environment": environment}
    return {"action": action, "deployment": asked, "repository": REPOSITORY}


def proposed(**changed: str) -> dict[str, Any]:
    told = deployment("dev")
    return {**told, "deployment": {**told["deployment"], **changed}}


OF_A_PULL_REQUEST = "the deployment is of a pull request's code"
RELEASES, RUNS = Trigger("release", tags=("v*",)), Trigger("workflow_run", workflows=("ci",))
ASKED = Trigger("deployment", until="staging")
ANY_RELEASE, EARLY = Trigger("release"), Trigger("release", until="dev", prereleases=True)
NOT_OUT = "the release is a draft or was {}, not published"


@pytest.mark.parametrize(
    ("name", "payload", "trigger", "expected"),
    [
        ("release", release(), RELEASES, "refs/tags/v1 until None"),
        ("release", release(), Trigger("push"), "no trigger fits the release v1"),
        ("release", release(tag="x"), RELEASES, "no trigger fits the release x"),
        (
            "release",
            release(tag="@acme/web@1.4.0"),
            ANY_RELEASE,
            "refs/tags/@acme/web@1.4.0 until None",
        ),
        ("release", release("created"), RELEASES, NOT_OUT.format("created")),
        ("release", release(draft=True), RELEASES, NOT_OUT.format("published")),
        ("release", release(prerelease=True), RELEASES, "no trigger fits the pre-release v1"),
        ("release", release(prerelease=True), EARLY, "refs/tags/v1 until dev"),
        ("release", release("released"), RELEASES, "refs/tags/v1 until None"),
        ("release", release(tag="v1 ^x"), RELEASES, "'refs/tags/v1 ^x' is no commit and no tag"),
        ("workflow_run", workflow(), RUNS, ALL),
        ("workflow_run", workflow("eve/shop"), RUNS, "the workflow ran on the code of a fork"),
        (
            "workflow_run",
            workflow(conclusion="failure"),
            RUNS,
            "the workflow is failure, not a success",
        ),
        (
            "workflow_run",
            workflow(head_branch="proposed"),
            RUNS,
            "no trigger fits the workflow ci on proposed",
        ),
        (
            "workflow_run",
            workflow(head_branch="v1"),
            Trigger("workflow_run", branches=("v*",)),
            ALL,
        ),
        (
            "workflow_run",
            {**workflow(), "repository": {**REPOSITORY, "default_branch": "trunk"}},
            RUNS,
            "no trigger fits the workflow ci on main",
        ),
        ("workflow_run", workflow(name="x"), RUNS, "no trigger fits the workflow x on main"),
        ("deployment", deployment("dev"), ASKED, f"{ONE} until dev"),
        ("deployment", deployment("prod"), ASKED, "no trigger fits a deployment to prod"),
        ("deployment", deployment("moon"), ASKED, "moon is no environment of the application"),
        (
            "deployment",
            deployment("dev", "edited"),
            ASKED,
            "the deployment was edited, not created",
        ),
        ("deployment", proposed(ref="refs/pull/9/merge"), ASKED, OF_A_PULL_REQUEST),
        (
            "deployment",
            {**deployment("dev"), "workflow_run": {"event": "pull_request_target"}},
            ASKED,
            OF_A_PULL_REQUEST,
        ),
        (
            "deployment",
            {
                **deployment("dev"),
                "workflow_run": {"event": "push", "head_repository": {"full_name": "mallory/shop"}},
            },
            ASKED,
            OF_A_PULL_REQUEST,
        ),
        (
            "deployment",
            {**deployment("dev"), "workflow_run": {"event": "push"}},
            ASKED,
            OF_A_PULL_REQUEST,
        ),
        (
            "deployment",
            {**deployment("dev"), "deployment_status": {"state": "success"}},
            ASKED,
            OF_A_PULL_REQUEST,
        ),
        (
            "ping",
            {"zen": "Design for failure.", "hook_id": 1},
            ASKED,
            "the connection works",
        ),
        ("issues", {"action": "opened", "repository": REPOSITORY}, ASKED, None),
        ("star", {"starred_at": None}, ASKED, None),
    ],
)
def test_what_other_events_start(
    name: str, payload: dict[str, Any], trigger: Trigger, expected: str | None
) -> None:
    assert decided(name, payload, trigger) == (expected or "Slipway does nothing for such an event")


def test_a_deployment_by_which_slipway_tells_what_it_does_starts_nothing() -> None:
    about = Commit("shop", "https://github.com/acme/shop", ONE, "Sell more", "Dora", "run-1")
    told = deployment_of(EnvironmentNews(about, "dev", "r-1", State.IN_PROGRESS))
    payload = deployment("dev")
    payload["deployment"] |= told
    assert decided("deployment", payload, ASKED) == (
        "Slipway made the deployment itself, to tell of what it does"
    )
    payload["deployment"] |= {"task": "deploy"}
    assert decided("deployment", payload, ASKED) == f"{ONE} until dev"


def test_a_repository_that_nobody_registered_starts_nothing() -> None:
    event = read_event("push", "d-1", json.dumps(push()).encode())
    assert decide(event, None) == Ignore("acme/shop is not registered: slipway apply PATH")


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        pytest.param(
            alert(slo="availability", severity="critical"),
            "guard prod/shop",
            id="an objective burns",
        ),
        pytest.param(
            alert(slo="availability", severity="critical", status="resolved"),
            "no alert that may take a release back is firing",
            id="no longer",
        ),
        pytest.param(
            alert(severity="critical"),
            "no alert that may take a release back is firing",
            id="of no objective",
        ),
        pytest.param(
            alert(slo="availability", severity="warning"),
            "no alert that may take a release back is firing",
            id="a warning is for people",
        ),
        pytest.param(
            alert(slo="availability", severity="critical", environment="moon"),
            "moon is no environment of shop",
            id="an environment that is none",
        ),
    ],
)
def test_what_alerts_start(message: dict[str, Any], expected: str) -> None:
    (event,) = read_alerts(json.dumps(message).encode(), NOON)
    match decide(event, repository()):
        case Start(deployment, name, parameters):
            assert (deployment, name) == ("guard/guard", expected)
            assert (parameters["namespace"], parameters["context"]) == ("shop-prod", None)
            assert parameters["prometheus"] == "http://prometheus.example"
            json.dumps(parameters)
        case Ignore(reason):
            assert reason == expected
