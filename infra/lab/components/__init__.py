"""Everything that the lab consists of, in an order in which it can start."""

from infra.lab.component import Artifact, Component
from infra.lab.components import control_plane, dns, kubelet, runtime

__all__ = ["COMPONENTS", "TOOLS"]

COMPONENTS: tuple[Component, ...] = (
    *control_plane.COMPONENTS,
    *runtime.COMPONENTS,
    *kubelet.COMPONENTS,
    *dns.COMPONENTS,
)

TOOLS: tuple[Artifact, ...] = ()
"""Programs that the pipeline uses, and that no component runs."""
