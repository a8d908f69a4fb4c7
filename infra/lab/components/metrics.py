"""metrics-server: what pods and the node use, for `kubectl top` and autoscalers."""

from datetime import timedelta

from infra.lab import cluster
from infra.lab.builds import GoProgram
from infra.lab.component import Component
from infra.lab.health import answers
from infra.lab.layout import Layout
from infra.lab.manifests import read
from infra.lab.pki import client_kubeconfig
from infra.lab.waiting import wait_until
from tasks.core import process

__all__ = ["COMPONENTS"]

METRICS_SERVER = GoProgram(
    name="metrics-server",
    version="0.9.0",
    module="metrics-server",
    package="sigs.k8s.io/metrics-server/cmd/metrics-server",
    seconds=120,
)
PORT = 4443
_USER = "slipway:metrics-server"
_SOON = timedelta(seconds=30)


def _argv(layout: Layout) -> tuple[str, ...]:
    config = client_kubeconfig(layout, _USER)
    return (
        str(METRICS_SERVER.path(layout.cache)),
        f"--kubeconfig={config}",
        f"--authentication-kubeconfig={config}",
        f"--authorization-kubeconfig={config}",
        f"--bind-address={layout.node_address}",
        f"--secure-port={PORT}",
        f"--cert-dir={layout.data('metrics-server')}",
        "--kubelet-preferred-address-types=InternalIP",
        "--kubelet-insecure-tls",
        "--metric-resolution=10s",
        "--kubelet-request-timeout=5s",
    )


def _announce(layout: Layout) -> None:
    values = {"user": _USER, "address": layout.node_address, "port": str(PORT)}
    cluster.apply(layout, read("metrics", **values))
    wait_until(lambda: _permitted(layout), _SOON, "metrics-server's permissions to take effect")


def _permitted(layout: Layout) -> bool:
    """Ask as metrics-server, which ends at once when it may not read this."""
    argv = [
        *(str(cluster.kubectl(layout)), f"--kubeconfig={client_kubeconfig(layout, _USER)}"),
        *("auth", "can-i", "get", "configmaps/extension-apiserver-authentication"),
        "--namespace=kube-system",
    ]
    return process.run(argv, timeout=_SOON, options=process.Options(ok=(0, 1))).code == 0


COMPONENTS = (
    Component(
        name="metrics-server",
        argv=_argv,
        healthy=lambda lab: answers(f"https://{lab.node_address}:{PORT}/livez"),
        after=("kube-apiserver",),
        needs=(METRICS_SERVER,),
        folders=lambda lab: (lab.data("metrics-server"),),
        prepare=_announce,
    ),
)
