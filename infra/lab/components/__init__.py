"""Everything that the lab consists of, in an order in which it can start."""

from infra.lab.component import Artifact, Component
from infra.lab.components import (
    builders,
    control_plane,
    dns,
    ingress,
    kubelet,
    metrics,
    monitoring,
    registry,
    runtime,
    volumes,
)

__all__ = ["COMPONENTS", "TOOLS"]

COMPONENTS: tuple[Component, ...] = (
    *control_plane.COMPONENTS,
    *runtime.COMPONENTS,
    *kubelet.COMPONENTS,
    *dns.COMPONENTS,
    *volumes.COMPONENTS,
    *registry.COMPONENTS,
    *builders.COMPONENTS,
    *ingress.COMPONENTS,
    *metrics.COMPONENTS,
    *monitoring.COMPONENTS,
)

TOOLS: tuple[Artifact, ...] = (builders.BUILDX,)
"""Programs that the pipeline uses, and that no component runs."""
