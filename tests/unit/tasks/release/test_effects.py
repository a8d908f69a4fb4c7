from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from tasks.core.application import Application, Component, Environment
from tasks.core.errors import ConfigError
from tasks.core.model import Digest, Release, ReleasedImage, Source
from tasks.core.objects import parse_stream
from tasks.core.target import Target
from tasks.release.decide import assemble
from tasks.release.effects import draft, render
from tasks.scan.decide import without_version

TARGET = Target("kubeconfig", "ctx", "registry", "b", "d")
IMAGE = ReleasedImage("api", "registry/shop/api", Digest(f"sha256:{'a' * 64}"))
DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: api}
spec:
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api}}
    spec: {containers: [{name: api, image: "shop-api:dev"}]}
"""


@pytest.fixture
def source(tmp_path: Path) -> Source:
    application = Application(
        application="shop",
        components={"api": Component(context="api")},
        environments={
            name: Environment(overlay=f"overlays/{name}", namespace=f"shop-{name}")
            for name in ("dev", "prod")
        },
    )
    (tmp_path / "base").mkdir()
    (tmp_path / "base" / "api.yaml").write_text(DEPLOYMENT)
    (tmp_path / "base" / "kustomization.yaml").write_text("resources: [api.yaml]\n")
    for name in ("dev", "prod"):
        overlay = tmp_path / "overlays" / name
        overlay.mkdir(parents=True)
        text = f"namespace: shop-{name}\nresources: [../../base]\n"
        (overlay / "kustomization.yaml").write_text(text)
    when = datetime(2026, 1, 1, tzinfo=UTC)
    return Source("r", "c" * 40, str(tmp_path), "Ann", "a@b.c", "Change", when, application, ())


def released(source: Source) -> Release:
    return assemble(draft(source, TARGET), (IMAGE,))


def test_a_release_holds_every_environment_with_digests(source: Source) -> None:
    release = released(source)
    assert [each.environment for each in release.manifests] == ["dev", "prod"]
    (workload,) = parse_stream(release.manifests_for("prod").yaml)
    assert workload["metadata"]["namespace"] == "shop-prod"
    assert workload["spec"]["template"]["spec"]["containers"][0]["image"] == IMAGE.reference
    assert workload["metadata"]["annotations"]["slipway.dev/release"] == release.id


def test_not_a_line_of_large_manifests_is_lost(tmp_path: Path) -> None:
    text = "apiVersion: v1\nkind: Namespace\nmetadata: {name: first}\n---\n" + "#\n" * 25_000
    (tmp_path / "rendered").write_text(text)
    kubectl = tmp_path / "kubectl"
    kubectl.write_text(f"#!/bin/sh\ncat '{tmp_path}/rendered'\n")
    kubectl.chmod(0o755)
    assert [thing["kind"] for thing in render(tmp_path, str(kubectl))] == ["Namespace"]


def test_a_release_knows_where_its_commit_comes_from(source: Source) -> None:
    elsewhere = replace(source, repository="https://github.com/acme/shop.git")
    assert released(elsewhere).repository == "https://github.com/acme/shop.git"
    assert released(elsewhere).id == released(source).id


def test_a_release_knows_where_its_components_serve(source: Source) -> None:
    described = {"api": Component(context="api", port=3001)}
    source = replace(source, application=replace(source.application, components=described))
    (image,) = released(source).images
    assert (image.port, image.reference) == (3001, IMAGE.reference)


def test_another_commit_with_the_same_content_is_the_same_release_with_the_same_pods(
    source: Source,
) -> None:
    first = released(source)
    second = released(replace(source, commit="d" * 40))
    assert second.id == first.id
    templates = [
        parse_stream(release.manifests_for("dev").yaml)[0]["spec"]["template"]
        for release in (first, second)
    ]
    assert templates[0] == templates[1]


def test_another_digest_is_another_release_and_nothing_of_the_draft_is_left(source: Source) -> None:
    drafted = draft(source, TARGET)
    other = replace(IMAGE, digest=Digest(f"sha256:{'b' * 64}"))
    releases = [assemble(drafted, (image,)) for image in (IMAGE, other)]
    assert len({drafted.id, *(each.id for each in releases)}) == 3
    for release in releases:
        text = "".join(each.yaml for each in release.manifests)
        assert drafted.id not in text
        assert drafted.images[0].reference not in text


def test_a_draft_differs_from_the_release_in_nothing_that_a_scan_looks_at(source: Source) -> None:
    image = replace(IMAGE, repository=draft(source, TARGET).images[0].repository)
    both = draft(source, TARGET), assemble(draft(source, TARGET), (image,))
    seen = [[without_version(each.yaml, release) for each in release.manifests] for release in both]
    assert seen[0] == seen[1]
    assert both[0].id != both[1].id


def test_an_overlay_that_kustomize_refuses_is_named(source: Source) -> None:
    overlay = Path(source.tree) / "overlays" / "prod" / "kustomization.yaml"
    overlay.write_text("resources: [nothing.yaml]\n")
    with pytest.raises(ConfigError, match=r"overlays/prod: the overlay cannot be rendered"):
        released(source)


def test_an_object_in_another_namespace_is_refused(source: Source) -> None:
    overlay = Path(source.tree) / "overlays" / "prod" / "kustomization.yaml"
    overlay.write_text("namespace: kube-system\nresources: [../../base]\n")
    with pytest.raises(ConfigError, match="is in namespace kube-system, not in shop-prod"):
        released(source)


def test_another_namespace_itself_is_refused(source: Source) -> None:
    overlay = Path(source.tree) / "overlays" / "prod"
    other = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "slipway"}}
    (overlay / "other.yaml").write_text(yaml.safe_dump(other))
    kustomization = overlay / "kustomization.yaml"
    told = yaml.safe_load(kustomization.read_text())
    told.pop("namespace", None)
    told["resources"].append("other.yaml")
    kustomization.write_text(yaml.safe_dump(told))
    with pytest.raises(ConfigError, match="is in namespace slipway, not in shop-prod"):
        released(source)


@pytest.mark.parametrize(
    "forged",
    [
        {"kind": "ConfigMap", "metadata": {"name": "slipway-audit-0000001"}},
        {"kind": "ConfigMap", "metadata": {"name": "a", "labels": {"slipway.dev/audit": "entry"}}},
        {"kind": "Secret", "type": "slipway.dev/rollout.v1", "metadata": {"name": "a"}},
        {"kind": "Secret", "metadata": {"name": "slipway-rollout-99"}},
        {"kind": "Lease", "apiVersion": "coordination.k8s.io/v1", "metadata": {"name": "slipway"}},
    ],
)
def test_a_manifest_that_would_be_taken_for_a_record_of_ours_is_refused(
    source: Source, forged: dict[str, object]
) -> None:
    overlay = Path(source.tree) / "overlays" / "prod"
    (overlay / "forged.yaml").write_text(yaml.safe_dump({"apiVersion": "v1", **forged}))
    kustomization = overlay / "kustomization.yaml"
    told = yaml.safe_load(kustomization.read_text())
    told["resources"].append("forged.yaml")
    kustomization.write_text(yaml.safe_dump(told))
    with pytest.raises(ConfigError, match="something that Slipway itself keeps"):
        released(source)


def test_a_component_whose_image_is_nowhere_is_named(source: Source) -> None:
    web = replace(source.application, components={"web": Component(context="web")})
    with pytest.raises(ConfigError, match="no manifest uses the image of component web"):
        draft(replace(source, application=web), TARGET)
