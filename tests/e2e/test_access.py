"""What `slipway access` grants is enough for a delivery and a rollback, and for nothing else."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tasks.core.cluster import Scope
from tasks.core.cluster_api import connect
from tasks.core.errors import ConfigError
from tasks.core.objects import Kind

if TYPE_CHECKING:
    from tests.e2e.pipeline_world import Pipeline
    from tests.e2e.shop import Shop

pytestmark = pytest.mark.e2e

SECRET, NODE, POD = Kind("v1", "Secret"), Kind("v1", "Node"), Kind("v1", "Pod")


@pytest.fixture(scope="module")
def shop(pipeline: "Pipeline") -> "Iterator[Shop]":
    with pipeline.shop("dev") as made:
        yield made.given_least_rights("dev")


def test_a_release_comes_and_goes_back_with_the_rights_of_its_environment_alone(
    pipeline: "Pipeline", shop: "Shop"
) -> None:
    for words in ("First", "Second"):
        shop.given_greeting(words)
        delivered = pipeline.when_delivered(shop)
        assert delivered.state == "COMPLETED", delivered.message
    back = pipeline.when_rolled_back(shop, "dev")
    assert back.state == "COMPLETED", back.message
    assert "<h1>First</h1>" in shop.get("dev").text


@pytest.mark.parametrize(
    ("kind", "namespace"), [(SECRET, "kube-system"), (POD, "default"), (NODE, "")]
)
def test_what_is_not_of_the_environment_is_refused(
    shop: "Shop", kind: Kind, namespace: str
) -> None:
    assert shop.acting is not None
    with connect(shop.acting) as cluster, pytest.raises(ConfigError, match="forbidden"):
        cluster.find(Scope((kind,), namespace))
