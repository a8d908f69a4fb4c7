import json
from dataclasses import replace
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from infra.cli.audit import audit
from infra.cli.release import app as release
from infra.examples import EXAMPLES
from tasks.audit.decide import anchor_text
from tasks.audit.effects import append, fetch
from tasks.audit.model import Act, Deed, Proof, Subject
from tasks.core.cluster_fake import FakeCluster
from tasks.core.objects import Kind, Ref
from tasks.rollout import records
from tasks.rollout.model import By
from tests.unit.tasks.rollout.test_canary import ONE, TWO
from tests.unit.tasks.rollout.world import World

MYFIN = str(EXAMPLES / "myfin")
SECOND = Ref(Kind("v1", "ConfigMap"), "shop", "slipway-audit-000002")
ABOUT = Subject("shop", "prod", "r-1", "p-1")


@pytest.fixture
def world(cluster: FakeCluster) -> World:
    """A shop whose second rollout was approved."""
    found = World(cluster=cluster)
    found.probes = ()
    found.when_rolling_out(ONE)
    deed = Deed("1", Act.REFUSED, "eve", Proof.NONE, "Prefect UI", ABOUT, "wrong code of eve")
    append(cluster, "shop", deed, cluster.clock)
    yes = replace(deed, key="2", act=Act.APPROVED, actor="ana", proof=Proof.TOTP, reason="yes")
    head = append(cluster, "shop", yes, cluster.clock)
    found.when_rolling_out(TWO, By("run-2", approved_by=("ana",), trail=anchor_text(head)))
    return found


def run(*words: str) -> Result:
    app = typer.Typer()
    app.command()(audit)
    return CliRunner().invoke(app, words)


def of_the_shop(*words: str) -> Result:
    return run("--namespace", "shop", *words)


@pytest.mark.usefixtures("world")
def test_the_trail_says_who_did_what_from_where_and_why() -> None:
    shown = of_the_shop().stdout.splitlines()
    assert shown[0].split() == [
        *("WHERE", "NO", "AT", "WHO", "PROOF", "FROM", "WHAT", "ABOUT", "WHY")
    ]
    assert "eve  none   Prefect UI  answer refused  r-1 p-1  wrong code of eve" in shown[1]
    assert "ana  totp   Prefect UI  approved" in shown[2]


@pytest.mark.usefixtures("world")
def test_scripts_get_every_entry_with_its_hash() -> None:
    [trail] = json.loads(of_the_shop("--json", "--verify").stdout)
    assert (trail["where"], trail["fault"]) == ("shop", None)
    first, second = trail["entries"]
    assert second["previous"] == first["sha256"]
    assert second["deed"]["about"]["plan"] == "p-1"


@pytest.mark.usefixtures("world")
def test_an_unbroken_trail_is_verified() -> None:
    result = of_the_shop("--verify")
    assert (result.stdout, result.exit_code) == ("✓ shop: 2 entries, unbroken\n", 0)


def test_an_entry_that_was_changed_is_named_and_the_exit_code_is_1(world: World) -> None:
    content = world.cluster.objects[SECOND]["data"]
    content["entry"] = content["entry"].replace("ana", "eve")
    result = of_the_shop("--verify")
    assert (result.stdout, result.exit_code) == ("✗ shop: entry 2 was altered\n", 1)
    assert "✗ shop: entry 2 was altered" in of_the_shop().stdout


def test_the_newest_entry_is_missed_where_a_rollout_refers_to_it(world: World) -> None:
    world.cluster.delete(SECOND)
    result = of_the_shop("--verify")
    expected = "✗ shop: entry 2 is missing: rollout 2 refers to it\n"
    assert (result.stdout, result.exit_code) == (expected, 1)


def test_without_an_environment_all_are_shown_and_who_may_approve(cluster: FakeCluster) -> None:
    for namespace in ("myfin-prod", "slipway"):
        cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
        deed = Deed("1", Act.CLEARED, "rui", Proof.CLI, "rui@laptop (slipway)", Subject())
        append(cluster, namespace, deed, cluster.clock)
    assert run("-a", MYFIN, "--verify").stdout.splitlines() == [
        "✓ dev/myfin: 0 entries, unbroken",
        "✓ staging/myfin: 0 entries, unbroken",
        "✓ prod/myfin: 1 entry, unbroken",
        "✓ approvers: 1 entry, unbroken",
    ]


def test_who_lets_a_bad_release_be_deployed_again_stands_in_the_trail(
    cluster: FakeCluster, tmp_path: Path
) -> None:
    world = World(cluster=cluster)
    world.probes = ()
    world.when_rolling_out(ONE)
    world.when_rolling_out(TWO)
    world.when_rolling_back()
    (tmp_path / "slipway.yaml").write_text(SHOP)
    (tmp_path / "Dockerfile").write_text("FROM scratch AS runtime\n")
    (tmp_path / "deploy").mkdir()
    (tmp_path / "deploy" / "kustomization.yaml").write_text("resources: [api.yaml]\n")
    (tmp_path / "deploy" / "api.yaml").write_text(API)
    words = (TWO.id, "prod", "--reason", "the database", "-a", str(tmp_path))
    result = CliRunner().invoke(release, words)
    assert result.exit_code == 0, result.exception
    assert not records.bad_releases(records.fetch(cluster, "shop"))
    [kept] = fetch(cluster, "shop")
    assert '"act":"cleared"' in kept.text
    assert '"reason":"the database"' in kept.text


SHOP = """\
application: shop
registry: localhost/shop
components: {api: {context: ., image: {target: runtime}, port: 80}}
environments:
  prod: {overlay: deploy, namespace: shop}
"""

API = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: api}
spec:
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api}}
    spec: {containers: [{name: api, image: shop-api}]}
"""
