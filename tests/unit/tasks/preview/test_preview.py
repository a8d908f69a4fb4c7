from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tasks.core.cluster_fake import FakeCluster
from tasks.core.errors import Conflict, GateClosed, Unavailable
from tasks.core.objects import Object
from tasks.core.previews import Previews
from tasks.preview.decide import is_due
from tasks.preview.effects import Pull, claim, remove

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
PREVIEWS = Previews("deploy/preview", "shop-pr-{number}", most=2)
SEVEN = Pull("shop", 7, PREVIEWS)


@pytest.fixture
def cluster() -> FakeCluster:
    return FakeCluster()


def namespace(**labels: str) -> Object:
    named = {key.replace("_", "-"): value for key, value in labels.items()}
    known = {
        "managed-by": "app.kubernetes.io/managed-by",
        "application": "slipway.dev/application",
        "pull-request": "slipway.dev/pull-request",
    }
    worded = {known[key]: value for key, value in named.items()}
    metadata = {"name": "shop-pr-7", "labels": worded}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}


def test_a_preview_comes_and_goes(cluster: FakeCluster) -> None:
    assert claim(SEVEN, cluster, NOW) == NOW + timedelta(hours=72)
    assert remove(SEVEN, cluster) == "namespace shop-pr-7 is removed"
    assert remove(SEVEN, cluster) == "namespace shop-pr-7 is not there"


def test_a_preview_that_is_asked_for_again_is_kept_longer(cluster: FakeCluster) -> None:
    claim(SEVEN, cluster, NOW)
    claim(SEVEN, cluster, NOW + timedelta(hours=70))
    assert remove(SEVEN, cluster, NOW + timedelta(hours=72)) == "namespace shop-pr-7 is kept longer"
    later = NOW + timedelta(hours=142)
    assert remove(SEVEN, cluster, later) == "namespace shop-pr-7 is removed"


@pytest.mark.parametrize(
    "theirs",
    [
        pytest.param(namespace(), id="nobody's"),
        pytest.param(namespace(managed_by="slipway"), id="an environment of ours"),
        pytest.param(
            namespace(managed_by="slipway", application="shop"), id="an application's environment"
        ),
        pytest.param(
            namespace(managed_by="slipway", application="other", pull_request="7"),
            id="another application's preview",
        ),
        pytest.param(
            namespace(managed_by="slipway", application="shop", pull_request="77"),
            id="another pull request's",
        ),
        pytest.param(
            namespace(managed_by="helm", application="shop", pull_request="7"), id="another tool's"
        ),
    ],
)
def test_a_namespace_that_was_not_made_for_the_pull_request_is_neither_used_nor_removed(
    cluster: FakeCluster, theirs: Object
) -> None:
    cluster.create(theirs)
    with pytest.raises(GateClosed, match="was not made for pull request 7 of shop"):
        claim(SEVEN, cluster, NOW)
    with pytest.raises(GateClosed, match="and is left alone"):
        remove(SEVEN, cluster)
    assert [write for write in cluster.writes if write.startswith(("delete", "apply"))] == []


def test_there_are_no_more_previews_than_there_may_be(cluster: FakeCluster) -> None:
    claim(SEVEN, cluster, NOW)
    claim(replace(SEVEN, number=8), cluster, NOW)
    with pytest.raises(GateClosed, match="2 previews are there already: shop-pr-7, shop-pr-8"):
        claim(replace(SEVEN, number=9), cluster, NOW)
    claim(SEVEN, cluster, NOW)
    claim(Pull("other", 9, replace(PREVIEWS, namespace="other-{number}")), cluster, NOW)


def test_a_namespace_on_its_way_out_is_waited_for(cluster: FakeCluster) -> None:
    labels = {"managed_by": "slipway", "application": "shop", "pull_request": "7"}
    leaving = namespace(**labels)
    leaving["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    cluster.create(leaving)
    with pytest.raises(Unavailable, match="is still being removed"):
        claim(SEVEN, cluster, NOW)


def test_a_namespace_that_somebody_makes_meanwhile_is_theirs() -> None:
    class Late(FakeCluster):
        """Somebody else is there between the look and the creation."""

        def create(self, thing: Object) -> Object:
            super().create(namespace(managed_by="helm"))
            raise Conflict(str(thing["metadata"]["name"]))

    with pytest.raises(GateClosed, match="was not made for"):
        claim(SEVEN, Late(), NOW)


@pytest.mark.parametrize(
    ("until", "expected"),
    [
        pytest.param("2026-01-01T12:00:00+00:00", True, id="now"),
        pytest.param("2026-01-01T12:00:01+00:00", False, id="a second too early"),
        pytest.param("2026-01-02", True, id="without a time zone"),
        pytest.param("soon", True, id="no date"),
        pytest.param(None, True, id="without one"),
    ],
)
def test_when_a_preview_is_old_enough(until: str | None, *, expected: bool) -> None:
    metadata: Object = {"annotations": {"slipway.dev/until": until} if until else None}
    assert is_due({"metadata": metadata}, NOW) is expected
