"""containerd, which runs the pods' containers, and their network."""

import json
from collections.abc import Mapping
from pathlib import Path

from infra.lab.builds import GoProgram
from infra.lab.component import Component
from infra.lab.health import listens
from infra.lab.images import scratch_image
from infra.lab.layout import Layout
from infra.lab.node import Node

__all__ = ["COMPONENTS", "PAUSE_IMAGE", "socket"]

PAUSE = GoProgram(name="pause", version="1", module="pause", seconds=5)
PAUSE_IMAGE = "slipway.local/pause:1"
_NAMESPACE = "k8s.io"

_CONFIG = """\
version = 2
root = "{root}"
state = "/run/containerd"
disabled_plugins = [
  "io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs",
  "io.containerd.tracing.processor.v1.otlp",
]
[grpc]
  address = "{socket}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{pause}"
  restrict_oom_score_adj = true # the machine may lack CAP_SYS_RESOURCE: no sandbox starts without
  enable_unprivileged_ports = true
  enable_unprivileged_icmp = true
  max_concurrent_downloads = 4
  stream_server_address = "127.0.0.1"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "{etc}/cni"
  [plugins."io.containerd.grpc.v1.cri".registry]
    config_path = "{etc}/certs.d"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
      SystemdCgroup = false
"""


def socket(layout: Layout) -> Path:
    """Containerd's socket."""
    return layout.run / "containerd.sock"


def _config_path(layout: Layout) -> Path:
    return layout.etc / "containerd.toml"


def _argv(layout: Layout) -> tuple[str, ...]:
    return "/usr/bin/containerd", "--config", str(_config_path(layout)), "--log-level", "warn"


def _network(layout: Layout) -> str:
    """One point-to-point link a pod: what a pod sends passes the node's own routing.

    With a bridge, answers between two pods would pass conntrack by, and service addresses with it.
    """
    links = {
        "type": "ptp",
        "ipMasq": False,
        "ipam": {
            "type": "host-local",
            "ranges": [[{"subnet": layout.pod_cidr}]],
            "routes": [{"dst": "0.0.0.0/0"}],
            "dataDir": "/run/cni",
        },
    }
    plugins = [links, {"type": "portmap", "capabilities": {"portMappings": True}}]
    return json.dumps({"cniVersion": "1.0.0", "name": "lab", "plugins": plugins}, indent=2)


def _files(layout: Layout) -> Mapping[Path, str]:
    config = _CONFIG.format(
        root=layout.data("containerd"), socket=socket(layout), pause=PAUSE_IMAGE, etc=layout.etc
    )
    hosts = f'server = "http://{layout.registry}"\n'
    return {
        _config_path(layout): config,
        layout.etc / "cni" / "10-lab.conflist": _network(layout),
        layout.etc / "certs.d" / layout.registry / "hosts.toml": hosts,
    }


def _import_pause(layout: Layout) -> None:
    ctr = ["/usr/bin/ctr", "--address", str(socket(layout)), "--namespace", _NAMESPACE, "images"]
    node = Node(layout)
    if PAUSE_IMAGE in node.run([*ctr, "ls", "-q", f"name=={PAUSE_IMAGE}"]).stdout:
        return
    archive = layout.run / "pause.tar"
    archive.write_bytes(scratch_image(PAUSE_IMAGE, PAUSE.path(layout.cache)))
    node.run([*ctr, "import", str(archive)])
    archive.unlink()


COMPONENTS = (
    Component(
        name="containerd",
        argv=_argv,
        healthy=lambda lab: listens(socket(lab)),
        needs=(PAUSE,),
        files=_files,
        folders=lambda lab: (lab.data("containerd"),),
        finish=_import_pause,
    ),
)
