"""Nights in which nothing is built: a real repository and server, and a cluster in memory."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from prefect.client.schemas.objects import State

from flows.redeploy import redeploy
from tasks.core.bases import Base, keep_bases
from tasks.core.clock import utc_now
from tasks.core.model import Digest
from tasks.core.target import Target
from tests.e2e.small_app import SLIPWAY, SmallApp
from tests.unit.tasks.rollout.world import World, deployment, image, make_release

TARGET = Target("kubeconfig", "ctx", "r", "b", "d")
SHOP = (
    SLIPWAY.replace("application: small", "application: shop")
    .replace("{context: app, ", "{context: app, image: {name: small-app}, ")
    .replace(
        "dev: {overlay: deploy, namespace: small-dev}", "prod: {overlay: deploy, namespace: shop}"
    )
)
PINNED = Base("busybox:1.36", Digest(f"sha256:{'0' * 64}"), pinned=True)


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SmallApp:
    monkeypatch.setenv("SLIPWAY_CACHE", str(tmp_path / "cache"))
    (tmp_path / "app").mkdir()
    return SmallApp(tmp_path / "app").given({"slipway.yaml": SHOP})


def given_live(world: World, app: SmallApp) -> None:
    """Roll out the app's commit, whose image was built on what never changes."""
    app_image = image("app")
    keep_bases(app_image.digest, (PINNED,))
    release = make_release(deployment("app", app_image.reference), images=(app_image,))
    world.when_rolling_out(replace(release, commit=app.when_fetched().commit))


def redeployed(app: SmallApp, **more: Any) -> State[Any]:  # noqa: ANN401 fields of the form
    state: State[Any] = redeploy(str(app.folder), TARGET, **more, return_state=True)
    return state


def told(state: State[Any]) -> tuple[str, str | None]:
    return state.name or "", state.message


def test_where_no_base_image_is_another_one_nothing_is_rolled_out(
    world: World, app: SmallApp
) -> None:
    given_live(world, app)
    before = world.cluster.objects.copy()
    assert told(redeployed(app)) == ("Completed", "prod: unchanged")
    assert world.cluster.objects == before


def test_where_nothing_runs_there_is_nothing_to_build(world: World, app: SmallApp) -> None:
    assert told(redeployed(app)) == ("Completed", "prod: unchanged")
    assert world.cluster.objects == {}


def test_an_environment_that_does_not_exist_is_refused(world: World, app: SmallApp) -> None:  # noqa: ARG001 the server
    assert "no environment 'moon'" in str(redeployed(app, environment="moon").message)


def test_nothing_is_looked_up_or_built_during_a_freeze(world: World, app: SmallApp) -> None:
    given_live(world, app)
    yesterday, overmorrow = (utc_now() + timedelta(days=days) for days in (-1, 2))
    freeze = f"freezes: [{{from: '{yesterday:%a} 00:00', to: '{overmorrow:%a} 00:00'}}]"
    frozen = app.given({"slipway.yaml": SHOP.replace("shop}", f"shop, {freeze}}}")})
    name, message = told(redeployed(frozen))
    assert name == "Skipped"
    assert message is not None
    assert message.startswith("prod: skipped (frozen until ")
