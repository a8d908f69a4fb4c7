import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tasks.core.application import Environment, GeneratedSecret
from tasks.core.cluster_fake import FakeCluster
from tasks.core.errors import ConfigError, Conflict
from tasks.core.gates import Approval, Freeze
from tasks.core.model import Manifests, Outcome, Verdict
from tasks.core.probes import Probe
from tasks.core.record import Change, ChangeKind, Plan, RolloutState
from tasks.core.sample import Sample
from tasks.core.strategy import Canary, Strategy
from tasks.rollout import records
from tasks.rollout.model import Progress, Stored
from tests.unit.tasks.releases import RECORD
from tests.unit.tasks.rollout.world import config_map, make_release

NOW = datetime(2026, 1, 1, 12, 30, 0, 250000, tzinfo=UTC)
RELEASE = make_release(config_map("one", a="1"))


def stored(
    number: int, state: RolloutState = RolloutState.SUCCEEDED, *, release: str = "r-1"
) -> Stored:
    verdict = Verdict(Outcome.FAILED, "why", ("line",))
    record = replace(
        RECORD,
        number=number,
        namespace="shop",
        release=replace(RELEASE, id=release),
        state=state,
        started_at=NOW,
        finished_at=NOW + timedelta(seconds=3),
        run="run",
        actor="ann",
        verdicts=(verdict,),
    )
    return Stored(record, Progress({"applied": NOW}, failed=verdict))


@pytest.fixture
def cluster() -> FakeCluster:
    made = FakeCluster()
    made.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}})
    return made


def test_a_record_comes_back_as_it_was(cluster: FakeCluster) -> None:
    kept = records.add(cluster, stored(1))
    assert replace(kept, version="") == stored(1)
    assert records.fetch(cluster, "shop") == (kept,)


def test_a_record_knows_how_its_environment_was_described(cluster: FakeCluster) -> None:
    described = Environment(
        overlay="prod",
        namespace="shop",
        url="https://shop.example",
        strategy=Strategy(canary=Canary(steps=(5, 100), bake=timedelta(minutes=15))),
        probes=(Probe(path="/health", component="api", within=timedelta(milliseconds=1500)),),
        approval=Approval(approvers=("bob",), expires=timedelta(days=3)),
        freezes=(Freeze(start="Fri 16:00", end="Mon 08:00", tz="Europe/Lisbon"),),
        secrets=(GeneratedSecret(name="passwords", keys=("root",)),),
    )
    kept = records.add(cluster, replace(stored(1), environment=described))
    assert records.fetch(cluster, "shop")[0].environment == kept.environment == described


def test_a_record_of_an_older_slipway_is_read() -> None:
    secret = records.encode(stored(1))
    del secret["data"]["environment"]
    secret["metadata"]["resourceVersion"] = "1"
    assert records.decode(secret) == replace(stored(1), version="1")


def test_a_record_can_be_found_by_its_labels() -> None:
    secret = records.encode(replace(stored(7, RolloutState.RESTORED), bad=True))
    assert secret["metadata"]["name"] == "slipway-rollout-7"
    assert secret["type"] == "slipway.dev/rollout.v1"
    assert secret["metadata"]["labels"] == {
        "app.kubernetes.io/managed-by": "slipway",
        "slipway.dev/record": "rollout",
        "slipway.dev/application": "shop",
        "slipway.dev/environment": "prod",
        "slipway.dev/release": "r-1",
        "slipway.dev/state": "restored",
        "slipway.dev/bad": "true",
        "slipway.dev/cleared": "false",
    }


def test_two_that_want_the_same_number_get_two(cluster: FakeCluster) -> None:
    assert records.add(cluster, stored(1)).record.number == 1
    assert records.add(cluster, stored(1)).record.number == 2


def test_a_record_that_another_has_written_is_not_overwritten(cluster: FakeCluster) -> None:
    kept = records.add(cluster, stored(1))
    records.update(cluster, replace(kept, bad=True))
    with pytest.raises(Conflict):
        records.update(cluster, kept)


def test_a_release_that_is_too_large_is_refused_with_a_remedy() -> None:
    large = replace(RELEASE, manifests=(Manifests("prod", "shop", noise(2_200_000)),))
    record = replace(stored(1).record, release=large)
    with pytest.raises(ConfigError, match=r"bytes compressed.*Next: move large ConfigMaps"):
        records.encode(Stored(record))


