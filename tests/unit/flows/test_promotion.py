"""A release that staging has, promoted to prod, by the rules of its own commit."""

from dataclasses import replace
from pathlib import Path

import pytest
from prefect.client.schemas.objects import State

from flows.promotion import promotion
from tasks.core.choices import choice_of
from tasks.core.record import Record, RolloutState
from tasks.core.target import Target
from tasks.rollout import records
from tasks.rollout.history import history
from tasks.rollout.model import Stored
from tests.unit.flows.test_views import STAGING
from tests.unit.tasks.rollout.world import World, config_map, make_release
from tests.unit.tasks.source.test_fetch_source import FILES, Repository

TARGET = Target("kubeconfig", "ctx", "r", "b", "d")
SLIPWAY = """
application: shop
components:
  api: {context: api}
  web: {context: web}
environments:
  staging: {overlay: deploy/dev, namespace: shop-staging}
  prod: {overlay: deploy/dev, namespace: shop}
"""
GUARDED = SLIPWAY.replace("namespace: shop}", "namespace: shop, approval: {approvers: [ana]}}")


@pytest.fixture
def repository(world: World, tmp_path: Path) -> Repository:
    staging = {"metadata": {"name": "shop-staging"}}
    world.cluster.apply({"apiVersion": "v1", "kind": "Namespace", **staging})
    made = Repository(tmp_path / "repository")
    made.folder.mkdir()
    made.git("init", "--quiet", "--initial-branch", "main")
    return made


def committed(repository: Repository, slipway: str) -> str:
    return repository.given({**FILES, "slipway.yaml": slipway})


def given_in_staging(world: World, number: int, commit: str, **settings: str) -> Record:
    release = replace(make_release(config_map("settings", **settings)), commit=commit)
    record = replace(STAGING, number=number, namespace="shop-staging", release=release)
    return records.add(world.cluster, Stored(record)).record


def when_promoted(repository: Repository, release: str | None = None) -> State[Record]:
    return promotion(str(repository.folder), "prod", TARGET, release, return_state=True)


def test_what_is_live_in_the_environment_before_comes_in(
    world: World, repository: Repository
) -> None:
    commit = committed(repository, SLIPWAY)
    given_in_staging(world, 1, commit, greeting="one")
    live = given_in_staging(world, 2, commit, greeting="two")
    state = when_promoted(repository)
    assert state.is_completed(), state.message
    (record,) = history(world.place, world.cluster)
    assert (record.release, record.state) == (live.release, RolloutState.SUCCEEDED)
    assert record.actor == live.release.author


def test_an_earlier_release_that_was_chosen_from_the_form_comes_in(
    world: World, repository: Repository
) -> None:
    commit = committed(repository, SLIPWAY)
    earlier = given_in_staging(world, 1, commit, greeting="one")
    given_in_staging(world, 2, commit, greeting="two")
    state = when_promoted(repository, choice_of(earlier))
    assert state.is_completed(), state.message
    assert history(world.place, world.cluster)[0].release == earlier.release


def test_the_gates_of_its_own_commit_hold_though_a_newer_one_has_opened_them(
    world: World, repository: Repository
) -> None:
    given_in_staging(world, 1, committed(repository, GUARDED), greeting="one")
    committed(repository, SLIPWAY)
    state = when_promoted(repository)
    assert "Cannot suspend flows without a deployment" in str(state.message), "somebody is asked"
    assert history(world.place, world.cluster) == ()


def test_what_was_never_good_there_is_refused(world: World, repository: Repository) -> None:
    given_in_staging(world, 1, committed(repository, SLIPWAY), greeting="one")
    state = when_promoted(repository, "7")
    assert "no rollout of 7 has succeeded" in str(state.message)
    assert history(world.place, world.cluster) == ()
