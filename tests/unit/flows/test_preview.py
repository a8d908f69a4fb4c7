"""Showing pull requests: real git, Trivy and kustomize; stand-ins for the rest of the world."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Literal

import pytest
from prefect import flow
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import FlowRun, State
from prefect.runtime import flow_run
from prefect.states import Running, Scheduled
from pydantic import TypeAdapter

from flows.preview import preview, remove_preview
from flows.pulls import require_newest
from tasks.core.cluster_fake import FakeCluster
from tasks.core.objects import Kind, Ref
from tasks.core.previews import Previews
from tasks.core.record import Record, RolloutState
from tasks.core.target import Target
from tests.unit.flows.pull_world import DEPLOYMENT, DOCKERFILE, Pulls, pulls
from tests.unit.tasks.push.registry_stand_in import RegistryStandIn, running_registry
from tests.unit.tasks.rollout.world import World

YAML = """\
application: shop
components:
  api: {context: api, image: {name: api}}
environments:
  dev: {overlay: deploy/dev, namespace: shop-dev}
scan: {no_database: ignore, nothing_scanned: ignore, high: warn, critical: warn}
"""
FILES = {
    "slipway.yaml": YAML,
    "api/Dockerfile": DOCKERFILE,
    "deploy/dev/kustomization.yaml": "resources: [api.yaml]\n",
    "deploy/dev/api.yaml": DEPLOYMENT.format(name="api").replace("shop-api:1", "api"),
    "deploy/preview/kustomization.yaml": "namespace: shop-pr-{number}\n"
    "resources: [../dev, own.yaml]\n"
    "commonAnnotations: {host: 'pr-{number}.example.com'}\n",
    "deploy/preview/own.yaml": "apiVersion: v1\nkind: Namespace\nmetadata: {name: any}\n",
}
PREVIEWS = Previews("deploy/preview", "shop-pr-{number}")
NAMESPACE = Ref(Kind("v1", "Namespace"), "", "shop-pr-7")
WORKLOAD = Ref(Kind("apps/v1", "Deployment"), "shop-pr-7", "api")


@pytest.fixture
def registry() -> Iterator[RegistryStandIn]:
    with running_registry() as found:
        yield found


@pytest.fixture
def proposed(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pulls]:
    @contextmanager
    def connect(_target: object) -> Iterator[FakeCluster]:
        yield world.cluster

    monkeypatch.setattr("tasks.preview.task.connect", connect)
    monkeypatch.setenv("SLIPWAY_INSTANCE", "unit")
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))
    with get_client(sync_client=True) as client:
        client.create_deployment(client.create_flow(remove_preview), "remove-preview")
    with pulls(tmp_path) as found:
        yield found


def target_of(pulls: Pulls, registry: RegistryStandIn) -> Target:
    workshop = pulls.workshop
    return Target(
        "kubeconfig", "ctx", f"{registry.host}/team", workshop.builder, "", workshop.buildx
    )


def shown(pulls: Pulls, commit: str, target: Target) -> State[Record]:
    """Show a pull request, asked for as the receiver does."""
    described = TypeAdapter(Previews).dump_python(PREVIEWS, mode="json")
    return preview(pulls.repository, 7, commit, "shop", described, target, return_state=True)


def removed(pulls: Pulls, target: Target, because: Literal["closed", "age"] = "closed") -> str:
    return remove_preview(pulls.repository, 7, "shop", PREVIEWS, target, because)


def planned() -> list[FlowRun]:
    with get_client(sync_client=True) as client:
        runs = client.read_flow_runs(limit=200)
    return [each for each in runs if each.parameters.get("because") == "age"]


def test_a_preview_comes_and_goes(
    proposed: Pulls, world: World, registry: RegistryStandIn, tmp_path: Path
) -> None:
    target = target_of(proposed, registry)
    before = len(planned())
    record = shown(proposed, proposed.given_head(7, FILES), target).result()
    assert record.state is RolloutState.SUCCEEDED
    assert world.cluster.objects[NAMESPACE]["metadata"]["labels"] == {
        "app.kubernetes.io/managed-by": "slipway",
        "slipway.dev/application": "shop",
        "slipway.dev/environment": "pr-7",
        "slipway.dev/pull-request": "7",
    }
    workload = world.cluster.objects[WORKLOAD]
    assert workload["metadata"]["annotations"]["host"] == "pr-7.example.com"
    pods = workload["spec"]["template"]["spec"]
    assert pods["containers"][0]["image"] == record.release.images[0].reference
    assert record.release.images[0].repository == f"{registry.host}/team/api"
    assert len(planned()) == before + 1
    assert removed(proposed, target, because="age") == "namespace shop-pr-7 is kept longer"
    assert removed(proposed, target) == "namespace shop-pr-7 is removed"
    assert NAMESPACE not in world.cluster.objects
    assert not list(tmp_path.rglob("delivered/*.json")), "no delivery reuses what it built"
    assert not any("type=registry" in word for words, _ in proposed.builds() for word in words)


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        pytest.param(
            {"slipway.yaml": YAML.replace("application: shop", "application: bank")},
            "calls itself bank in this pull request, not shop",
            id="another application's name",
        ),
        pytest.param(
            {
                "deploy/preview/kustomization.yaml": "resources: [../dev, role.yaml]\n",
                "deploy/preview/role.yaml": "apiVersion: rbac.authorization.k8s.io/v1\n"
                "kind: ClusterRole\nmetadata: {name: all}\n",
            },
            "ClusterRole/all belongs to the whole cluster",
            id="rights in the whole cluster",
        ),
        pytest.param(
            {
                "deploy/preview/kustomization.yaml": "resources: [../dev, node.yaml]\n",
                "deploy/preview/node.yaml": "apiVersion: v1\nkind: Node\nmetadata: {name: one}\n",
            },
            "Node/one belongs to the whole cluster",
            id="a kind that only the cluster knows to have no namespace",
        ),
        pytest.param(
            {"deploy/preview/kustomization.yaml": "namespace: kube-system\nresources: [../dev]\n"},
            "is in namespace kube-system, not in shop-pr-7",
            id="another namespace",
        ),
    ],
)
def test_a_pull_request_that_wants_more_than_its_namespace_goes_nowhere(
    proposed: Pulls,
    world: World,
    registry: RegistryStandIn,
    files: dict[str, str],
    expected: str,
) -> None:
    commit = proposed.given_head(7, {**FILES, **files})
    state = shown(proposed, commit, target_of(proposed, registry))
    assert expected in str(state.message)
    assert (registry.requests, world.cluster.writes) == ([], [])


def test_closing_ends_what_is_under_way_and_leaves_what_looks_later(
    proposed: Pulls, registry: RegistryStandIn
) -> None:
    with get_client(sync_client=True) as client:
        about = {"repository": proposed.repository, "number": 7}
        waiting = client.create_flow_run(preview, parameters=about, state=Scheduled()).id
        later = {**about, "because": "age"}
        planned = client.create_flow_run(remove_preview, parameters=later, state=Scheduled()).id
    removed(proposed, replace(target_of(proposed, registry), context=""))
    with get_client(sync_client=True) as client:
        names = [client.read_flow_run(each).state_name for each in (waiting, planned)]
    assert names == ["Superseded", "Scheduled"]


def test_a_preview_that_was_closed_meanwhile_does_not_come(proposed: Pulls) -> None:
    about = {"repository": proposed.repository, "number": 7}
    with get_client(sync_client=True) as client:
        client.create_flow_run(preview, parameters=about, state=Running())

    @flow
    def slow() -> None:
        require_newest(proposed.repository, 7)
        with get_client(sync_client=True) as client:
            client.create_flow_run(remove_preview, parameters=about, state=Running())
        require_newest(proposed.repository, 8)
        require_newest(proposed.repository, 7)
        pytest.fail(str(flow_run.id))

    assert "superseded by the run" in str(slow(return_state=True).message)
