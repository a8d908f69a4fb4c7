"""What is judged, in counts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tasks.core.model import Outcome
from tasks.core.sample import Sample
from tasks.core.slos import Judging

__all__ = [
    "NOTHING",
    "Count",
    "Facts",
    "Finding",
    "Indicator",
    "Limit",
    "Look",
    "Objective",
    "Shift",
]


@dataclass(frozen=True, slots=True)
class Count:
    """Events and how many of them were bad."""

    total: float
    bad: float

    @property
    def rate(self) -> float:
        """Share of bad events, 0 to 1; 0 where there were none."""
        return self.bad / self.total if self.total > 0 else 0.0

    def __add__(self, other: "Count") -> "Count":
        return Count(self.total + other.total, self.bad + other.bad)


NOTHING = Count(0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Look:
    """What both releases counted in one interval, which ends at an instant.

    Attributes:
        share: percent of the traffic that the canary had; at 100 nothing ran beside it.
    """

    at: datetime
    share: int
    canary: Count = NOTHING
    stable: Count = NOTHING


@dataclass(frozen=True, slots=True)
class Objective:
    """Bad events may be this share of all.

    Attributes:
        budget: 0 to 1; an objective of 99.5 % leaves 0.005.
    """

    budget: float
    period: timedelta


@dataclass(frozen=True, slots=True)
class Shift:
    """A distribution may not be clearly worse than the old release's.

    Attributes:
        edges: names of samples, one for each bucket's upper edge: bad is what lies above it.
    """

    edges: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Limit:
    """A plain number has to stay at or under this value."""

    value: float


@dataclass(frozen=True, slots=True)
class Indicator:
    """A service level indicator as it is judged.

    Attributes:
        name: in slipway.yaml, under which its samples stand.
        shown: its queries as they are sent, for the evidence.
    """

    name: str
    goal: Objective | Shift | Limit
    shown: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything that a verdict is made from.

    Attributes:
        samples: of the whole rollout, oldest first.
        share: percent of the traffic that the canary has now.
        baselines: by name of the samples, what the old release counted before the rollout, in
            pieces of time.
        faults: by name of the indicator, why it cannot be read now.
    """

    indicators: tuple[Indicator, ...]
    judging: Judging
    samples: tuple[Sample, ...]
    now: datetime
    share: int
    baselines: Mapping[str, tuple[Count, ...]] = field(default_factory=dict)
    faults: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Finding:
    """What one indicator says; decided where longer watching would only cost time."""

    outcome: Outcome
    sentence: str
    decided: bool = False
    shown: tuple[str, ...] = ()
