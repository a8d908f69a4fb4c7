"""What fails is told with its reason, and users keep what they had.

Slipway works with the rights of `slipway access` here, which are enough for everything but for
what is not of the environment.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from tasks.core.cluster import Scope
from tasks.core.cluster_api import connect
from tasks.core.errors import ConfigError
from tasks.core.objects import Kind
from tests.e2e.pipeline_world import plant

if TYPE_CHECKING:
    from tests.e2e.pipeline_world import Pipeline
    from tests.e2e.shop import Shop

pytestmark = pytest.mark.e2e

CONFIG = "deploy/base/kustomization.yaml"
MANIFESTS = "deploy/base/guestbook.yaml"
GREETING = "      - GREETING=Guestbook"
KEY_LINE = "MIIBVQIBADANBgkqhkiG9w0BAQEFAASCAT8wggE7AgEAAkEAq7BFUpkGp3+LQmlQ"

SECRET, NODE, POD = Kind("v1", "Secret"), Kind("v1", "Node"), Kind("v1", "Pod")
NAMESPACE = "    namespace: "
MADE_UP = "    secrets: [{ name: made-up, keys: [password] }]\n"
PLANTED = """
secretGenerator:
  - name: planted
    literals: [PASSWORD={value}]
"""

NO_SUCH_IMAGE = """\
      initContainers:
        - name: wait
          image: busybox:no-such-tag
          securityContext:
            allowPrivilegeEscalation: false
            readOnlyRootFilesystem: true
            capabilities: { drop: [ALL] }
