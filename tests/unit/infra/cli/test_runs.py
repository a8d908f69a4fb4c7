from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest
from typer.testing import CliRunner

from infra.cli import exits
from infra.cli.main import build
from infra.cli.runs import _left_alone, address_of, asked
from infra.server.client import RunView
from tasks.core.errors import ConfigError

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
RUN = RunView(UUID(int=1), "shop@main", "RUNNING", "", "http://ui")


def test_a_local_repository_is_named_by_its_full_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert address_of(".") == str(tmp_path.resolve())


@pytest.mark.parametrize(
    "address", ["https://git.example/shop.git", "git@git.example:shop.git", "file:///srv/shop"]
)
def test_an_address_stays_as_it_is(address: str) -> None:
    assert address_of(address) == address


@pytest.mark.parametrize("path", ["/nowhere/at/all", "nowhere", "./a:b"])
def test_a_path_with_nothing_there_is_a_mistake(path: str) -> None:
    with pytest.raises(ConfigError, match="there is no such folder"):
        address_of(path)


def test_nobody_at_the_keyboard_is_told_what_to_give_instead(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with Path("/dev/null").open() as nothing:
        monkeypatch.setattr("sys.stdin", nothing)
        with pytest.raises(ConfigError, match=r"One-time code is missing.*SLIPWAY_CODE"):
            asked("One-time code", "SLIPWAY_CODE=123456", hide=True)


def test_ctrl_c_ends_the_following_and_says_how_to_go_on(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(Exception, match=str(exits.INTERRUPTED)), _left_alone(RUN):
        raise KeyboardInterrupt
    said = capsys.readouterr().err
    assert "the run goes on" in said
    assert f"slipway logs {RUN.short_id} -f" in said
    assert f"slipway cancel {RUN.short_id}" in said


@pytest.mark.parametrize(
    ("error", "code"),
    [
        ("ConfigError", exits.USAGE),
        ("Unavailable", exits.UNAVAILABLE),
        ("GateClosed", exits.GATE),
        ("StageFailed", exits.NO),
        ("", exits.NO),
    ],
)
def test_a_run_ends_the_command_as_its_error_would(error: str, code: int) -> None:
    assert exits.code_for_name(error) == code


@pytest.mark.parametrize("command", ["deliver", "rollback", "approve", "cancel", "logs"])
def test_help_has_an_example_and_the_exit_codes(command: str) -> None:
    result = CliRunner().invoke(build(), [command, "--help"])
    assert result.exit_code == 0
    assert "Example" in result.stdout
    assert "Exit codes" in result.stdout
