from datetime import timedelta
from pathlib import Path

import pytest

from infra.examples import EXAMPLES, commit_patch, head_of, make_repository, revert_to
from tasks.core.config import load
from tasks.core.process import run

BAD_RELEASE = EXAMPLES / "myfin" / "demo" / "bad-release.patch"


def examples() -> list[str]:
    return sorted(file.parent.name for file in EXAMPLES.glob("*/slipway.yaml"))


def test_the_bad_release_of_the_demo_applies_to_what_the_demo_delivers(tmp_path: Path) -> None:
    folder = make_repository("myfin", tmp_path / "myfin")
    argv = ("git", "-C", str(folder), "apply", "--check", str(BAD_RELEASE))
    assert run(argv, timeout=timedelta(seconds=30)).code == 0


def test_a_patch_becomes_a_commit_of_its_own(tmp_path: Path) -> None:
    folder = make_repository("myfin", tmp_path / "myfin")
    commit = commit_patch(folder, BAD_RELEASE, "Show amounts in every currency")
    argv = ("git", "-C", str(folder), "log", "--format=%H %s")
    newest = run(argv, timeout=timedelta(seconds=30)).stdout.splitlines()[0]
    assert newest == f"{commit} Show amounts in every currency"


def test_a_bad_release_is_taken_out_of_the_repository_again(tmp_path: Path) -> None:
    folder = make_repository("myfin", tmp_path / "myfin")
    good = head_of(folder)
    bad = commit_patch(folder, BAD_RELEASE, "Show amounts in every currency")
    assert revert_to(folder, good) not in {good, bad}
    argv = ("git", "-C", str(folder), "diff", "--stat", good)
    assert run(argv, timeout=timedelta(seconds=30)).stdout == ""


@pytest.mark.parametrize("example", examples())
def test_every_example_is_a_repository_that_can_be_delivered(example: str, tmp_path: Path) -> None:
    folder = make_repository(example, tmp_path / example)
    assert list(load(folder / "slipway.yaml").environments)[-1] == "prod"


@pytest.mark.parametrize("example", examples())
def test_the_same_files_give_the_same_commit(example: str, tmp_path: Path) -> None:
    commits = set()
    for copy in ("one", "other"):
        folder = make_repository(example, tmp_path / copy)
        argv = ("git", "-C", str(folder), "rev-parse", "HEAD")
        commits.add(run(argv, timeout=timedelta(seconds=30)).stdout)
    assert len(commits) == 1
