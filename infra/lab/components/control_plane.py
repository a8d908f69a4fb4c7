"""etcd, the API server, the controllers and the scheduler."""

from infra.lab.component import Component
from infra.lab.health import answers
from infra.lab.kubernetes import KUBERNETES
from infra.lab.layout import Layout
from infra.lab.pki import client_kubeconfig

__all__ = ["COMPONENTS"]

ETCD = "http://127.0.0.1:2379"


def _program(layout: Layout, name: str) -> tuple[str, str]:
    return str(KUBERNETES.path(layout.cache)), name


def _etcd(layout: Layout) -> tuple[str, ...]:
    return (
        *_program(layout, "etcd"),
        "--name=lab",
        f"--data-dir={layout.data('etcd')}",
        f"--listen-client-urls={ETCD}",
        f"--advertise-client-urls={ETCD}",
        "--listen-peer-urls=http://127.0.0.1:2380",
        f"--listen-metrics-urls=http://{layout.node_address}:2381",
        "--auto-compaction-retention=1h",
        "--log-level=warn",
    )


def _apiserver(layout: Layout) -> tuple[str, ...]:
    pki = layout.pki
    return (
        *_program(layout, "kube-apiserver"),
        f"--etcd-servers={ETCD}",
        f"--advertise-address={layout.node_address}",
        f"--bind-address={layout.node_address}",
        "--secure-port=6443",
        f"--service-cluster-ip-range={layout.service_cidr}",
        "--allow-privileged=true",
        "--authorization-mode=Node,RBAC",
        "--enable-admission-plugins=NodeRestriction",
        f"--client-ca-file={pki / 'ca.crt'}",
        f"--tls-cert-file={pki / 'apiserver.crt'}",
        f"--tls-private-key-file={pki / 'apiserver.key'}",
        f"--kubelet-client-certificate={pki / 'kubelet-client.crt'}",
        f"--kubelet-client-key={pki / 'kubelet-client.key'}",
        "--kubelet-preferred-address-types=InternalIP",
        "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
        f"--service-account-key-file={pki / 'service-accounts.pub'}",
        f"--service-account-signing-key-file={pki / 'service-accounts.key'}",
        f"--requestheader-client-ca-file={pki / 'front-proxy-ca.crt'}",
        "--requestheader-allowed-names=front-proxy-client",
        "--requestheader-extra-headers-prefix=X-Remote-Extra-",
        "--requestheader-group-headers=X-Remote-Group",
        "--requestheader-username-headers=X-Remote-User",
        f"--proxy-client-cert-file={pki / 'front-proxy-client.crt'}",
        f"--proxy-client-key-file={pki / 'front-proxy-client.key'}",
        "--enable-aggregator-routing=true",
        "--profiling=false",
    )


def _controllers(layout: Layout) -> tuple[str, ...]:
    config = client_kubeconfig(layout, "system:kube-controller-manager")
    return (
        *_program(layout, "kube-controller-manager"),
        f"--kubeconfig={config}",
        f"--authentication-kubeconfig={config}",
        f"--authorization-kubeconfig={config}",
        f"--bind-address={layout.node_address}",
        f"--root-ca-file={layout.pki / 'ca.crt'}",
        f"--cluster-signing-cert-file={layout.pki / 'ca.crt'}",
        f"--cluster-signing-key-file={layout.pki / 'ca.key'}",
        f"--service-account-private-key-file={layout.pki / 'service-accounts.key'}",
        "--use-service-account-credentials=true",
        "--leader-elect=false",
        "--profiling=false",
    )


def _scheduler(layout: Layout) -> tuple[str, ...]:
    config = client_kubeconfig(layout, "system:kube-scheduler")
    return (
        *_program(layout, "kube-scheduler"),
        f"--kubeconfig={config}",
        f"--authentication-kubeconfig={config}",
        f"--authorization-kubeconfig={config}",
        f"--bind-address={layout.node_address}",
        "--leader-elect=false",
        "--profiling=false",
    )


COMPONENTS = (
    Component(
        name="etcd",
        argv=_etcd,
        healthy=lambda lab: answers(f"http://{lab.node_address}:2381/health"),
        needs=(KUBERNETES,),
        folders=lambda lab: (lab.data("etcd"),),
    ),
    Component(
        name="kube-apiserver",
        argv=_apiserver,
        healthy=lambda lab: answers(f"{lab.api_server}/readyz"),
        after=("etcd",),
        needs=(KUBERNETES,),
    ),
    Component(
        name="kube-controller-manager",
        argv=_controllers,
        healthy=lambda lab: answers(f"https://{lab.node_address}:10257/healthz"),
        after=("kube-apiserver",),
        needs=(KUBERNETES,),
    ),
    Component(
        name="kube-scheduler",
        argv=_scheduler,
        healthy=lambda lab: answers(f"https://{lab.node_address}:10259/healthz"),
        after=("kube-apiserver",),
        needs=(KUBERNETES,),
    ),
)
