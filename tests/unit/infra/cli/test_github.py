import json
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
import stamina
from typer.testing import CliRunner, Result

from infra.cli.github import app
from tasks.core.errors import ConfigError
from tests.stand_ins.github import APP, TOKEN, StandIn, standing_in


@pytest.fixture(scope="module")
def hub() -> Iterator[StandIn]:
    with standing_in() as found:
        yield found


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("SLIPWAY_STATE", str(tmp_path))
    stamina.set_testing(testing=True, attempts=2, cap=True)
    yield tmp_path / "default" / "github.json"
    stamina.set_testing(testing=False)


def run(*arguments: str, given: str = "") -> Result:
    return CliRunner().invoke(app, arguments, input=given)


def test_a_token_is_asked_about_kept_for_its_owner_alone_and_forgotten(
    hub: StandIn, state: Path
) -> None:
    kept = run("login", "--api", hub.url, given=f"{TOKEN}\n")
    assert kept.exit_code == 0, kept.exception
    assert kept.stdout == f"✓ octocat tells {hub.host} from now on\n"
    assert stat.S_IMODE(state.stat().st_mode) == 0o600
    said = run("status", "--json")
    assert json.loads(said.stdout)["name"] == "octocat"
    assert TOKEN not in kept.stdout + said.stdout
    assert run("logout").exit_code == 0
    assert not state.exists()


def test_an_app_proves_itself_with_its_key(hub: StandIn) -> None:
    kept = run("login", "--api", hub.url, "--app", APP, given=hub.private_key)
    assert kept.exit_code == 0, kept.exception
    assert run("status").stdout.startswith("✓ octoapp[bot] (app)")
    assert "PRIVATE KEY" not in kept.stdout


@pytest.mark.parametrize(
    ("arguments", "given", "expected"),
    [
        pytest.param(("login",), "", "no secret on standard input", id="nothing"),
        pytest.param(
            ("login", "--app", "Iv1"), "s3cret", "none of RSA in PEM", id="a key that is none"
        ),
        pytest.param(
            ("login", "--api", "http://evil.example"), "s3cret", "no https://", id="in the clear"
        ),
        pytest.param(("status",), "", "nobody is logged in", id="nobody"),
    ],
)
def test_what_is_refused_without_asking_anybody(
    arguments: tuple[str, ...], given: str, expected: str
) -> None:
    error = run(*arguments, given=given).exception
    assert isinstance(error, ConfigError)
    assert expected in str(error)
    assert "s3cret" not in str(error)


def test_a_token_that_github_does_not_take_is_not_kept(hub: StandIn, state: Path) -> None:
    error = run("login", "--api", hub.url, given="s3cret").exception
    assert "GitHub does not take the token" in str(error)
    assert "s3cret" not in str(error)
    assert not state.exists()


def test_a_file_that_others_can_read_is_refused(hub: StandIn, state: Path) -> None:
    run("login", "--api", hub.url, given=TOKEN)
    state.chmod(0o640)
    assert "can be read by others" in str(run("status").exception)


def test_a_damaged_file_is_refused_without_its_content(hub: StandIn, state: Path) -> None:
    run("login", "--api", hub.url, given=TOKEN)
    state.write_text(f'{{"who": {{"kind": "token", "token": ["{TOKEN}"]}}}}')
    error = run("status").exception
    assert "is damaged" in str(error)
    assert TOKEN not in repr((error, error.__context__ if error else None))
