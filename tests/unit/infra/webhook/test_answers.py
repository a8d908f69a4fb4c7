"""Which cluster's approvers are asked who somebody in Slack is."""

from dataclasses import replace
from pathlib import Path

import pytest

from infra.target import choose
from infra.webhook.answers import target_for
from infra.webhook.model import Repository
from infra.webhook.settings import settings
from infra.webhook.store import Store
from tasks.core.application import Application
from tasks.core.slack import Button
from tasks.core.target import Target
from tasks.rollout.place import place_of
from tests.unit.infra.webhook.world import application

ASKED = Button("0000", "shop", "prod", "r-0123456789ab", "p-1", "approve")


@pytest.mark.parametrize(
    ("instance", "environment", "expected"),
    [
        pytest.param("ours", "east", "ours", id="a person's word goes before the environment's"),
        pytest.param("", "east", "east", id="nobody named one"),
        pytest.param("ours", None, "ours", id="the environment names none"),
    ],
)
def test_approvers_are_looked_for_where_the_run_rolls_out(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    instance: str,
    environment: str | None,
    expected: str,
) -> None:
    monkeypatch.setenv("SLIPWAY_STATE", str(tmp_path))
    target = Target("kubeconfig", instance, "registry", "builder", "docker")
    choose(target)
    described = _with_context(environment)
    store = Store(settings().store)
    store.register(Repository("acme/shop", "https://git.example/acme/shop.git", described))
    store.close()
    assert target_for(ASKED).context == expected
    assert place_of(described, "prod", target).target.context == expected


def _with_context(context: str | None) -> Application:
    shop = application()
    prod = replace(shop.environments["prod"], context=context)
    return replace(shop, environments={**shop.environments, "prod": prod})
