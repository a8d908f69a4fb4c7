import json
from typing import Any

import pytest

from infra.webhook.decide import decide
from infra.webhook.github import read_event
from infra.webhook.model import Ignore, Start
from tasks.core.previews import Previews
from tasks.core.triggers import Trigger
from tests.unit.infra.webhook.world import ONE, push, repository

PULLS = Trigger("pull_request")
MAIN = Trigger("pull_request", branches=("main", "release/*"))
DRAFTS = Trigger("pull_request", drafts=True)


def pull(
    action: str = "opened", base: str = "main", home: str | None = "acme/shop", **more: object
) -> dict[str, Any]:
    """Return a pull request as GitHub describes it."""
    repo = {"full_name": home} if home else None
    head = {"ref": "topic", "sha": ONE, "repo": repo}
    described = {"head": head, "base": {"ref": base, "sha": ONE, "repo": repo}, **more}
    return {
        "action": action,
        "number": 7,
        "pull_request": described,
        "repository": push()["repository"],
    }


def decided(payload: dict[str, Any], *triggers: Trigger) -> Start | Ignore:
    event = read_event("pull_request", "d-1", json.dumps(payload).encode())
    return decide(event, repository(*triggers))


@pytest.mark.parametrize("action", ["opened", "reopened", "synchronize", "ready_for_review"])
def test_a_new_head_is_checked(action: str) -> None:
    assert decided(pull(action), PULLS) == Start(
        "check/check",
        "check shop#7",
        {
            "repository": "https://git.example/acme/shop.git",
            "number": 7,
            "commit": ONE,
            "fork": False,
        },
    )


@pytest.mark.parametrize(
    ("home", "fork"),
    [
        pytest.param("acme/shop", False, id="the repository's own branch"),
        pytest.param("eve/shop", True, id="a fork's"),
        pytest.param(None, True, id="of a fork that is gone"),
    ],
)
def test_the_check_knows_whose_code_it_is(home: str | None, *, fork: bool) -> None:
    match decided(pull(home=home), PULLS):
        case Start() as start:
            assert (start.deployment, start.parameters["fork"]) == ("check/check", fork)
        case Ignore(reason):
            pytest.fail(reason)


@pytest.mark.parametrize(
    ("payload", "triggers", "expected"),
    [
        pytest.param(pull(), (), "no trigger fits a pull request to main", id="without any rule"),
        pytest.param(
            pull(),
            (Trigger("push"),),
            "no trigger fits a pull request to main",
            id="rules for other events only",
        ),
        pytest.param(pull(base="release/1"), (MAIN,), "check shop#7", id="a base that fits"),
        pytest.param(
            pull(base="topic"), (MAIN,), "no trigger fits a pull request to topic", id="another"
        ),
        pytest.param(pull(draft=True), (PULLS,), "the pull request is a draft", id="a draft"),
        pytest.param(pull(draft=True), (DRAFTS,), "check shop#7", id="a draft, as configured"),
        pytest.param(
            pull(draft=True),
            (PULLS, DRAFTS),
            "the pull request is a draft",
            id="the first rule that fits",
        ),
        pytest.param(
            pull("closed", merged=True), (PULLS,), "the pull request was closed", id="closed"
        ),
        pytest.param(pull("labeled"), (PULLS,), "the pull request was labeled", id="a label"),
        pytest.param(pull("edited"), (PULLS,), "the pull request was edited", id="another title"),
        pytest.param(
            pull(head={"ref": "x", "sha": "-x"}),
            (PULLS,),
            "'-x' is no commit",
            id="words for git in the place of a commit",
        ),
    ],
)
def test_what_a_pull_request_starts(
    payload: dict[str, Any], triggers: tuple[Trigger, ...], expected: str
) -> None:
    match decided(payload, *triggers):
        case Start() as start:
            assert start.run_name == expected
        case Ignore(reason):
            assert reason == expected


PREVIEWS = Previews("deploy/preview", "shop-pr-{number}")


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        pytest.param(pull(), "preview/preview", id="the repository's own branch is shown"),
        pytest.param(pull("synchronize"), "preview/preview", id="and so is its new head"),
        pytest.param(pull(home="eve/shop"), "check/check", id="a fork is only checked"),
        pytest.param(pull(home=None), "check/check", id="and so is one that is gone"),
        pytest.param(pull("closed"), "remove-preview/remove-preview", id="closed without a merge"),
        pytest.param(
            pull("closed", merged=True), "remove-preview/remove-preview", id="closed by a merge"
        ),
        pytest.param(
            pull("closed", home="eve/shop"), "the pull request was closed", id="a fork had none"
        ),
        pytest.param(pull(draft=True), "the pull request is a draft", id="a draft"),
        pytest.param(
            pull("closed", draft=True, base="topic"),
            "remove-preview/remove-preview",
            id="what is closed goes, whatever the rules say by now",
        ),
    ],
)
def test_what_comes_and_goes_where_previews_are_configured(
    payload: dict[str, Any], expected: str
) -> None:
    event = read_event("pull_request", "d-1", json.dumps(payload).encode())
    match decide(event, repository(MAIN, previews=PREVIEWS)):
        case Start(deployment, name, parameters):
            assert deployment == expected
            assert name == f"{expected.partition('/')[0].replace('-', ' ')} shop#7"
            assert ("application" in parameters) is (expected != "check/check")
            json.dumps(parameters)
        case Ignore(reason):
            assert reason == expected
