"""What users may expect, and how a release is judged by it."""

from dataclasses import field
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from tasks.core.strict import STRICT, Name
from tasks.core.units import Duration

__all__ = ["Availability", "Custom", "Goal", "Judging", "Latency", "Saturation", "Slos"]

Percent = Annotated[float, Field(gt=0, lt=100)]
PERIOD = timedelta(days=28)


@dataclass(frozen=True, slots=True, config=STRICT)
class Availability:
    """Share of good events, in percent, over a period.

    Attributes:
        errors, total: a counter's selector, such as `http_requests_total{status=~"5.."}`, or any
            PromQL that gives one number; see docs/slipway-yaml.md for which is judged faster.
    """

    objective: Percent
    errors: str
    total: str
    period: Duration = PERIOD


@dataclass(frozen=True, slots=True, config=STRICT)
class Latency:
    """Share of requests, in percent, answered within the threshold.

    Attributes:
        selector: matchers that narrow the histogram's series, such as `route=~"/api/.*"`.
        compare: a distribution that is clearly worse than the old release's fails, even where
            the objective is kept.
    """

    objective: Percent
    threshold: Duration
    histogram: str
    period: Duration = PERIOD
    selector: str = ""
    compare: bool = False


@dataclass(frozen=True, slots=True, config=STRICT)
class Saturation:
    """A plain number, such as the share of a pool in use, that has to stay under a limit."""

    query: str
    limit: float


Goal = Availability | Latency | Saturation


@dataclass(frozen=True, slots=True, config=STRICT)
class Custom:
    """An indicator of the user's own: a ratio with its objective, or a number with its limit."""

    objective: Percent | None = None
    errors: str | None = None
    total: str | None = None
    period: Duration = PERIOD
    query: str | None = None
    limit: float | None = None

    @property
    def indicator(self) -> Availability | Saturation | None:
        """What it is by the keys that are there; None where they make neither kind."""
        match (self.objective, self.errors, self.total, self.query, self.limit):
            case (float() as objective, str() as errors, str() as total, None, None):
                return Availability(objective, errors, total, self.period)
            case (None, None, None, str() as query, float() as limit):
                return Saturation(query, limit)
            case _:
                return None


@dataclass(frozen=True, slots=True, config=STRICT)
class Judging:
    """How sure a verdict has to be.

    Attributes:
        false_alarms: of 100 rollouts of good releases, at most so many are taken back, all
            indicators and all looks of a rollout together.
        min_events: fewer events of the new release are no data.
        baseline: how far back the old release is looked at where nothing runs beside the new one.
        no_data: what happens without data; always hold, here so that it can be read.
    """

    false_alarms: Annotated[float, Field(gt=0, le=10)] = 1.0
    min_events: Annotated[int, Field(ge=1, le=1_000_000)] = 10
    baseline: Duration = timedelta(hours=1)
    no_data: Literal["hold"] = "hold"


@dataclass(frozen=True, slots=True, config=STRICT)
class Slos:
    """What users may expect."""

    availability: Availability | None = None
    latency: Latency | None = None
    saturation: Saturation | None = None
    custom: dict[Name, Custom] = field(default_factory=dict)
    judging: Judging = field(default_factory=Judging)

    @property
    def goals(self) -> dict[str, Goal]:
        """Every indicator by its name, in the order of slipway.yaml's keys."""
        named: dict[str, Goal | None] = {
            "availability": self.availability,
            "latency": self.latency,
            "saturation": self.saturation,
            **{name: custom.indicator for name, custom in self.custom.items()},
        }
        return {name: goal for name, goal in named.items() if goal is not None}
