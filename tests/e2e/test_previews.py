"""A pull request's own namespace on a real cluster: it comes, answers, and goes."""

from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from pydantic import TypeAdapter

from infra import server
from tasks.core import process
from tasks.core.cluster import Scope
from tasks.core.cluster_api import connect
from tasks.core.objects import Kind, Ref
from tasks.core.previews import Previews

if TYPE_CHECKING:
    from infra.server.client import RunView
    from tests.e2e.pipeline_world import Pipeline
    from tests.e2e.shop import Shop

pytestmark = pytest.mark.e2e


def given_pull_request(shop: "Shop") -> str:
    """Propose an overlay for previews, made of dev's."""
    dev = Path(shop.repository, "deploy", "overlays", "dev", "kustomization.yaml")
    own = dev.parent.with_name("preview") / dev.name
    own.parent.mkdir()
    text = dev.read_text().replace(f"{shop.name}-dev", f"{shop.name}-pr-{{number}}")
    host = f"dev.{shop.name}.localhost"
    own.write_text(text.replace(host, f'"pr-{{number}}.{shop.name}.localhost"'))
    commit = shop.given_commit("Show pull requests")
    argv = ("git", "-C", str(shop.repository), "update-ref", "refs/pull/7/head", commit)
    process.run(argv, timeout=timedelta(minutes=1))
    return commit


def when_run(pipeline: "Pipeline", shop: "Shop", flow: str, **more: str) -> "RunView":
    previews = Previews("deploy/overlays/preview", f"{shop.name}-pr-{{number}}")
    parameters = {
        "repository": str(shop.repository),
        "number": 7,
        "application": shop.name,
        "previews": TypeAdapter(Previews).dump_python(previews, mode="json"),
        "target": asdict(shop.target),
        **more,
    }
    return pipeline.until_over(server.start(f"{flow}/{flow}", parameters))


def test_a_preview_comes_and_goes(pipeline: "Pipeline") -> None:
    with pipeline.shop("dev") as shop:
        commit = given_pull_request(shop)
        shown = when_run(pipeline, shop, "preview", commit=commit)
        assert shown.state == "COMPLETED", shown.message
        place = f"{shop.name}-pr-7"
        with connect(shop.target) as cluster:
            (workload,) = cluster.find(Scope((Kind("apps/v1", "Deployment"),), place))
            assert workload["status"]["availableReplicas"] == workload["spec"]["replicas"]
            namespace = cluster.read(Ref(Kind("v1", "Namespace"), "", place))
        assert namespace is not None
        assert namespace["metadata"]["labels"]["slipway.dev/pull-request"] == "7"
        removed = when_run(pipeline, shop, "remove-preview")
        assert removed.state == "COMPLETED", removed.message
        with connect(shop.target) as cluster:
            left = cluster.read(Ref(Kind("v1", "Namespace"), "", place))
        assert left is None or "deletionTimestamp" in left["metadata"]
