import json
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from infra.cli import exits
from infra.cli.machine import lab_word
from infra.cli.main import build
from infra.cli.reference import reference
from tasks.core.errors import ConfigError
from tasks.core.process import run

ROOT = Path(__file__).parents[4]
SLOW = ("prefect", "kubernetes", "docker")


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLIPWAY_STATE", str(tmp_path))
    monkeypatch.setenv("SLIPWAY_INSTANCE", "nobody")


@pytest.mark.parametrize(
    ("said", "word"),
    [
        ("up", "up"),
        ("healthy", "up"),
        ("starting", "degraded"),
        ("unhealthy", "degraded"),
        ("dead", "down"),
        ("down", "down"),
    ],
)
def test_each_part_is_in_one_of_three_words(said: str, word: str) -> None:
    assert lab_word(said) == word


def test_status_of_a_machine_where_nothing_runs() -> None:
    result = CliRunner().invoke(build(), ["status", "--json"])
    assert result.exit_code == exits.NO
    found = json.loads(result.stdout)
    assert [(part["name"], part["health"]) for part in found["parts"]] == [
        ("prefect-server", "down"),
        ("worker", "down"),
        ("receiver", "down"),
        ("reports", "down"),
        ("keeper", "down"),
    ]
    assert (found["target"], found["waiting"], found["runs"]) == (None, [], [])


def test_status_says_how_to_name_a_target() -> None:
    assert (
        "target: none was named. Next: slipway up" in CliRunner().invoke(build(), ["status"]).stdout
    )


def test_state_is_not_removed_below_a_running_lab() -> None:
    result = CliRunner().invoke(build(), ["down", "--purge"])
    assert isinstance(result.exception, ConfigError)


def test_version() -> None:
    found = json.loads(CliRunner().invoke(build(), ["version", "--json"]).stdout)
    assert set(found) == {"slipway", "prefect", "kubernetes", "python"}


@pytest.mark.parametrize("words", ["--help", "check", "deliver", "approve", "logs", "rollback"])
def test_no_slow_library_is_imported_for_quick_commands(words: str) -> None:
    code = (
        "import sys\n"
        "from infra.cli import main\n"
        f"sys.argv = ['slipway', {words!r}]\n"
        "try:\n    main.main()\nexcept SystemExit:\n    pass\n"
        f"print([name for name in {SLOW} if name in sys.modules])"
    )
    done = run((sys.executable, "-c", code), timeout=timedelta(minutes=1))
    assert done.stdout.splitlines()[-1] == "[]"


def test_the_page_about_the_commands_is_what_the_program_says() -> None:
    assert (ROOT / "docs" / "cli.md").read_text() == reference()


def test_every_command_has_an_example() -> None:
    sections = reference().split("\n## ")[1:]
    assert [text.splitlines()[0] for text in sections if "Example: " not in text] == []
