"""What builds and tries out images: BuildKit, buildx in front of it, and a Docker engine."""

from collections.abc import Mapping
from pathlib import Path

from infra.lab.builds import GoProgram
from infra.lab.component import Component
from infra.lab.components.registry import UPSTREAMS
from infra.lab.components.runtime import socket as containerd_socket
from infra.lab.health import listens
from infra.lab.layout import Layout

__all__ = ["BUILDX", "COMPONENTS"]

BUILDKITD = GoProgram(
    name="buildkitd",
    version="0.34.2",
    module="buildkit",
    package="github.com/moby/buildkit/cmd/buildkitd",
    ldflags="-X github.com/moby/buildkit/version.Version=v0.34.2",
    seconds=70,
)
BUILDX = GoProgram(
    name="docker-buildx",
    version="0.38.2",
    module="buildx",
    package="github.com/docker/buildx/cmd/buildx",
    ldflags="-X github.com/docker/buildx/version.Version=v0.38.2",
    seconds=85,
)

# The cache is bounded, and some room on the disk is left to others.
_BUILDKIT = """\
root = "{root}"
[grpc]
  address = ["unix://{socket}"]
[worker.containerd]
  enabled = false
[worker.oci]
  enabled = true
  snapshotter = "overlayfs"
  networkMode = "host"
  cgroupParent = "{cgroup}"
  max-parallelism = 4
  gc = true
  reservedSpace = "2GB"
  maxUsedSpace = "12GB"
  minFreeSpace = "5GB"
[registry."{registry}"]
  http = true
"""
_MIRROR = """\
[registry."{upstream}"]
  mirrors = ["{registry}"]
"""


def _buildkit_files(layout: Layout) -> Mapping[Path, str]:
    config = _BUILDKIT.format(
        root=layout.data("buildkit"),
        socket=layout.buildkit_socket,
        cgroup=f"{layout.cgroup}/build",
        registry=layout.registry,
    )
    mirrors = (
        _MIRROR.format(upstream=upstream, registry=layout.registry) for upstream in UPSTREAMS
    )
    return {layout.etc / "buildkitd.toml": config + "".join(mirrors)}


def _buildkitd(layout: Layout) -> tuple[str, ...]:
    return str(BUILDKITD.path(layout.cache)), f"--config={layout.etc / 'buildkitd.toml'}"


def _dockerd(layout: Layout) -> tuple[str, ...]:
    """Share containerd with the cluster, which keeps the engine's containers apart by name."""
    return (
        "/usr/sbin/dockerd",
        f"--host=unix://{layout.docker_socket}",
        f"--config-file={layout.etc / 'docker.json'}",
        f"--containerd={containerd_socket(layout)}",
        f"--data-root={layout.data('docker')}",
        "--exec-root=/run/docker",
        "--pidfile=/run/docker.pid",
        f"--bip={layout.docker_bridge}",
        f"--cgroup-parent={layout.cgroup}/docker",
        "--exec-opt=native.cgroupdriver=cgroupfs",
        "--iptables=false",
        "--ip6tables=false",
        "--ip-forward=false",
        "--ip-masq=false",
        "--userland-proxy=false",
        "--oom-score-adjust=0",
        "--storage-driver=overlay2",
        "--log-driver=json-file",
        "--log-opt=max-size=10m",
        "--log-level=warn",
    )


COMPONENTS = (
    Component(
        name="buildkitd",
        argv=_buildkitd,
        healthy=lambda lab: listens(lab.buildkit_socket),
        network="host",
        needs=(BUILDKITD,),
        files=_buildkit_files,
        folders=lambda lab: (lab.data("buildkit"),),
    ),
    Component(
        name="dockerd",
        argv=_dockerd,
        healthy=lambda lab: listens(lab.docker_socket),
        after=("containerd",),
        files=lambda lab: {lab.etc / "docker.json": "{}"},
        folders=lambda lab: (lab.data("docker"),),
    ),
)
