import getpass
import json
import socket

import pytest
from typer.testing import CliRunner, Result

from infra.cli.approver import app, qr_code
from infra.target import choose
from tasks.audit.decide import find_fault, read_entry
from tasks.audit.effects import fetch
from tasks.core.cluster_fake import FakeCluster
from tasks.core.errors import ConfigError, Unavailable
from tasks.core.objects import Object
from tasks.core.target import Target

pytestmark = pytest.mark.usefixtures("cluster")


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


def test_whom_somebody_enrols_unlocks_or_removes_stands_in_the_trail(cluster: FakeCluster) -> None:
    run("add", "ana", "--email", "ana@example.com", "--show-secret")
    assert run("unlock", "ana").stdout == "✓ ana may answer again\n"
    run("remove", "ana")
    chain = fetch(cluster, "slipway")
    deeds = [entry.deed for entry in map(read_entry, chain) if entry is not None]
    assert [(deed.act.value, deed.about.person) for deed in deeds] == [
        ("approver added", "ana"),
        ("approver unlocked", "ana"),
        ("approver removed", "ana"),
    ]
    assert {deed.actor for deed in deeds} == {getpass.getuser()}
    assert all(deed.origin.endswith(f"@{socket.gethostname()} (slipway)") for deed in deeds)
    assert find_fault(chain) is None


def test_nobody_is_enrolled_where_that_cannot_be_written_down(
    cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    create = FakeCluster.create

    def only_secrets(self: FakeCluster, thing: Object) -> Object:
        if thing["kind"] == "ConfigMap":
            raise Unavailable("does not answer", where="the cluster")
        return create(self, thing)

    monkeypatch.setattr(FakeCluster, "create", only_secrets)
    result = run("add", "ana", "--email", "ana@example.com", "--show-secret")
    assert isinstance(result.exception, Unavailable)
    assert result.stdout == ""
    assert json.loads(run("list", "--json").stdout) == []
    assert fetch(cluster, "slipway") == ()


def test_without_a_named_cluster_the_command_says_how_to_name_one() -> None:
    choose(Target("kubeconfig", "", "r", "b", "d"))
    result = run("list")
    assert isinstance(result.exception, ConfigError)
    assert result.exception.next_step == "name it with --context"


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
