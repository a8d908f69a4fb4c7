"""An alert, as Alertmanager sends it."""

from dataclasses import dataclass, field
from datetime import datetime

__all__ = ["Alert"]


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
