"""Prometheus and what it asks: the cluster's state, the node, and who would be told of alerts."""

from collections.abc import Mapping
from pathlib import Path
from string import Template

import infra.monitoring
from infra.lab import alerting, cluster
from infra.lab.builds import GoProgram
from infra.lab.component import Component
from infra.lab.components.ingress import envoy_metrics
from infra.lab.health import answers
from infra.lab.layout import Layout
from infra.lab.manifests import read
from infra.lab.pki import client_kubeconfig

__all__ = ["COMPONENTS"]

PROMETHEUS = GoProgram(
    name="prometheus",
    version="3.16.0",
    module="prometheus",
    package="github.com/prometheus/prometheus/cmd/prometheus",
    ldflags="-X github.com/prometheus/common/version.Version=3.16.0",
    tags="remove_all_sd,enable_kubernetes_sd",
    seconds=180,
)
KUBE_METRICS = GoProgram(name="kube-metrics", version="2", module="kube-metrics", seconds=30)

_SETTINGS = Path(infra.monitoring.__file__).parent
_USER = "slipway:monitoring"
_COLLECTORS = (
    "cpu", "diskstats", "filesystem", "loadavg", "meminfo", "netdev", "pressure", "stat", "uname",
    "vmstat",
)  # fmt: skip


def _kubeconfig(layout: Layout) -> Path:
    return client_kubeconfig(layout, _USER)


def _prometheus(layout: Layout) -> tuple[str, ...]:
    return (
        str(PROMETHEUS.path(layout.cache)),
        f"--config.file={layout.etc / 'prometheus.yaml'}",
        f"--storage.tsdb.path={layout.data('prometheus')}",
        "--storage.tsdb.retention.time=3d",
        "--storage.tsdb.retention.size=1GB",
        f"--web.listen-address={layout.node_address}:9090",
        "--web.enable-lifecycle",  # slipway monitoring --load reloads the rules
        "--no-auto-gomemlimit",
        "--log.level=warn",
    )


def _prometheus_files(layout: Layout) -> Mapping[Path, str]:
    kubeconfig = _kubeconfig(layout)
    config = Template((_SETTINGS / "prometheus.yaml").read_text()).substitute(
        node=layout.node_address,
        node_name=layout.node,
        envoy=envoy_metrics(layout),
        rules=layout.etc / "rules",
        kubeconfig=kubeconfig,
        certificate=kubeconfig.with_suffix(".crt"),
        key=kubeconfig.with_suffix(".key"),
    )
    rules = {
        layout.etc / "rules" / file.name: file.read_text()
        for file in sorted((_SETTINGS / "rules").glob("*.yaml"))
    }
    return {layout.etc / "prometheus.yaml": config, **rules}


def _alertmanager(layout: Layout) -> tuple[str, ...]:
    return (
        "/usr/bin/prometheus-alertmanager",
        f"--config.file={layout.etc / 'alertmanager.yaml'}",
        f"--storage.path={layout.data('alertmanager')}",
        f"--web.listen-address={layout.node_address}:9093",
        "--cluster.listen-address=",
        "--log.level=warn",
    )


def _node_exporter(layout: Layout) -> tuple[str, ...]:
    return (
        "/usr/bin/prometheus-node-exporter",
        f"--web.listen-address={layout.node_address}:9100",
        "--collector.disable-defaults",
        *(f"--collector.{name}" for name in _COLLECTORS),
        "--log.level=warn",
    )


def _kube_metrics(layout: Layout) -> tuple[str, ...]:
    return (
        str(KUBE_METRICS.path(layout.cache)),
        f"--kubeconfig={_kubeconfig(layout)}",
        f"--listen={layout.node_address}:8081",
    )


def _permit(layout: Layout) -> None:
    cluster.apply(layout, read("monitoring", user=_USER))


COMPONENTS = (
    Component(
        name="alertmanager",
        argv=_alertmanager,
        healthy=lambda lab: answers(f"{lab.alertmanager}/-/healthy"),
        files=lambda lab: {lab.etc / "alertmanager.yaml": alerting.base_routes()},
        folders=lambda lab: (lab.data("alertmanager"),),
        finish=alerting.route_alerts,
    ),
    Component(
        name="node-exporter",
        argv=_node_exporter,
        healthy=lambda lab: answers(f"http://{lab.node_address}:9100/"),
    ),
    Component(
        name="kube-metrics",
        argv=_kube_metrics,
        healthy=lambda lab: answers(f"http://{lab.node_address}:8081/metrics"),
        after=("kube-apiserver",),
        needs=(KUBE_METRICS,),
        prepare=_permit,
    ),
    Component(
        name="prometheus",
        argv=_prometheus,
        healthy=lambda lab: answers(f"{lab.prometheus}/-/ready"),
        after=("kube-metrics",),
        needs=(PROMETHEUS,),
        files=_prometheus_files,
        folders=lambda lab: (lab.data("prometheus"),),
        env={"GOMEMLIMIT": "400MiB", "GOGC": "50"},
    ),
)
