"""The cluster, registry and builders that a run works with."""

from dataclasses import dataclass

__all__ = ["Builders", "Target", "Workshop", "workshop_of"]


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


@dataclass(frozen=True, slots=True)
class Workshop:
    """What builds and renders code that nobody has reviewed: no cluster, no engine, no account.

    Attributes:
        registry: host and path prefix that stand in rendered manifests; nothing is sent there.
        builder: BuildKit's address (`unix:///…`, `tcp://…`).
        buildx: path of the buildx program.
        kubectl: path of the kubectl program (kustomize is in it).
        ca_certificates: bundle handed to builds as the secret `ca-certificates`.
        cache: whose the cache mounts are that builds write into: those of nobody else are seen.
    """

    registry: str
    builder: str
    buildx: str = "docker-buildx"
    kubectl: str = "kubectl"
    ca_certificates: str | None = None
    cache: str = "unreviewed"


Builders = Target | Workshop
"""Whoever builds: for releases, or for code that nobody has reviewed."""


def workshop_of(target: Target) -> Workshop:
    """Return a target's builders without anything that leads to a cluster or a registry."""
    return Workshop(
        registry=target.registry,
        builder=target.builder,
        buildx=target.buildx,
        kubectl=target.kubectl,
        ca_certificates=target.ca_certificates,
    )
