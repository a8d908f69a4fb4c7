"""Checking pull requests of a real repository, with Trivy and kustomize, and a buildx stand-in."""

from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import State
from prefect.states import Running, Scheduled

from flows.check import check
from tasks.notify.model import RunNews
from tasks.notify.ports import Channel
from tests.unit.flows.pull_world import FILES, Pulls, pulls
from tests.unit.flows.test_telling_questions import Listener

OLDER = "0" * 39 + "1"


@pytest.fixture
def proposed(
    prefect: None,  # noqa: ARG001 the server comes first
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Pulls]:
    monkeypatch.setenv("SLIPWAY_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("SLIPWAY_INSTANCE", "unit")
    with pulls(tmp_path) as found:
        yield found


def checked(pulls: Pulls, commit: str, *, fork: bool = True) -> State[tuple[str, ...]]:
    return check(pulls.repository, 7, commit, pulls.workshop, fork=fork, return_state=True)


def created(pulls: Pulls, number: int, state: State) -> UUID:
    """Let Prefect know a run that another process is at."""
    parameters = {"repository": pulls.repository, "number": number, "commit": OLDER}
    with get_client(sync_client=True) as client:
        return client.create_flow_run(check, parameters=parameters, state=state).id


def state_of(run: UUID) -> str | None:
    with get_client(sync_client=True) as client:
        return client.read_flow_run(run).state_name


def test_a_pull_request_is_checked_with_nobodys_account_and_a_cache_of_its_own(
    proposed: Pulls, tmp_path: Path
) -> None:
    state = checked(proposed, proposed.given_head(7, FILES))
    assert state.result() == ("api", "web")
    builds = proposed.builds()
    assert sorted(words[words.index("--target") + 1] for words, _ in builds) == [
        "lint",
        "runtime",
        "runtime",
    ]
    for words, config in builds:
        assert not {"--cache-to", "--cache-from", "--push"} & set(words)
        assert not any("type=registry" in word for word in words)
        assert any(word.startswith("BUILDKIT_CACHE_MOUNT_NS=pull-") for word in words)
        assert config is not None
        assert not list(Path(config).iterdir())
    assert list(tmp_path.rglob("checked/*.json"))
    assert not list(tmp_path.rglob("delivered/*.json"))


def test_what_has_not_changed_is_not_checked_again(proposed: Pulls) -> None:
    checked(proposed, proposed.given_head(7, FILES)).result()
    before = len(proposed.builds())
    changed = {"web/Dockerfile": FILES["web/Dockerfile"] + "LABEL a=b\n"}
    assert checked(proposed, proposed.given_head(7, changed)).result() == ("web",)
    assert len(proposed.builds()) == before + 1


def test_a_linter_that_finds_something_fails_the_check(proposed: Pulls) -> None:
    proposed.given_lint_fails()
    state = checked(proposed, proposed.given_head(7, FILES))
    assert state.is_failed()
    assert "lint found problems" in str(state.message)


def test_a_head_that_has_moved_on_is_not_checked(proposed: Pulls) -> None:
    old = proposed.given_head(7, FILES)
    proposed.given_head(7, {})
    state = checked(proposed, old)
    assert "is superseded" in str(state.message)
    assert proposed.builds() == []


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        pytest.param(
            {"api/Dockerfile": "# syntax=evil.example/frontend\n" + FILES["api/Dockerfile"]},
            "names the frontend evil.example/frontend",
            id="a frontend that could write into anybody's cache",
        ),
        pytest.param(
            {"deploy/dev/kustomization.yaml": "resources: ['https://github.com/acme/secret']\n"},
            "the overlay cannot be rendered",
            id="an overlay that lies elsewhere",
        ),
    ],
)
def test_what_would_reach_beyond_the_pull_request_is_refused(
    proposed: Pulls, files: dict[str, str], expected: str
) -> None:
    state = checked(proposed, proposed.given_head(7, {**FILES, **files}))
    assert expected in str(state.message)


def test_a_forks_submodule_is_not_fetched(proposed: Pulls) -> None:
    proposed.given_head(7, FILES)
    one = proposed.git("rev-parse", "HEAD")
    proposed.git("update-index", "--add", "--cacheinfo", f"160000,{one},lib")
    proposed.git("commit", "--quiet", "--message", "With a library")
    proposed.git("update-ref", "refs/pull/7/head", "HEAD")
    state = checked(proposed, proposed.git("rev-parse", "HEAD"))
    assert "submodule lib comes from a fork" in str(state.message)


def test_a_newer_head_ends_the_run_of_the_older_one(proposed: Pulls) -> None:
    commit = proposed.given_head(7, FILES)
    running, waiting = created(proposed, 7, Running()), created(proposed, 7, Scheduled())
    other = created(proposed, 8, Running())
    checked(proposed, commit).result()
    assert [state_of(each) for each in (running, waiting, other)] == [
        "Cancelling",
        "Superseded",
        "Running",
    ]


def test_what_the_older_heads_check_has_left_open_is_closed(
    proposed: Pulls, monkeypatch: pytest.MonkeyPatch
) -> None:
    listener = Listener()
    channel = Channel("town", listener.hears, listener.connect)
    monkeypatch.setattr("tasks.notify.effects.CHANNELS", (channel,))
    commit = proposed.given_head(7, FILES)
    older = created(proposed, 7, Running())
    checked(proposed, commit).result()
    [told] = [each for each in listener.questions if isinstance(each, RunNews)]
    about = told.commit
    assert (about.run, about.name, about.repository) == (str(older), OLDER, proposed.repository)
    assert told.sentence == "superseded: the pull request has a newer head"
