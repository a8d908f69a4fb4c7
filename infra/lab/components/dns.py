"""CoreDNS: names of services and pods. It knows no others, for the lab has no way out."""

from collections.abc import Mapping
from pathlib import Path

from infra.lab import cluster
from infra.lab.builds import GoProgram
from infra.lab.component import Component
from infra.lab.health import answers
from infra.lab.layout import Layout
from infra.lab.pki import client_kubeconfig

__all__ = ["COMPONENTS"]

COREDNS = GoProgram(name="coredns", version="1.14.7", module="coredns", seconds=60)
_USER = "system:coredns"

_COREFILE = """\
.:53 {{
    bind {address}
    errors
    health {address}:8053
    ready {address}:8153
    prometheus {address}:9153
    kubernetes cluster.local in-addr.arpa {{
        kubeconfig {kubeconfig}
        pods insecure
        ttl 5
    }}
    template ANY ANY {{
        rcode NXDOMAIN
    }}
    cache 5
}}
"""

_OBJECTS = """\
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {{name: "{user}"}}
rules:
  - apiGroups: [""]
    resources: [endpoints, services, pods, namespaces]
    verbs: [list, watch]
  - apiGroups: [discovery.k8s.io]
    resources: [endpointslices]
    verbs: [list, watch]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {{name: "{user}"}}
roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: "{user}"}}
subjects: [{{apiGroup: rbac.authorization.k8s.io, kind: User, name: "{user}"}}]
---
apiVersion: v1
kind: Service
metadata: {{name: kube-dns, namespace: kube-system, labels: {{k8s-app: kube-dns}}}}
spec:
  clusterIP: {service}
  ports:
    - {{name: dns, port: 53, protocol: UDP}}
    - {{name: dns-tcp, port: 53, protocol: TCP}}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata:
  name: kube-dns-lab
  namespace: kube-system
  labels: {{kubernetes.io/service-name: kube-dns}}
addressType: IPv4
endpoints: [{{addresses: ["{address}"], conditions: {{ready: true}}}}]
ports:
  - {{name: dns, port: 53, protocol: UDP}}
  - {{name: dns-tcp, port: 53, protocol: TCP}}
"""


def _argv(layout: Layout) -> tuple[str, ...]:
    return str(COREDNS.path(layout.cache)), "-conf", str(layout.etc / "Corefile")


def _files(layout: Layout) -> Mapping[Path, str]:
    kubeconfig = client_kubeconfig(layout, _USER)
    corefile = _COREFILE.format(address=layout.node_address, kubeconfig=kubeconfig)
    return {layout.etc / "Corefile": corefile}


def _announce(layout: Layout) -> None:
    objects = _OBJECTS.format(user=_USER, service=layout.dns_address, address=layout.node_address)
    cluster.apply(layout, objects)


COMPONENTS = (
    Component(
        name="coredns",
        argv=_argv,
        healthy=lambda lab: answers(f"http://{lab.node_address}:8053/health"),
        after=("kube-apiserver",),
        needs=(COREDNS,),
        files=_files,
        finish=_announce,
    ),
)
