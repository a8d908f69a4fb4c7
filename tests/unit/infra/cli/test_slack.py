import json
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from infra.cli.slack import app
from tasks.core.errors import ConfigError
from tests.stand_ins.slack import SIGNING_SECRET, TOKEN, StandIn, standing_in


@pytest.fixture(scope="module")
def slack() -> Iterator[StandIn]:
    with standing_in() as made:
        yield made


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SLIPWAY_STATE", str(tmp_path))
    return tmp_path / "default"


def log_in(slack: StandIn, *lines: str) -> Result:
    arguments = ["login", "--api", slack.api]
    return CliRunner().invoke(app, arguments, input="".join(f"{line}\n" for line in lines))


def test_a_login_is_tried_kept_for_its_owner_alone_and_forgotten(
    slack: StandIn, state: Path
) -> None:
    assert log_in(slack, TOKEN, SIGNING_SECRET).stdout == "✓ slipway of Acme (https://acme.x/)\n"
    assert stat.S_IMODE((state / "slack.json").stat().st_mode) == 0o600
    known = CliRunner().invoke(app, ["status", "--json"])
    assert json.loads(known.stdout)["team"] == "Acme"
    CliRunner().invoke(app, ["logout"])
    assert not (state / "slack.json").exists()
    assert "nobody has logged in" in str(CliRunner().invoke(app, ["status"]).exception)


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param((), id="nothing"),
        pytest.param((TOKEN,), id="no secret"),
        pytest.param((SIGNING_SECRET, TOKEN), id="the wrong way round"),
        pytest.param((TOKEN, "short"), id="a secret that is none"),
        pytest.param(("xoxb-wrong-token", SIGNING_SECRET), id="a token that Slack refuses"),
    ],
)
def test_what_is_no_login_is_not_kept_and_not_shown(
    slack: StandIn, state: Path, lines: tuple[str, ...]
) -> None:
    result = log_in(slack, *lines)
    assert isinstance(result.exception, ConfigError)
    assert not any(line in result.output + str(result.exception) for line in lines)
    assert not (state / "slack.json").exists()


def test_a_login_that_others_can_read_is_refused(slack: StandIn, state: Path) -> None:
    log_in(slack, TOKEN, SIGNING_SECRET)
    (state / "slack.json").chmod(0o644)
    result = CliRunner().invoke(app, ["status"])
    assert "can be read by others" in str(result.exception)
