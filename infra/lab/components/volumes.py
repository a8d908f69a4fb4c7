"""Persistent volumes: folders of the state, made and removed by a small provisioner.

Kubernetes' own provisioner for tests makes them writable by root alone.
"""

from infra.lab import cluster
from infra.lab.builds import GoProgram
from infra.lab.component import Component
from infra.lab.health import answers
from infra.lab.layout import Layout
from infra.lab.pki import client_kubeconfig

__all__ = ["COMPONENTS"]

VOLUMES = GoProgram(name="volumes", version="13.1.0", module="volumes", seconds=40)
PROVISIONER = "slipway.dev/folder"
_USER = "slipway:volumes"
_PORT = 8054

_OBJECTS = """\
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata:
  name: standard
  annotations: {{storageclass.kubernetes.io/is-default-class: "true"}}
provisioner: {provisioner}
reclaimPolicy: Delete
volumeBindingMode: WaitForFirstConsumer
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {{name: "{user}"}}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: ClusterRole
  name: system:persistent-volume-provisioner
subjects: [{{apiGroup: rbac.authorization.k8s.io, kind: User, name: "{user}"}}]
"""


def _argv(layout: Layout) -> tuple[str, ...]:
    return (
        str(VOLUMES.path(layout.cache)),
        f"-kubeconfig={client_kubeconfig(layout, _USER)}",
        f"-folder={layout.volumes}",
        f"-provisioner={PROVISIONER}",
        f"-health={layout.node_address}:{_PORT}",
    )


def _announce(layout: Layout) -> None:
    cluster.apply(layout, _OBJECTS.format(user=_USER, provisioner=PROVISIONER))


COMPONENTS = (
    Component(
        name="volumes",
        argv=_argv,
        healthy=lambda lab: answers(f"http://{lab.node_address}:{_PORT}/healthz"),
        after=("kube-apiserver",),
        needs=(VOLUMES,),
        prepare=_announce,
    ),
)
