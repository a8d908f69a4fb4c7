"""One entry a deed, one chain a namespace, whoever writes at the same time."""

import threading
from dataclasses import dataclass, replace

import pytest

from tasks.audit.decide import find_fault, read_entry, sha256
from tasks.audit.effects import append, fetch
from tasks.audit.model import Act, Deed, Proof
from tasks.core.cluster_fake import FakeCluster, Killed
from tasks.core.errors import ConfigError
from tasks.core.objects import Kind, Object, Ref

DEED = Deed("run-1/0", Act.APPROVED, "ana", Proof.TOTP, "Prefect UI", reason="ana said yes")
SECOND = Ref(Kind("v1", "ConfigMap"), "shop", "slipway-audit-000002")


@pytest.fixture
def cluster() -> FakeCluster:
    found = FakeCluster()
    found.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}})
    return found


def written(cluster: FakeCluster, *keys: str) -> None:
    for key in keys:
        append(cluster, "shop", replace(DEED, key=key), cluster.clock)


def keys(cluster: FakeCluster) -> list[str]:
    entries = map(read_entry, fetch(cluster, "shop"))
    return [entry.deed.key if entry else "?" for entry in entries]


def test_entries_are_immutable_objects_with_running_numbers(cluster: FakeCluster) -> None:
    written(cluster, "one", "two")
    thing = cluster.objects[SECOND]
    assert thing["immutable"] is True
    assert thing["metadata"]["labels"]["slipway.dev/audit"] == "entry"
    assert find_fault(fetch(cluster, "shop")) is None


def test_the_same_deed_is_the_same_entry(cluster: FakeCluster) -> None:
    written(cluster, "one", "two", "one")
    assert keys(cluster) == ["one", "two"]


def test_killed_after_it_was_written_a_run_does_not_write_it_again(cluster: FakeCluster) -> None:
    cluster.kill_after = 1
    append(cluster, "shop", DEED, cluster.clock)
    with pytest.raises(Killed):
        fetch(cluster, "shop")
    cluster.kill_after = None
    append(cluster, "shop", DEED, cluster.clock)
    assert keys(cluster) == [DEED.key]


@dataclass(slots=True)
class Crowded(FakeCluster):
    """Somebody else writes whenever we are about to."""

    others: int = 3

    def create(self, thing: Object) -> Object:
        if thing["kind"] == "ConfigMap" and self.others:
            self.others -= 1
            written(self, f"other {self.others}")
        return FakeCluster.create(self, thing)


def test_a_number_that_somebody_else_took_is_what_ours_hangs_on() -> None:
    cluster = Crowded()
    cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}})
    written(cluster, "ours")
    assert keys(cluster) == ["other 0", "other 1", "other 2", "ours"]
    assert find_fault(fetch(cluster, "shop")) is None


def test_many_writers_at_once_make_one_chain(cluster: FakeCluster) -> None:
    threads = [
        threading.Thread(target=written, args=(cluster, f"{one}a", f"{one}b")) for one in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(keys(cluster)) == sorted(f"{one}{word}" for one in range(8) for word in "ab")
    assert find_fault(fetch(cluster, "shop")) is None


def test_a_trail_that_was_tampered_with_takes_entries_and_keeps_its_fault(
    cluster: FakeCluster,
) -> None:
    written(cluster, "one", "two")
    cluster.objects[SECOND]["data"] = {"entry": "{}", "sha256": sha256("{}")}
    written(cluster, "three")
    assert keys(cluster) == ["one", "?", "three"]
    assert str(find_fault(fetch(cluster, "shop"))) == "entry 2 was altered"


def test_an_entry_whose_label_was_taken_off_still_holds_its_number(cluster: FakeCluster) -> None:
    written(cluster, "one", "two")
    cluster.objects[SECOND]["metadata"]["labels"] = {}
    written(cluster, "three")
    assert keys(cluster) == ["one", "three"]
    assert str(find_fault(fetch(cluster, "shop"))) == "entry 2 is missing"


def test_what_has_an_entrys_number_by_another_name_is_no_entry(cluster: FakeCluster) -> None:
    written(cluster, "one")
    cluster.create(
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {
                "name": "slipway-audit-0000001",
                "namespace": "shop",
                "labels": {"slipway.dev/audit": "entry"},
            },
            "data": {"entry": "{}", "sha256": sha256("{}")},
        }
    )
    assert keys(cluster) == ["one"]


def test_a_namespace_that_takes_no_entry_is_an_error() -> None:
    cluster = FakeCluster()
    with pytest.raises(ConfigError, match="namespace 'shop' not found"):
        append(cluster, "shop", DEED, cluster.clock)
