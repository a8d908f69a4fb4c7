"""kubelet and kube-proxy: the one node and the cluster's service addresses."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import yaml

from infra.lab import cluster
from infra.lab.component import Component
from infra.lab.components import runtime
from infra.lab.health import answers
from infra.lab.kubernetes import KUBERNETES
from infra.lab.layout import Layout
from infra.lab.pki import client_kubeconfig

__all__ = ["COMPONENTS"]


def _kubelet_config(layout: Layout) -> Mapping[str, object]:
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": layout.node_address,
        "healthzBindAddress": layout.node_address,
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": str(layout.pki / "ca.crt")},
        },
        "authorization": {"mode": "Webhook"},
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": layout.cgroup,
        "failCgroupV1": False,
        "failSwapOn": False,
        "clusterDNS": [layout.dns_address],
        "clusterDomain": "cluster.local",
        "containerRuntimeEndpoint": f"unix://{runtime.socket(layout)}",
        "imageServiceEndpoint": f"unix://{runtime.socket(layout)}",
        "resolvConf": "/etc/resolv.conf",
        "serializeImagePulls": False,
        "registryPullQPS": 0,
        "maxPods": 250,
        "oomScoreAdj": 0,
        "imageGCHighThresholdPercent": 100,
        "evictionHard": {
            "memory.available": "100Mi",
            "nodefs.available": "500Mi",
            "imagefs.available": "500Mi",
        },
        "evictionPressureTransitionPeriod": "10s",
        "protectKernelDefaults": False,
        "volumePluginDir": str(layout.data("kubelet") / "plugins"),
    }


def _kubelet(layout: Layout) -> tuple[str, ...]:
    config = client_kubeconfig(layout, f"system:node:{layout.node}", ("system:nodes",))
    return (
        str(KUBERNETES.path(layout.cache)),
        "kubelet",
        f"--config={layout.etc / 'kubelet.yaml'}",
        f"--kubeconfig={config}",
        f"--root-dir={layout.data('kubelet')}",
        f"--cert-dir={layout.data('kubelet') / 'pki'}",
        f"--hostname-override={layout.node}",
        f"--node-ip={layout.node_address}",
    )


def _proxy_config(layout: Layout) -> Mapping[str, object]:
    return {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "mode": "nftables",
        "bindAddress": layout.node_address,
        "healthzBindAddress": f"{layout.node_address}:10256",
        "metricsBindAddress": f"{layout.node_address}:10249",
        "clientConnection": {"kubeconfig": str(client_kubeconfig(layout, "system:kube-proxy"))},
        "clusterCIDR": layout.pod_cidr,
        "hostnameOverride": layout.node,
        "oomScoreAdj": 0,
        # these kernel settings belong to the host, and the lab leaves the host alone
        "conntrack": {
            "maxPerCore": 0,
            "min": 0,
            "tcpEstablishedTimeout": "0s",
            "tcpCloseWaitTimeout": "0s",
        },
    }


def _proxy(layout: Layout) -> tuple[str, ...]:
    program = str(KUBERNETES.path(layout.cache))
    return program, "kube-proxy", f"--config={layout.etc / 'kube-proxy.yaml'}"


def _settle(layout: Layout) -> None:
    """Wait until the node takes pods."""
    cluster.wait_node_ready(layout, timedelta(seconds=60))


def _files_of_kubelet(layout: Layout) -> Mapping[Path, str]:
    return {layout.etc / "kubelet.yaml": yaml.safe_dump(_kubelet_config(layout))}


def _files_of_proxy(layout: Layout) -> Mapping[Path, str]:
    return {layout.etc / "kube-proxy.yaml": yaml.safe_dump(_proxy_config(layout))}


COMPONENTS = (
    Component(
        name="kubelet",
        argv=_kubelet,
        healthy=lambda lab: answers(f"http://{lab.node_address}:10248/healthz"),
        after=("kube-apiserver", "containerd"),
        needs=(KUBERNETES,),
        files=_files_of_kubelet,
        folders=lambda lab: (lab.data("kubelet"),),
        finish=_settle,
    ),
    Component(
        name="kube-proxy",
        argv=_proxy,
        healthy=lambda lab: answers(f"http://{lab.node_address}:10256/healthz"),
        after=("kube-apiserver",),
        needs=(KUBERNETES,),
        files=_files_of_proxy,
    ),
)
