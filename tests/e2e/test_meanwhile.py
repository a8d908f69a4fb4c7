"""What others do to an application while a release comes in, on the lab."""

from collections.abc import Iterator
from datetime import timedelta
from http import HTTPStatus
from pathlib import Path

import pytest
from kubernetes import client

from tasks.core.objects import Kind, Ref
from tasks.core.record import RolloutState
from tasks.core.strategy import Canary, CanaryStep, Strategy
from tasks.rollout import marks
from tests.e2e.rollout_world import World
from tests.e2e.routed_world import (
    Load,
    given_live,
    routed_world,
    then_nothing_is_left_of_the_canary,
    version,
)

pytestmark = [pytest.mark.e2e, pytest.mark.independent]

SECOND = timedelta(seconds=1)
PATIENCE = timedelta(minutes=1)
BUDGET = """\
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: api}
spec: {maxUnavailable: 1, selector: {matchLabels: {app: api}}}
"""
CANARY = Ref(Kind("apps/v1", "Deployment"), "", "api-canary")


@pytest.fixture
def shop(tmp_path: Path, lab: object) -> Iterator[World]:
    del lab  # it has to be up, and says where it is in its state folder
    with routed_world(tmp_path) as made:
        made.strategy = Strategy(
            canary=Canary(
                steps=(CanaryStep(50, wait=15 * SECOND), 100),
                bake=3 * SECOND,
                deadline=timedelta(seconds=60),
            )
        )
        given_live(made)
        yield made


def edit(shop: World, name: str, grace: int) -> None:
    """Change a Deployment as `kubectl edit` does."""
    patch = {"spec": {"template": {"spec": {"terminationGracePeriodSeconds": grace}}}}
    client.AppsV1Api(shop.cluster.api).patch_namespaced_deployment(
        name, shop.namespace, patch, field_manager="kubectl-edit"
    )


def drain(shop: World) -> None:
    """Evict every pod of the api, as `kubectl drain` does: again and again until it is let."""
    left = {
        name
        for name, pod in shop.objects("v1", "Pod").items()
        if pod["metadata"]["labels"].get("app") == "api"
    }
    until = shop.clock.now() + PATIENCE
    while left:
        assert shop.clock.now() < until, left
        left = {name for name in left if not is_evicted(shop, name)}
        shop.clock.wait(SECOND)


def is_evicted(shop: World, name: str) -> bool:
    about = client.V1ObjectMeta(name=name, namespace=shop.namespace)
    try:
        client.CoreV1Api(shop.cluster.api).create_namespaced_pod_eviction(
            name, shop.namespace, client.V1Eviction(metadata=about)
        )
    except client.ApiException as error:
        if error.status != HTTPStatus.TOO_MANY_REQUESTS:
            raise
        return False
    return True


def answers(shop: World) -> set[str]:
    with Load(shop).running() as after:
        shop.clock.wait(SECOND)
    return {said for _, is_tester, said in after.answers if not is_tester}


def test_a_newer_release_takes_the_place_of_one_under_way(shop: World) -> None:
    shop.settings["when_busy"] = "supersede"
    with Load(shop).running() as load:
        with shop.rolling_out(version(shop, 2), 2, marks.shifted(0)) as ended:
            newer = shop.roll_out(version(shop, 3))
        older = ended.result()
    assert (older.number, older.state) == (2, RolloutState.SUPERSEDED)
    assert (newer.number, newer.state) == (3, RolloutState.SUCCEEDED), newer.reason
    assert load.failures(newer) == []
    assert answers(shop) == {"3"}
    then_nothing_is_left_of_the_canary(shop)


def test_a_newer_release_waits_for_one_under_way(shop: World) -> None:
    with Load(shop).running() as load:
        with shop.rolling_out(version(shop, 2), 2, marks.shifted(0)) as ended:
            newer = shop.roll_out(version(shop, 3))
        older = ended.result()
    assert (older.state, newer.state) == (RolloutState.SUCCEEDED, RolloutState.SUCCEEDED)
    assert older.finished_at is not None
    assert older.finished_at <= newer.started_at
    assert load.failures(newer) == []


@pytest.mark.parametrize("edited", ["api", "api-canary"])
def test_an_edit_by_hand_is_refused_with_field_and_manager(edited: str, shop: World) -> None:
    with Load(shop).running() as load:
        with shop.rolling_out(version(shop, 2), 2, marks.shifted(0)) as ended:
            edit(shop, edited, 20)
        record = ended.result()
    assert record.state is RolloutState.RESTORED
    assert "terminationGracePeriodSeconds by kubectl-edit" in record.reason
    assert load.failures(record) == []
    then_nothing_is_left_of_the_canary(shop)


def test_an_edit_by_hand_is_taken_over_where_the_file_says_so(shop: World) -> None:
    shop.settings["on_drift"] = "take over"
    with Load(shop).running() as load:
        with shop.rolling_out(version(shop, 2), 2, marks.shifted(0)) as ended:
            edit(shop, "api-canary", 20)
        record = ended.result()
    assert record.state is RolloutState.SUCCEEDED, record.reason
    assert load.failures(record) == []
    assert answers(shop) == {"2"}
    then_nothing_is_left_of_the_canary(shop)


def test_a_deleted_canary_goes_back(shop: World) -> None:
    with shop.rolling_out(version(shop, 2), 2, marks.shifted(0)) as ended:
        shop.cluster.delete(Ref(CANARY.kind, shop.namespace, CANARY.name))
    record = ended.result()
    assert record.state is RolloutState.RESTORED
    assert "api-canary" in record.reason
    assert answers(shop) == {"1"}
    then_nothing_is_left_of_the_canary(shop)


def test_pods_that_are_evicted_meanwhile_come_again(shop: World) -> None:
    shop.extra += BUDGET
    shop.roll_out(version(shop, 1))
    with Load(shop).running() as load:
        with shop.rolling_out(version(shop, 2), 3, marks.shifted(0)) as ended:
            drain(shop)
        record = ended.result()
    assert record.state is RolloutState.SUCCEEDED, record.reason
    assert load.failures(record) == []
    then_nothing_is_left_of_the_canary(shop)
