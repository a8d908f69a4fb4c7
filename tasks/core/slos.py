"""What users may expect, and how a release is judged by it."""

from datetime import timedelta
from typing import Annotated

from pydantic import Field
from pydantic.dataclasses import dataclass

from tasks.core.strict import STRICT
from tasks.core.units import Duration

__all__ = ["Availability", "Latency", "Slos"]


@dataclass(frozen=True, slots=True, config=STRICT)
class Availability:
    """Share of good events, in percent, over a period."""

    objective: Annotated[float, Field(gt=0, lt=100)]
    errors: str
    total: str
    period: Duration = timedelta(days=28)


@dataclass(frozen=True, slots=True, config=STRICT)
class Latency:
    """Share of requests, in percent, answered within the threshold."""

    objective: Annotated[float, Field(gt=0, lt=100)]
    threshold: Duration
    histogram: str
    period: Duration = timedelta(days=28)


@dataclass(frozen=True, slots=True, config=STRICT)
class Slos:
    """What users may expect."""

    availability: Availability | None = None
    latency: Latency | None = None
