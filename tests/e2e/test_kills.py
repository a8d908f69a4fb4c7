"""Killed with -9 after every single change, a rollout ends as an undisturbed one does."""

import multiprocessing
import os
import re
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from tasks.core.cluster import WRITE, Applied, ApplyOptions
from tasks.core.cluster_api import KubernetesCluster, connect
from tasks.core.objects import Object, Ref, ref_of
from tasks.core.record import Record, RolloutState
from tasks.core.strategy import BlueGreen, Canary, CanaryStep, Rolling, Strategy
from tasks.rollout.history import stored_history
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

pytestmark = [pytest.mark.e2e, pytest.mark.independent]

MOST_DEATHS = 150
BY = By(run="killed", actor="ann")
DEADLINE = timedelta(seconds=90)
ROLLING = Strategy(rolling=Rolling(deadline=DEADLINE))
CANARY = Strategy(
    canary=Canary(
        steps=(CanaryStep(30, wait=timedelta(seconds=1)), CanaryStep(100)),
        bake=timedelta(seconds=2),
        deadline=DEADLINE,
    )
)
BLUE_GREEN = Strategy(blueGreen=BlueGreen(bake=timedelta(seconds=2), deadline=DEADLINE))


class DeadlyCluster(KubernetesCluster):
    """Kills the process as soon as it has changed anything in the cluster, but for its lock."""

    def apply(self, thing: Object, options: ApplyOptions = WRITE) -> Applied:
        """Apply; what changes nothing kills nobody, or no process would ever get any further."""
        before = self.read(ref_of(thing))
        applied = super().apply(thing, options)
        if not options.dry_run and applied.object and _version(applied.object) != _version(before):
            _die()
        return applied

    def create(self, thing: Object) -> Object:
        """Make an object, and die."""
        made = super().create(thing)
        _die_of(made)
        return made

    def replace(self, thing: Object) -> Object:
        """Write an object over another version, and die."""
        written = super().replace(thing)
        _die_of(written)
        return written

    def delete(self, ref: Ref) -> None:
        """Delete what is there, and die."""
        before = self.read(ref)
        super().delete(ref)
        if before is not None and "deletionTimestamp" not in before["metadata"]:
            _die()


def _version(thing: Object | None) -> str | None:
    return None if thing is None else str(thing["metadata"]["resourceVersion"])


def _die_of(written: Object) -> None:
    if written["kind"] != "Lease":
        _die()


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@dataclass(frozen=True)
class Case:
    """What is done to the application, and which version answers in the end."""

    strategy: Strategy
    act: Callable[[World], Record]
    answers: str
    prepare: Callable[[World], object] = lambda _shop: None


def come_in(shop: World) -> Record:
    return shop.roll_out(version(shop, 2), BY)


def come_in_ill(shop: World) -> Record:
    return shop.roll_out(shop.release({"version": "2"}), BY)


def hurt(shop: World) -> Record:
    shop.judge = judged_worse
    return shop.roll_out(version(shop, 2), BY)


def go_back(shop: World) -> Record:
    return shop.roll_back(by=BY)


def second(shop: World) -> None:
    assert shop.roll_out(version(shop, 2)).state is RolloutState.SUCCEEDED


CASES = {
    "a rolling update": Case(ROLLING, come_in, "2"),
    "a rolling update that fails its probe": Case(ROLLING, come_in_ill, "1"),
    "a canary": Case(CANARY, come_in, "2"),
    "a canary that hurts": Case(CANARY, hurt, "1"),
    "blue-green": Case(BLUE_GREEN, come_in, "2"),
    "a rollback by hand": Case(ROLLING, go_back, "1", second),
}


@pytest.fixture
def shop(tmp_path: Path, lab: object) -> Iterator[World]:
    del lab  # it has to be up, and says where it is in its state folder
    with routed_world(tmp_path / "killed") as made:
        yield made


@pytest.fixture
def calm(tmp_path: Path, lab: object) -> Iterator[World]:
    del lab
    with routed_world(tmp_path / "calm") as made:
        yield made


SHOWN = ("a canary", "a rolling update that fails its probe")
"""Whatever is killed goes one of these two ways; the others are variants of them."""


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(case, id=name, marks=() if name in SHOWN else pytest.mark.soak)
        for name, case in CASES.items()
    ],
)
def test_killed_after_every_single_change(case: Case, shop: World, calm: World) -> None:
    for each in (shop, calm):
        each.strategy = case.strategy
        given_live(each)
        case.prepare(each)
    expected = case.act(calm)
    with Load(shop).running() as load:
        deaths = run_until_it_lives(shop, case.act)
    stored = stored_history(shop.place, shop.cluster)[0]
    record = stored.record
    assert told(record, shop) == told(expected, calm)
    assert deaths > len(stored.progress.marks), "it was killed after each of its steps"
    assert load.failures(record) == []
    with Load(shop).running() as after:
        shop.clock.wait(timedelta(seconds=1))
    assert {said for _, is_tester, said in after.answers if not is_tester} == {case.answers}
    then_nothing_is_left_of_the_canary(shop)


def run_until_it_lives(shop: World, act: Callable[[World], Record]) -> int:
    """Start again what was killed until nothing is left to do, and return how often it was."""
    for deaths in range(MOST_DEATHS):
        process = multiprocessing.get_context("fork").Process(target=alone, args=(shop, act))
        process.start()
        process.join()
        if process.exitcode == 0:
            return deaths
        assert process.exitcode == -signal.SIGKILL
    raise AssertionError(f"killed {MOST_DEATHS} times and still not over")


def alone(shop: World, act: Callable[[World], Record]) -> None:
    """Act in a process of its own, with connections of its own."""
    with connect(shop.target) as cluster:
        shop.cluster = DeadlyCluster(cluster.api, cluster.context)
        act(shop)


def told(record: Record, shop: World) -> tuple[object, ...]:
    """Return everything in a record that no kill may change: all but names and times."""
    moments = [(_plain(each.what, shop), each.share, each.outcome) for each in record.moments]
    verdicts = [(each.outcome, _plain(each.reason, shop)) for each in record.verdicts]
    return record.number, record.state, _plain(record.reason, shop), verdicts, moments


def _plain(text: str, shop: World) -> str:
    """Leave out what differs between two namespaces: their names, releases and pods."""
    text = re.sub(r"\br-[0-9a-f]{12}\b", "RELEASE", text.replace(shop.namespace, "NAMESPACE"))
    return re.sub(r"-[0-9a-f]{8,10}-[a-z0-9]{5}\b", "-POD", text)
