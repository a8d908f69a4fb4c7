"""What `slipway access` grants is enough for a delivery and a rollback, and for nothing else."""

from collections.abc import Iterator
from typing import TYPE_CHECKING
from uuid import uuid4

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
NAMESPACE = "    namespace: "
MADE_UP = "    secrets: [{ name: made-up, keys: [password] }]\n"
KUSTOMIZATION = "deploy/base/kustomization.yaml"
PLANTED = """
secretGenerator:
  - name: planted
    literals:
      - PASSWORD={value}
"""


@pytest.fixture(scope="module")
def shop(pipeline: "Pipeline") -> "Iterator[Shop]":
    """An application with a Secret among its manifests and one that Slipway makes up."""
    with pipeline.shop("dev") as made:
        made.given_change("slipway.yaml", NAMESPACE, MADE_UP + NAMESPACE)
        know(made, planted(pipeline))
        yield made.given_least_rights("dev")


def know(shop: "Shop", password: str) -> None:
    """Commit a password among the manifests."""
    file = shop.repository / KUSTOMIZATION
    text = file.read_text().partition(PLANTED.partition("{")[0])[0]
    file.write_text(text + PLANTED.format(value=password))
    shop.given_commit("Know a password")


def planted(pipeline: "Pipeline") -> str:
    """Return a secret that must not be found in anything that Slipway writes."""
    value = f"planted-{uuid4().hex}"
    pipeline.planted.add(value)
    return value


def test_a_release_comes_and_goes_back_with_the_rights_of_its_environment_alone(
    pipeline: "Pipeline", shop: "Shop"
) -> None:
    first = pipeline.when_delivered(shop)
    assert first.state == "COMPLETED", first.message
    know(shop, planted(pipeline))
    second = pipeline.when_delivered(shop)
    assert second.state == "COMPLETED", second.message
    back = pipeline.when_rolled_back(shop, "dev")
    assert back.state == "COMPLETED", back.message
    assert [number for number, _ in shop.states("dev")] == [1, 2, 3]


@pytest.mark.parametrize(
    ("kind", "namespace"), [(SECRET, "kube-system"), (POD, "default"), (NODE, "")]
)
def test_what_is_not_of_the_environment_is_refused(
    shop: "Shop", kind: Kind, namespace: str
) -> None:
    assert shop.acting is not None
    with connect(shop.acting) as cluster, pytest.raises(ConfigError, match="forbidden"):
        cluster.find(Scope((kind,), namespace))
