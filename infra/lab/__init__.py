"""The embedded lab: a real single-node Kubernetes with all that the pipeline needs beside it."""

from infra.lab.lifecycle import ComponentStatus, Health, LabStatus, down, status, target, up
from infra.lab.report import Event, Step

__all__ = [
    "ComponentStatus",
    "Event",
    "Health",
    "LabStatus",
    "Step",
    "down",
    "status",
    "target",
    "up",
]
