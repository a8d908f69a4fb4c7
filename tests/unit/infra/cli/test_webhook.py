import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import stamina
from typer.testing import CliRunner, Result

from infra.cli.webhook import app
from infra.webhook.settings import settings
from infra.webhook.store import Store
from tasks.core.errors import ConfigError
from tasks.core.github_login import keep_login
from tests.stand_ins.github import TOKEN, StandIn, standing_in
from tests.unit.infra.webhook.world import ONE, TWO, repository

MAIN = "refs/heads/main"


@pytest.fixture(scope="module")
def hub() -> Iterator[StandIn]:
    with standing_in() as found:
        yield found


@pytest.fixture(autouse=True)
def _state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("SLIPWAY_STATE", str(tmp_path))
    stamina.set_testing(testing=True, attempts=2, cap=True)
    yield
    stamina.set_testing(testing=False)


def reconcile(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["reconcile", *arguments])


def test_a_look_by_hand_says_what_it_came_upon(hub: StandIn) -> None:
    store = Store(settings().store)
    store.register(dataclasses.replace(repository(), address=hub.address))
    keep_login(hub.login())
    hub.knows(branches={MAIN: ONE})
    first = reconcile("--json")
    assert first.exit_code == 0, first.exception
    assert json.loads(first.stdout)[0]["kind"] == "first"
    assert reconcile().stdout == "nothing is missing\n"
    hub.knows(branches={MAIN: TWO})
    (found,) = json.loads(reconcile("--json").stdout)
    assert found == {"kind": "found", "repository": "acme/shop", "what": f"{MAIN} {TWO}"}
    assert [each.event.ref for each in store.waiting(10)] == [MAIN], "the receiver takes it on"
    store.close()


def test_what_cannot_be_looked_at_is_said_without_the_token(hub: StandIn) -> None:
    store = Store(settings().store)
    store.register(dataclasses.replace(repository(), address=hub.address))
    store.close()
    keep_login(hub.login())
    hub.fails("/repos/acme/shop", 503, times=2)
    said = reconcile("--json")
    assert (said.exit_code, json.loads(said.stdout)[0]["kind"]) == (3, "failed")
    assert TOKEN not in said.output


def test_without_a_login_there_is_nothing_to_look_with() -> None:
    said = reconcile()
    assert isinstance(said.exception, ConfigError)
    assert "slipway github login" in str(said.exception)
