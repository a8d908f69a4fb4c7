import shlex
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from infra.cli.main import COMMANDS
from infra.demo import hints
from infra.examples import head_of, make_repository
from tasks.core.config import load
from tasks.core.process import run

HERE = Path(sys.executable).parent.parent


def typed(folder: Path, here: Path = HERE) -> list[list[str]]:
    return [shlex.split(line) for line in hints(folder, here) if line.startswith("  ")]


def test_the_program_is_named_as_it_can_be_typed_from_here(tmp_path: Path) -> None:
    programs = {words[0] for words in typed(tmp_path) if words[0].endswith("slipway")}
    assert programs == {"bin/slipway"}
    elsewhere = {words[0] for words in typed(tmp_path, tmp_path) if words[0].endswith("slipway")}
    assert elsewhere == {str(HERE / "bin" / "slipway")}


def test_what_the_demo_suggests_are_commands_about_its_environments(tmp_path: Path) -> None:
    folder = make_repository("myfin", tmp_path / "my fin")
    environments = load(folder).environments
    for program, command, *subjects in typed(folder):
        if program.endswith("slipway"):
            assert command in COMMANDS
            assert subjects[0] in {*environments, str(folder)}


def test_the_change_that_the_demo_suggests_can_be_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_repository("myfin", tmp_path / "my fin")
    before = head_of(folder)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")  # nobody has told git who they are
    for words in typed(folder):
        if words[0] in {"sed", "git"}:
            run(words, timeout=timedelta(seconds=30))
    assert head_of(folder) != before
