"""The OCI registry: one storage behind two doors, the host's loopback and the lab's."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from infra.lab.baseimages import IMAGES, StandIn, push
from infra.lab.component import Component
from infra.lab.health import answers
from infra.lab.layout import Layout
from infra.lab.node import Node
from tasks.core.errors import SlipwayError

__all__ = ["COMPONENTS", "UPSTREAMS"]

UPSTREAMS = ("docker.io", "gcr.io")
"""Registries whose names are looked up in the lab's registry first."""

STAND_INS = tuple(StandIn(image) for image in IMAGES)
PROGRAM = "/usr/bin/docker-registry"
MIRROR = "registry-mirror"


def _config(layout: Layout, door: Literal["registry", "registry-mirror"]) -> str:
    """Write the configuration; JSON is YAML too. Only the host's door takes pushes."""
    return json.dumps(
        {
            "version": 0.1,
            "log": {"level": "warn", "accesslog": {"disabled": True}},
            "storage": {
                "filesystem": {"rootdirectory": str(layout.data("registry"))},
                "delete": {"enabled": True},
                "maintenance": {
                    "uploadpurging": {
                        "enabled": door != MIRROR,
                        "age": "24h",
                        "interval": "6h",
                        "dryrun": False,
                    },
                    "readonly": {"enabled": door == MIRROR},
                },
            },
            "http": {"addr": layout.registry, "secret": "one storage, two doors"},
        },
        indent=2,
    )


def _argv(layout: Layout, door: str) -> tuple[str, ...]:
    return PROGRAM, "serve", str(layout.etc / f"{door}.yml")


def _registry_files(layout: Layout) -> Mapping[Path, str]:
    return {layout.etc / "registry.yml": _config(layout, "registry")}


def _mirror_files(layout: Layout) -> Mapping[Path, str]:
    """Send containerd's requests for upstream names to the lab's door."""
    hosts = "".join(
        f"{line}\n"
        for line in (
            f'server = "http://{layout.registry}"',
            f'[host."http://{layout.registry}"]',
            '  capabilities = ["pull", "resolve"]',
        )
    )
    folders = {layout.etc / "certs.d" / upstream / "hosts.toml": hosts for upstream in UPSTREAMS}
    return {layout.etc / f"{MIRROR}.yml": _config(layout, "registry-mirror"), **folders}


def _push_stand_ins(layout: Layout) -> None:
    for stand_in in STAND_INS:
        push(stand_in.image, stand_in.path(layout.cache), layout.registry)


def _mirror_healthy(layout: Layout) -> bool:
    """Ask from within the lab: its loopback is not the host's."""
    ask = ["/usr/bin/bash", "-c", f"exec 3<>/dev/tcp/{layout.registry.replace(':', '/')}"]
    try:
        Node(layout).run(ask)
    except SlipwayError:
        return False
    return True


COMPONENTS = (
    Component(
        name="registry",
        argv=lambda lab: _argv(lab, "registry"),
        healthy=lambda lab: answers(f"http://{lab.registry}/v2/"),
        network="host",
        needs=STAND_INS,
        files=_registry_files,
        folders=lambda lab: (lab.data("registry"),),
        env={"OTEL_TRACES_EXPORTER": "none"},
        finish=_push_stand_ins,
        port=lambda lab: lab.port,
    ),
    Component(
        name=MIRROR,
        argv=lambda lab: _argv(lab, MIRROR),
        healthy=_mirror_healthy,
        files=_mirror_files,
        folders=lambda lab: (lab.data("registry"),),
    ),
)
