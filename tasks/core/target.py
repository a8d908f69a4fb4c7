"""The cluster, registry and builders that a run works with."""

from dataclasses import dataclass

__all__ = ["Target"]


@dataclass(frozen=True, slots=True)
class Target:
    """Where a run works: named by a person, never picked up from the machine.

    Attributes:
        context: kube context inside kubeconfig.
        registry: host and path prefix that images are pushed below.
        builder: BuildKit's address (`unix:///…`, `tcp://…`).
        docker_host: Docker engine's address for smoke runs.
        buildx: path of the buildx program.
        kubectl: path of the kubectl program (kustomize is in it).
        ingress: `host:port` that answers for every public url; None where DNS does.
        ca_certificates: bundle handed to builds as the secret `ca-certificates`.
    """

    kubeconfig: str
    context: str
    registry: str
    builder: str
    docker_host: str
    buildx: str = "docker-buildx"
    kubectl: str = "kubectl"
    prometheus: str | None = None
    ingress: str | None = None
    ca_certificates: str | None = None