def noise(length: int, seed: int = 1) -> str:
    """Text that compression makes no shorter than half."""
    return random.Random(seed).randbytes(length // 2).hex()  # noqa: S311 no secret


def counted(number: int) -> tuple[Sample, ...]:
    rng = random.Random(1)  # noqa: S311 no secret
    return tuple(
        Sample(NOW + timedelta(seconds=second), "availability", "canary", 5, rng.random(), second)
        for second in range(number)
    )


def test_a_record_that_is_too_large_adds_its_oldest_samples_up_first(cluster: FakeCluster) -> None:
    plan = Plan("p-1", "prod", "shop", "r-1", 1, (Change(ChangeKind.UPDATE, "ConfigMap/a", "+x"),))
    large = replace(RELEASE, manifests=(Manifests("prod", "shop", noise(1_735_000)),))
    samples = counted(2000)
    record = replace(stored(1).record, release=large, samples=samples, plan=plan)
    kept = records.add(cluster, Stored(record)).record
    assert 0 < len(kept.samples) < len(samples)
    assert kept.samples[-10:] == samples[-10:]
    assert sum(each.total for each in kept.samples) == sum(each.total for each in samples)
    assert replace(kept, samples=samples) == record


def test_a_count_that_is_no_number_makes_no_record_unreadable(cluster: FakeCluster) -> None:
    good = counted(3)
    broken = (*good, replace(good[0], bad=float("nan")), replace(good[0], total=float("inf")))
    kept = records.add(cluster, Stored(replace(stored(1).record, samples=broken))).record
    assert kept.samples == good


def test_a_record_that_is_larger_still_loses_the_diffs_of_its_plan(cluster: FakeCluster) -> None:
    changes = (Change(ChangeKind.UPDATE, "ConfigMap/a", noise(1_000_000, seed=2)),)
    plan = Plan("p-1", "prod", "shop", "r-1", 1, changes)
    large = replace(RELEASE, manifests=(Manifests("prod", "shop", noise(1_500_000)),))
    record = replace(stored(1).record, release=large, samples=counted(10), plan=plan)
    kept = records.add(cluster, Stored(record)).record
    bare = replace(plan, changes=(replace(changes[0], diff=""),))
    assert kept == replace(record, samples=(), plan=bare)


@pytest.mark.parametrize(
    ("before", "kept"),
    [
        ((stored(1), stored(2), stored(3, release="r-2")), [2, 3]),
        ((stored(1), stored(2, release="r-2"), stored(3, release="r-2")), [1, 3]),
        (
            (stored(1), replace(stored(2, release="r-2"), bad=True), stored(3, release="r-3")),
            [1, 2, 3],
        ),
        ((replace(stored(1), bad=True), stored(3, release="r-2")), [1, 3]),
    ],
    ids=["live and before", "another release", "past a bad one", "nothing to go back to"],
)
def test_the_newest_fifty_stay_with_what_is_live_and_what_a_rollback_goes_to(
    cluster: FakeCluster, before: tuple[Stored, ...], kept: list[int]
) -> None:
    for each in before:
        records.add(cluster, each)
    for number in range(4, 60):
        records.add(cluster, stored(number, RolloutState.RESTORED, release="r-late"))
    records.prune(cluster, records.fetch(cluster, "shop"))
    numbers = [each.record.number for each in records.fetch(cluster, "shop")]
    assert numbers == [*kept, *range(10, 60)]


def test_live_is_the_newest_that_succeeded() -> None:
    history = (stored(1), stored(2), stored(3, RolloutState.RESTORED))
    assert records.newest_good(history) == stored(2)
    assert records.newest_good(history[2:]) is None


def test_a_bad_release_is_good_again_when_it_has_succeeded_since() -> None:
    bad = replace(stored(1, RolloutState.RESTORED, release="r-bad"), bad=True)
    assert records.bad_releases((bad, stored(2))) == {"r-bad"}
    assert records.bad_releases((bad, stored(2, release="r-bad"))) == frozenset()


def test_a_bad_release_is_remembered_however_many_rollouts_came_since(
    cluster: FakeCluster,
) -> None:
    first = replace(stored(1, RolloutState.RESTORED, release="r-bad"), bad=True)
    records.add(cluster, first)
    for number in range(2, 2 + records.KEPT + 5):
        records.add(cluster, stored(number, release=f"r-{number}"))
    records.prune(cluster, records.fetch(cluster, "shop"))
    left = records.fetch(cluster, "shop")
    assert left[0].record.number == 1
    assert records.bad_releases(left) == {"r-bad"}
    assert len(left) == records.KEPT + 1
