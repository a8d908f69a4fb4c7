from datetime import timedelta

import pytest

from tasks.core.cluster_fake import FakeCluster
from tasks.core.errors import Conflict, GateClosed
from tasks.core.objects import Kind, Object, Ref
from tasks.rollout.lock import EXPIRY, PATIENCE, Aside, ask, hold

LEASE = Ref(Kind("coordination.k8s.io/v1", "Lease"), "shop", "slipway")


def given_namespace() -> FakeCluster:
    cluster = FakeCluster()
    cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}})
    return cluster


def test_a_lock_that_was_given_back_is_taken_without_waiting() -> None:
    cluster = given_namespace()
    with hold(cluster, cluster.clock, "shop", "one"):
        pass
    began = cluster.clock.now()
    with hold(cluster, cluster.clock, "shop", "two") as lock:
        assert lock.number == 2
    assert cluster.clock.now() == began


def test_a_silent_holder_is_taken_over_when_its_lease_has_expired() -> None:
    cluster = given_namespace()
    began = cluster.clock.now()
    silent = hold(cluster, cluster.clock, "shop", "one")
    first = silent.__enter__()
    with hold(cluster, cluster.clock, "shop", "two") as second:
        assert (first.number, second.number) == (1, 2)
        assert cluster.clock.now() - began == EXPIRY
        with pytest.raises(Conflict, match="another run has taken this rollout over"):
            first.check()
    silent.__exit__(None, None, None)


def test_the_same_run_takes_its_own_lock_over_at_once_and_fences_its_former_self() -> None:
    cluster = given_namespace()
    began = cluster.clock.now()
    former = hold(cluster, cluster.clock, "shop", "one")
    ghost = former.__enter__()
    with hold(cluster, cluster.clock, "shop", "one") as lock:
        assert lock.number == 2
        with pytest.raises(Conflict, match="another run has taken this rollout over"):
            ghost.check()
    former.__exit__(None, None, None)
    assert cluster.clock.now() == began


def test_a_holder_that_lives_is_waited_for_and_in_the_end_not_disturbed(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO", "tasks")
    cluster = given_namespace()
    began = cluster.clock.now()
    with hold(cluster, cluster.clock, "shop", "one") as living:

        def renew(_cluster: FakeCluster, thing: Object) -> None:
            if thing["kind"] == "Lease":
                cluster.clock.instant += timedelta(seconds=10)
                living.renew()

        cluster.controllers.append(renew)
        with pytest.raises(GateClosed, match="run one is rolling out here"):
            hold(cluster, cluster.clock, "shop", "two").__enter__()
        said = [line for line in caplog.messages if "waits for run one" in line]
        assert len(said) == 1, "people see for whom, once"
        living.check()
        assert cluster.clock.now() - began >= PATIENCE
        cluster.controllers.clear()


def test_a_lock_is_renewed_by_those_who_check_it() -> None:
    cluster = given_namespace()
    with hold(cluster, cluster.clock, "shop", "one") as lock:
        before = cluster.objects[LEASE]["spec"]["renewTime"]
        cluster.clock.instant += timedelta(seconds=10)
        lock.check()
        assert cluster.objects[LEASE]["spec"]["renewTime"] > before


def test_a_lock_that_somebody_steals_stops_its_holder_before_the_next_act() -> None:
    cluster = given_namespace()
    with hold(cluster, cluster.clock, "shop", "one") as lock:
        lock.check()
        stolen = cluster.read(LEASE)
        assert stolen is not None
        stolen["spec"] |= {"holderIdentity": "thief", "leaseTransitions": 7}
        cluster.replace(stolen)
        with pytest.raises(Conflict, match="another run has taken this rollout over"):
            lock.check()
    assert cluster.objects[LEASE]["spec"]["holderIdentity"] == "thief", "it is not given back"


@pytest.mark.parametrize("jump", [timedelta(hours=1), timedelta(hours=-1)], ids=["on", "back"])
def test_a_jump_of_the_clock_neither_loses_nor_frees_a_lock(jump: timedelta) -> None:
    cluster = given_namespace()
    with hold(cluster, cluster.clock, "shop", "one") as lock:
        cluster.clock.jump(jump)
        lock.check()
        began = cluster.clock.elapsed()
        with hold(cluster, cluster.clock, "shop", "two"):
            assert cluster.clock.elapsed() - began == EXPIRY, "only silence frees it"


OLDER = Aside("older", "r-1 took its place", committed_at="2026-01-01T00:00:00+00:00")
NEWER = Aside("newer", "r-2 took its place", committed_at="2026-01-02T00:00:00+01:00")
BACK = Aside("back", "taken back by bob", against="r-0")


@pytest.mark.parametrize(
    ("asked", "heard"),
    [
        pytest.param((OLDER, NEWER), NEWER, id="the newer commit, asked for last"),
        pytest.param((NEWER, OLDER), NEWER, id="the newer commit, asked for first"),
        pytest.param((NEWER, BACK), BACK, id="a rollback, whatever else is asked"),
    ],
)
def test_of_several_that_ask_a_holder_to_give_way_it_hears(
    asked: tuple[Aside, ...], heard: Aside
) -> None:
    cluster = given_namespace()
    with hold(cluster, cluster.clock, "shop", "one") as lock:
        for each in asked:
            lease = cluster.read(LEASE)
            assert lease is not None
            ask(cluster, lease, each)
        lock.check()
        assert lock.asked == heard
