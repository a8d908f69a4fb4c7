"""An alert, as Alertmanager sends it."""

from dataclasses import dataclass, field
from datetime import datetime

__all__ = ["QUIET", "Alert"]

QUIET = "none"
"""Severity of alerts that are for the guard alone: no person hears of them, and no inhibition of
kube-prometheus-stack, which has rules for `info`, knows it."""


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert.

    Attributes:
        firing: it burns now; otherwise it has ended.
        started_at: when it began to fire, aware UTC.
    """

    name: str
    firing: bool
    started_at: datetime
    labels: dict[str, str] = field(default_factory=dict)
    summary: str = ""

    @property
    def quiet(self) -> bool:
        """Whether nobody is to be woken up for it."""
        return self.labels.get("severity") == QUIET
