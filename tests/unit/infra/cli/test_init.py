from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from infra.cli.check import check
from infra.cli.init import init
from tasks.core.config import load
from tasks.core.errors import ConfigError

DOCKERFILE = """\
FROM node AS build
FROM build AS eslint
FROM build AS test
FROM nginx AS production
EXPOSE 8080/tcp
"""
WORKLOAD = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  template:
    spec:
      containers:
        - name: web
          image: registry.example.com/web:1.2
          env: [{name: KEY, valueFrom: {secretKeyRef: {name: web-keys, key: api}}}]
          readinessProbe: {httpGet: {path: /ready, port: 8080}}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web}
spec: {tls: [{hosts: [shop.example.com]}], rules: [{host: shop.example.com}]}
"""


@pytest.fixture(autouse=True)
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty repository on a machine without kubectl."""
    monkeypatch.setenv("SLIPWAY_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    folder = tmp_path / "Shop"
    folder.mkdir()
    return folder


def write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def with_overlays(shop: Path) -> None:
    write(shop / "web" / "Dockerfile", DOCKERFILE)
    write(shop / "node_modules" / "x" / "Dockerfile", "FROM x")
    write(shop / "deploy" / "base" / "kustomization.yaml", "resources: [web.yaml]\n")
    write(shop / "deploy" / "base" / "web.yaml", WORKLOAD)
    for name in ("staging", "prod", "dev"):
        write(
            shop / "deploy" / "overlays" / name / "kustomization.yaml",
            f"namespace: shop-{name}\nresources: [../../base]\n",
        )


def run(*arguments: str) -> Result:
    app = typer.Typer()
    app.command()(init)
    app.command()(check)
    return CliRunner().invoke(app, ["init", *arguments])


def test_a_repository_with_overlays_gets_a_file_that_check_accepts(shop: Path) -> None:
    with_overlays(shop)
    result = run(str(shop))
    assert result.exit_code == 0, result.output
    assert "✓ shop: components web; environments dev → staging → prod" in result.output
    application = load(shop)
    web = application.components["web"]
    prod = application.environments["prod"]
    assert (web.context, web.port, web.image.target) == ("web", 8080, "production")
    assert web.image.name == "registry.example.com/web"
    assert web.lint is not None
    assert web.lint.target == "eslint"
    assert (prod.namespace, prod.url) == ("shop-prod", "https://shop.example.com")
    assert [(probe.path, probe.component) for probe in prod.probes] == [("/ready", "web")]
    text = (shop / "slipway.yaml").read_text()
    assert text.startswith("# yaml-language-server: $schema=")
    assert "{ name: web-keys, keys: [api] }" in text


def test_the_application_is_called_as_somebody_says(shop: Path) -> None:
    with_overlays(shop)
    result = run(str(shop), "--name", "Web Shop")
    assert "✓ web-shop: components web;" in result.output
    assert load(shop).environments["dev"].namespace == "shop-dev"


def test_plain_manifests_become_an_overlay(shop: Path) -> None:
    write(shop / "Dockerfile", "FROM scratch\n")
    write(shop / "k8s" / "web.yaml", WORKLOAD.replace("registry.example.com/web", "shop"))
    result = run(str(shop))
    assert result.exit_code == 0, result.output
    assert (shop / "k8s" / "kustomization.yaml").read_text() == "resources:\n  - web.yaml\n"
    application = load(shop)
    assert application.components["shop"].image.target == "0"
    assert application.environments["prod"].namespace == "shop-prod"


def test_a_compose_file_says_which_folder_an_image_is_built_from(shop: Path) -> None:
    with_overlays(shop)
    build = "{context: ., dockerfile: web/Dockerfile}"
    write(shop / "compose.yaml", f"services: {{web: {{build: {build}}}}}")
    assert run(str(shop)).exit_code == 0
    web = load(shop).components["web"]
    assert (web.context, web.dockerfile) == (".", "web/Dockerfile")


def test_the_only_image_belongs_to_the_only_component_whatever_it_is_called(shop: Path) -> None:
    write(shop / "Dockerfile", "FROM scratch\n")
    write(shop / "k8s" / "web.yaml", WORKLOAD.replace("registry.example.com/web", "guestbook"))
    assert run(str(shop)).exit_code == 0
    assert load(shop).components["shop"].image.name == "guestbook"


def test_an_image_that_no_manifest_names_is_said_at_once(shop: Path) -> None:
    with_overlays(shop)
    write(shop / "worker" / "Dockerfile", DOCKERFILE)
    result = run(str(shop))
    assert result.exit_code == 1
    assert "components.worker.image.name: the image shop-worker is in no manifest" in result.output
    assert "# no manifest names shop-worker" in (shop / "slipway.yaml").read_text()


def test_a_file_that_is_there_stays_unless_forced(shop: Path) -> None:
    with_overlays(shop)
    write(shop / "slipway.yaml", "mine")
    error = run(str(shop)).exception
    assert isinstance(error, ConfigError)
    assert str(error).endswith(f"is there already. Next: slipway init {shop} --force replaces it")
    assert (shop / "slipway.yaml").read_text() == "mine"
    assert run(str(shop), "--force").exit_code == 0
    assert (shop / "slipway.yaml").read_text() != "mine"


EMPTY = {
    "nothing at all": ([], "holds no Dockerfiles and no manifests"),
    "only a Dockerfile": (["Dockerfile"], "holds no manifests"),
    "only manifests": (["deploy/kustomization.yaml"], "holds no Dockerfiles"),
}


@pytest.mark.parametrize(("files", "expected"), EMPTY.values(), ids=EMPTY.keys())
def test_what_was_looked_for_is_said_when_it_is_not_there(
    shop: Path, files: list[str], expected: str
) -> None:
    for name in files:
        write(shop / name, "FROM scratch\n" if name == "Dockerfile" else "resources: []\n")
    error = run(str(shop)).exception
    assert isinstance(error, ConfigError)
    assert expected in str(error)
    assert "looked for" in str(error)
    assert not (shop / "slipway.yaml").exists()
