import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from infra.cli.approver import app, qr_code
from tasks.core.errors import ConfigError


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLIPWAY_STATE", str(tmp_path))


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


def test_somebody_is_added_listed_without_a_secret_and_removed() -> None:
    added = run(
        "add", "ana", "--email", "ana@example.com", "--email", "a@x.example", "--show-secret"
    )
    assert added.exit_code == 0
    assert len(added.stdout.strip()) == 32
    listed = run("list", "--json")
    assert json.loads(listed.stdout) == [
        {"name": "ana", "emails": "ana@example.com, a@x.example", "slack": "", "state": "ok"}
    ]
    assert added.stdout.strip() not in listed.stdout + run("list").stdout
    assert run("remove", "ana").stdout == "✓ ana removed\n"
    assert run("list").stdout.startswith("nobody is enrolled. Next: slipway approver add")


def test_a_secret_is_never_drawn_into_a_log() -> None:
    result = run("add", "ana", "--email", "ana@example.com")
    assert isinstance(result.exception, ConfigError)
    assert json.loads(run("list", "--json").stdout) == []


def test_the_qr_code_is_a_square_of_half_blocks() -> None:
    lines = qr_code("JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP", "ana").splitlines()
    assert len({len(line) for line in lines}) == 1
    assert 15 < len(lines) < 40


def test_somebody_answers_in_slack_from_the_start_later_or_no_more() -> None:
    run("add", "ana", "--email", "ana@example.com", "--slack", "U0ANA", "--show-secret")
    run("add", "eva", "--email", "eva@example.com", "--show-secret")
    assert isinstance(run("slack", "eva", "U0ANA").exception, ConfigError)
    assert run("slack", "ana").stdout == "✓ ana answers in Slack no more\n"
    assert run("slack", "eva", "U0ANA").stdout == "✓ eva answers in Slack as U0ANA\n"
    users = [each["slack"] for each in json.loads(run("list", "--json").stdout)]
    assert users == ["", "U0ANA"]


def test_nobody_is_enrolled_with_a_user_that_is_none() -> None:
    wrong = run("add", "ana", "--email", "a@x.example", "--slack", "@ana", "--show-secret")
    assert isinstance(wrong.exception, ConfigError)
    assert json.loads(run("list", "--json").stdout) == []
