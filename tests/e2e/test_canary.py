"""Canaries on the lab, behind an HTTPRoute and under load."""

import multiprocessing
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tasks.core.cluster_api import connect
from tasks.core.model import Release
from tasks.core.record import Record, RolloutState
from tasks.core.strategy import Canary, CanaryStep, Strategy
from tasks.rollout import marks
from tasks.rollout.history import history
from tasks.rollout.model import By
from tests.e2e.rollout_world import World
from tests.e2e.routed_world import (
    Load,
    given_live,
    judged_worse,
    routed_world,
    then_nothing_is_left_of_the_canary,
    version,
)

pytestmark = pytest.mark.e2e

LADDER = Canary(
    steps=(
        CanaryStep(0, wait=timedelta(seconds=4)),
        CanaryStep(30, wait=timedelta(seconds=8)),
        CanaryStep(100),
    ),
    bake=timedelta(seconds=3),
)


@pytest.fixture
def shop(tmp_path: Path, lab: object) -> Iterator[World]:
    del lab  # it has to be up, and says where it is in its state folder
    with routed_world(tmp_path) as made:
        made.strategy = Strategy(canary=LADDER)
        yield made


def shares(record: Record) -> dict[int, datetime]:
    """Return when each share of the traffic began."""
    return {each.share: each.at for each in record.moments if each.share is not None}


def generation(shop: World) -> int:
    return int(shop.objects("apps/v1", "Deployment")["api"]["metadata"]["generation"])


def test_a_canary_takes_exact_shares_and_the_stable_place_without_a_failed_request(
    shop: World,
) -> None:
    given_live(shop)
    with Load(shop).running() as load:
        record = shop.roll_out(version(shop, 2))
    assert record.state is RolloutState.SUCCEEDED, record.reason
    at = shares(record)
    assert load.failures(record) == []
    before = load.seen(at[0], at[30], tester=False)
    assert set(before) == {"1"}
    invited = next(each.at for each in record.moments if each.what == "testers may come")
    testers = load.seen(invited, at[30], tester=True)
    assert set(testers) == {"2"}
    mixed = load.seen(at[30], at[100], tester=False)
    assert 0.2 < mixed["2"] / mixed.total() < 0.4, mixed
    assert record.finished_at is not None
    after = load.seen(at[100], record.finished_at, tester=False)
    assert set(after) == {"2"}
    then_nothing_is_left_of_the_canary(shop)


def test_a_release_that_hurts_goes_back_by_traffic_alone(shop: World) -> None:
    given_live(shop)
    before = generation(shop)
    shop.judge = judged_worse
    with Load(shop).running() as load:
        record = shop.roll_out(version(shop, 2))
        shop.clock.wait(timedelta(seconds=2))
    assert record.state is RolloutState.RESTORED
    assert "it was never touched" in record.reason
    assert generation(shop) == before
    assert load.failures(record) == []
    then_nothing_is_left_of_the_canary(shop)


def test_a_canary_that_fails_its_probe_gets_no_user(shop: World) -> None:
    given_live(shop)
    before = generation(shop)
    with Load(shop).running() as load:
        record = shop.roll_out(shop.release({"version": "2"}))
    assert record.state is RolloutState.RESTORED
    assert "GET /health: expected 200, got 404" in record.reason
    assert {said for _, is_tester, said in load.answers if not is_tester} == {"1"}
    assert generation(shop) == before
    then_nothing_is_left_of_the_canary(shop)


@pytest.mark.soak
def test_killed_in_the_middle_of_the_ladder_it_goes_on_where_it_was(shop: World) -> None:
    given_live(shop)
    second = version(shop, 2)
    process = multiprocessing.get_context("fork").Process(target=run_alone, args=(shop, second))
    process.start()
    shop.until_marked(2, marks.shifted(1))
    process.kill()
    process.join()
    left = history(shop.place, shop.cluster)[0]
    with Load(shop).running() as load:
        record = shop.roll_out(second, By(run="run-killed"))
    assert (left.state, record.state) == (RolloutState.STARTED, RolloutState.SUCCEEDED)
    assert (record.number, record.started_at) == (2, left.started_at)
    assert record.moments[: len(left.moments)] == left.moments
    assert load.failures(record) == []
    then_nothing_is_left_of_the_canary(shop)


def run_alone(shop: World, release: Release) -> None:
    """Roll out in a process of its own, with its own connections."""
    with connect(shop.target) as cluster:
        shop.cluster = cluster
        shop.roll_out(release, By(run="run-killed"))