"""


@pytest.fixture(scope="module")
def live(pipeline: "Pipeline") -> "Iterator[Shop]":
    """An application with a good release in dev, whose probe looks at the version.

    There is a Secret among its manifests, and one that Slipway makes up.
    """
    with pipeline.shop("dev") as shop:
        value = f"planted-{uuid4().hex}"
        plant([value])
        with (shop.repository / CONFIG).open("a") as manifests:
            manifests.write(PLANTED.format(value=value))
        shop.given_change("slipway.yaml", NAMESPACE, MADE_UP + NAMESPACE)
        file = shop.repository / "slipway.yaml"
        wanted = """contains: '"version": "0"', deadline: 6s"""
        file.write_text(file.read_text().replace("""contains: '"ok"'""", wanted))
        shop.given_commit("Watch the version")
        shop = shop.given_least_rights("dev")  # noqa: PLW2901 the same, with fewer rights
        view = pipeline.when_delivered(shop)
        assert view.state == "COMPLETED", view.message
        yield shop


@pytest.fixture
def shop(live: "Shop") -> "Iterator[Shop]":
    """The same, with its good files in the work tree at the beginning of each test."""
    with live.files_kept():
        yield live


def numbers(shop: "Shop") -> list[int]:
    return [number for number, _ in shop.states("dev")]


def good_images(shop: "Shop") -> set[str]:
    return {each["spec"]["containers"][0]["image"] for each in shop.pods("dev")}


class TestBeforeAnythingIsRolledOut:
    def test_failing_tests_and_lint_are_both_told(self, pipeline: "Pipeline", shop: "Shop") -> None:
        before = shop.states("dev")
        shop.given_change("tests/test_guestbook.py", "== KEPT\n", "== KEPT + 1\n")
        shop.given_change("guestbook/book.py", "from threading", "import os\nfrom threading")
        failed = pipeline.when_delivered(shop)
        assert failed.state == "FAILED"
        assert "test_the_book_keeps_the_newest_lines" in failed.message
        assert "lint" in failed.message
        assert "F401" in pipeline.log(failed.id)
        assert not any("roll out" in stage for stage in pipeline.stages(failed))
        assert shop.states("dev") == before

    def test_a_private_key_in_the_image_blocks(self, pipeline: "Pipeline", shop: "Shop") -> None:
        before = shop.states("dev")
        words = ("-----BEGIN", "RSA", "PRIVATE", "KEY-----")
        key = "\n".join([" ".join(words), KEY_LINE, " ".join(words).replace("BEGIN", "END"), ""])
        (shop.repository / "guestbook" / "deploy.pem").write_text(key)
        shop.given_commit("Sign our cookies")
        failed = pipeline.when_delivered(shop)
        assert failed.state == "FAILED"
        assert "secret" in failed.message
        assert "/app/guestbook/deploy.pem" in failed.message + pipeline.log(failed.id)
        assert KEY_LINE not in failed.message + pipeline.log(failed.id)
        assert shop.states("dev") == before

    def test_a_privileged_container_blocks_though_every_image_is_there(
        self, pipeline: "Pipeline", shop: "Shop"
    ) -> None:
        before = shop.states("dev")
        shop.given_change(MANIFESTS, "allowPrivilegeEscalation: false", "privileged: true")
        failed = pipeline.when_delivered(shop)
        assert failed.state == "FAILED"
        assert "misconfiguration" in failed.message
        assert "web: build" not in pipeline.stages(failed)
        assert not any("assemble" in stage for stage in pipeline.stages(failed))
        assert shop.states("dev") == before


class TestTakenBack:
    """Every time the whole release before comes back, configuration included."""

    def test_a_probe_that_fails(self, pipeline: "Pipeline", shop: "Shop") -> None:
        images, last = good_images(shop), numbers(shop)[-1]
        shop.given_change(CONFIG, GREETING, "      - GREETING=Bad\n      - VERSION=bad")
        failed = pipeline.when_delivered(shop)
        assert failed.state == "FAILED"
        assert "is live again" in failed.message
        assert shop.states("dev")[-1] == (last + 1, "restored")
        assert shop.config("dev") == {"Guestbook"}
        assert good_images(shop) == images
        assert "<h1>Guestbook</h1>" in shop.get("dev").text

        refused = pipeline.when_delivered(shop)
        assert refused.state == "FAILED"
        assert "was taken back here before" in refused.message
        assert numbers(shop)[-1] == last + 1

    def test_a_crash_loop(self, pipeline: "Pipeline", shop: "Shop") -> None:
        last = numbers(shop)[-1]
        shop.given_change(CONFIG, GREETING, "      - GREETING=Crash\n      - PORT=none")
        failed = pipeline.when_delivered(shop)
        assert failed.state == "FAILED"
        assert "crashes again and again" in failed.message
        assert shop.states("dev")[-1] == (last + 1, "restored")
        assert shop.config("dev") == {"Guestbook"}

    def test_an_image_that_cannot_be_pulled(self, pipeline: "Pipeline", shop: "Shop") -> None:
        last = numbers(shop)[-1]
        containers = "      containers:\n"
        shop.given_change("deploy/base/guestbook.yaml", containers, NO_SUCH_IMAGE + containers)
        failed = pipeline.when_delivered(shop)
        assert failed.state == "FAILED"
        assert "cannot be pulled" in failed.message
        assert shop.states("dev")[-1] == (last + 1, "restored")
        assert "initContainers" not in shop.workload("dev")["spec"]["template"]["spec"]


@pytest.mark.parametrize(
    ("kind", "namespace"), [(SECRET, "kube-system"), (POD, "default"), (NODE, "")]
)
def test_what_is_not_of_the_environment_is_not_slipways_to_see(
    shop: "Shop", kind: Kind, namespace: str
) -> None:
    assert shop.acting is not None
    with connect(shop.acting) as cluster, pytest.raises(ConfigError, match="forbidden"):
        cluster.find(Scope((kind,), namespace))


def test_a_rollback_by_hand_goes_to_any_good_rollout(pipeline: "Pipeline", shop: "Shop") -> None:
    before = numbers(shop)
    shop.given_greeting("Welcome")
    better = pipeline.when_delivered(shop)
    assert better.state == "COMPLETED", better.message
    assert "<h1>Welcome</h1>" in shop.get("dev").text

    back = pipeline.when_rolled_back(shop, "dev", to=1)
    assert back.state == "COMPLETED", back.message
    newest = shop.history("dev")[0]
    assert newest.restores == 1
    assert newest.reason.startswith("users suffer; ")
    assert "<h1>Guestbook</h1>" in shop.get("dev").text
    assert shop.config("dev") == {"Guestbook"}
    assert numbers(shop) == [*before, before[-1] + 1, before[-1] + 2]

    refused = pipeline.when_delivered(shop)
    assert "was taken back here before" in refused.message
    bad = shop.history("dev")[1].release.id
    words = (
        "release",
        "clear",
        bad,
        "dev",
        "-a",
        str(shop.repository),
        "--reason",
        "no, we do not",
    )
    assert "may be deployed again" in pipeline.slipway(*words).stdout
    again = pipeline.when_delivered(shop)
    assert again.state == "COMPLETED", again.message
    assert "<h1>Welcome</h1>" in shop.get("dev").text


def test_a_first_rollout_that_fails_has_nothing_to_go_back_to(pipeline: "Pipeline") -> None:
    with pipeline.shop("dev") as shop:
        shop.given_change(CONFIG, GREETING, "      - GREETING=Crash\n      - PORT=none")
        failed = pipeline.when_delivered(shop)
        assert failed.state == "FAILED"
        assert "there is no earlier release to go back to" in failed.message
        assert shop.states("dev") == [(1, "failed")]
        assert shop.pods("dev")  # the evidence stays
