"""The configuration that the add-ons write, read back as their programs would."""

import json
import tomllib
from pathlib import Path

import pytest
import yaml

from infra.lab import pki
from infra.lab.component import Component
from infra.lab.components import COMPONENTS, builders, ingress, monitoring, registry
from infra.lab.layout import Layout
from infra.lab.manifests import read


@pytest.fixture
def lab(tmp_path: Path) -> Layout:
    layout = Layout("test", 1, tmp_path / "state", tmp_path / "cache")
    layout.state.mkdir()
    pki.ensure_certificates(layout)
    return layout


def _one(components: tuple[Component, ...], name: str) -> Component:
    return next(component for component in components if component.name == name)


def test_components_have_names_of_their_own_and_wait_only_for_known_ones() -> None:
    names = [component.name for component in COMPONENTS]
    assert len(names) == len(set(names))
    assert {name for component in COMPONENTS for name in component.after} <= set(names)


def test_every_port_on_the_host_is_one_of_the_instances_hundred(lab: Layout) -> None:
    ports = [port for component in COMPONENTS if (port := component.port(lab)) is not None]
    assert len(ports) == len(set(ports))
    assert all(lab.port <= port < lab.port + 100 for port in ports)


def test_only_the_hosts_door_of_the_registry_takes_pushes(lab: Layout) -> None:
    readonly = {
        component.name: yaml.safe_load(component.files(lab)[lab.etc / f"{component.name}.yml"])[
            "storage"
        ]["maintenance"]["readonly"]["enabled"]
        for component in registry.COMPONENTS
    }
    assert readonly == {"registry": False, "registry-mirror": True}


def test_containerd_finds_upstream_names_in_the_labs_registry(lab: Layout) -> None:
    files = _one(registry.COMPONENTS, "registry-mirror").files(lab)
    hosts = tomllib.loads(files[lab.etc / "certs.d" / "docker.io" / "hosts.toml"])
    assert hosts["host"] == {"http://127.0.0.1:15100": {"capabilities": ["pull", "resolve"]}}


def test_buildkit_looks_up_upstream_names_in_the_labs_registry(lab: Layout) -> None:
    files = _one(builders.COMPONENTS, "buildkitd").files(lab)
    config = tomllib.loads(files[lab.etc / "buildkitd.toml"])
    assert config["registry"] == {
        "127.0.0.1:15100": {"http": True},
        "docker.io": {"mirrors": ["127.0.0.1:15100"]},
        "gcr.io": {"mirrors": ["127.0.0.1:15100"]},
    }
    assert config["worker"]["oci"]["cgroupParent"].startswith(lab.cgroup)


def test_envoy_hears_from_contour_and_from_nobody_else(lab: Layout) -> None:
    files = _one(ingress.COMPONENTS, "envoy").files(lab)
    config = json.loads(files[lab.etc / "envoy.json"])
    names = [cluster["name"] for cluster in config["static_resources"]["clusters"]]
    assert names == ["contour", "envoy-admin"]
    assert str(lab.run) in config["admin"]["address"]["pipe"]["path"]


@pytest.mark.parametrize("index", [0, 1, 55])
def test_the_gateways_port_makes_envoy_listen_on_the_ingress_port(index: int) -> None:
    layout = Layout("x", index, Path("/state"), Path("/cache"))
    text = read("ingress", user="someone", **ingress.gateway_ports(layout))
    gateway = next(each for each in yaml.safe_load_all(text) if each["kind"] == "Gateway")
    http, https = (listener["port"] + 8000 for listener in gateway["spec"]["listeners"])
    assert f"127.0.0.1:{http}" == layout.ingress
    assert https == http + 2


def test_prometheus_reads_every_rule_file(lab: Layout) -> None:
    files = _one(monitoring.COMPONENTS, "prometheus").files(lab)
    config = yaml.safe_load(files[lab.etc / "prometheus.yaml"])
    assert config["rule_files"] == [f"{lab.etc / 'rules'}/*.yaml"]
    assert lab.etc / "rules" / "applications.yaml" in files


def test_pods_are_scraped_every_five_seconds_with_their_names(lab: Layout) -> None:
    files = _one(monitoring.COMPONENTS, "prometheus").files(lab)
    config = yaml.safe_load(files[lab.etc / "prometheus.yaml"])
    pods = next(job for job in config["scrape_configs"] if job["job_name"] == "pods")
    labels = {rule.get("target_label") for rule in pods["relabel_configs"]}
    assert pods["scrape_interval"] == "5s"
    assert {"namespace", "pod", "app", "component"} <= labels
    address = next(r for r in pods["relabel_configs"] if r.get("target_label") == "__address__")
    assert address["replacement"] == "$1:$2"
