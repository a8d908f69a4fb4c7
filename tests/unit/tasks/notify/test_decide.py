from dataclasses import replace

import pytest

from tasks.core.application import Component, LintTarget, TestTarget
from tasks.core.errors import ConfigError, GateClosed, StageFailed, Unavailable
from tasks.core.model import CheckResult, Digest, Image, Outcome, ReleasedImage, ScanResult, Verdict
from tasks.core.record import RolloutState
from tasks.notify.decide import broken_off, end_of, reused, stage_news, stages_of, state_of
from tasks.notify.model import Commit, End, EnvironmentNews, StageNews, State
from tests.unit.tasks.releases import RECORD

COMMIT = Commit("shop", "https://github.com/acme/shop.git", "c" * 40, "Sell more", "Dora", "run-1")
DIGEST = Digest(f"sha256:{'a' * 64}")
PASSED = Verdict(Outcome.PASSED, "nothing blocks")


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        pytest.param(None, End("api", State.ERROR, "not reached"), id="what it needs has failed"),
        pytest.param(
            StageFailed("2 of 9 tests failed\ntest_a\ntest_b", "shop/api", "correct them"),
            End("api", State.FAILURE, "2 of 9 tests failed", ("test_a", "test_b")),
            id="it says no, with the names",
        ),
        pytest.param(
            Unavailable("BuildKit does not answer\ntcp://10.0.0.7:1234", "shop", "slipway lab up"),
            End("api", State.ERROR, "BuildKit does not answer"),
            id="it could not be done, and where is for the log",
        ),
        pytest.param(
            KeyError("a secret"),
            End("api", State.ERROR, "a fault, KeyError"),
            id="a fault of ours is named, not quoted",
        ),
        pytest.param(
            CheckResult("api", "test", "9 tests passed"),
            End("api", State.SUCCESS, "9 tests passed"),
            id="a check passed",
        ),
        pytest.param(
            ScanResult("api", DIGEST, PASSED, ("vulnerabilities: 3 warn",)),
            End("api", State.SUCCESS, "nothing blocks", ("vulnerabilities: 3 warn",)),
            id="a scan passed, with its findings",
        ),
        pytest.param(
            Image("api", DIGEST, DIGEST, "layout", "archive", 45_200_000),
            End("api", State.SUCCESS, "built, 45 MB"),
            id="an image",
        ),
        pytest.param(
            ReleasedImage("api", "r/api", DIGEST),
            End("api", State.SUCCESS, "pushed as sha256:aaaaaaaaaaaa"),
            id="an image in the registry",
        ),
    ],
)
def test_how_a_stage_ended_for_a_component(outcome: object, expected: End) -> None:
    assert end_of("api", outcome) == expected


@pytest.mark.parametrize(
    ("ends", "state", "sentence"),
    [
        pytest.param(
            (reused("web"), End("api", State.SUCCESS, "9 tests passed")),
            State.SUCCESS,
            "web: unchanged, passed before; api: 9 tests passed",
            id="all passed, one of them before",
        ),
        pytest.param(
            (
                End("api", State.SUCCESS, "9 tests passed"),
                End("db", State.ERROR, "not reached"),
                End("web", State.FAILURE, "1 of 2 tests failed"),
            ),
            State.FAILURE,
            "web: 1 of 2 tests failed; db: not reached; api: 9 tests passed",
            id="the worst stands first",
        ),
    ],
)
def test_a_stage_is_told_once_for_all_components(
    ends: tuple[End, ...], state: State, sentence: str
) -> None:
    assert stage_news(COMMIT, "test", ends) == StageNews(COMMIT, "test", state, sentence)


def test_findings_can_neither_end_their_block_nor_go_on_for_ever() -> None:
    lines = ("```", "# Approved", *("x" for _ in range(100)))
    news = stage_news(COMMIT, "lint", (End("api", State.FAILURE, "lint says no", lines),))
    assert news.page.startswith("**api**\n\n````\n```\n# Approved\nx")
    assert news.page.endswith("… and 62 more lines in the run\n````")


@pytest.mark.parametrize(
    ("component", "expected"),
    [
        pytest.param(Component("api"), ("build", "smoke", "scan", "push"), id="no checks"),
        pytest.param(
            Component("api", lint=LintTarget(), test=TestTarget()),
            ("lint", "test", "build", "smoke", "scan", "push"),
            id="both checks",
        ),
    ],
)
def test_the_stages_of_a_component(component: Component, expected: tuple[str, ...]) -> None:
    assert stages_of(component) == expected


def test_every_state_of_a_record_is_told() -> None:
    told = {state: state_of(replace(RECORD, state=state)) for state in RolloutState}
    assert told == {
        RolloutState.STARTED: State.WAITING,
        RolloutState.SUCCEEDED: State.SUCCESS,
        RolloutState.RESTORED: State.FAILURE,
        RolloutState.FAILED: State.FAILURE,
        RolloutState.SUPERSEDED: State.INACTIVE,
    }


@pytest.mark.parametrize(
    ("error", "state", "sentence"),
    [
        pytest.param(
            GateClosed("ana said no"), State.FAILURE, "ana said no", id="a person says no"
        ),
        pytest.param(StageFailed("2 failed\nx"), State.FAILURE, "2 failed", id="a stage says no"),
        pytest.param(ConfigError("no such file"), State.ERROR, "no such file", id="a mistake"),
        pytest.param(ValueError("s3cret"), State.ERROR, "a fault, ValueError", id="a fault"),
    ],
)
def test_what_will_not_come_any_more_is_told(error: Exception, state: State, sentence: str) -> None:
    waiting = EnvironmentNews(COMMIT, "prod", "r-1", State.WAITING, "waits", "https://x", "# Plan")
    expected = EnvironmentNews(COMMIT, "prod", "r-1", state, sentence, "https://x")
    assert broken_off(waiting, error) == expected
