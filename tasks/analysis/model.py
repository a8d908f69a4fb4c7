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
        expected: of several looks in one, how many of both releases' bad events would be the
            canary's, were both alike; None in one look, where it follows from the counts.
    """

    at: datetime
    share: int
    canary: Count = NOTHING
    stable: Count = NOTHING
    expected: float | None = None

    @property
    def bad(self) -> float:
        """Bad events of both releases."""
        return self.canary.bad + self.stable.bad

    @property
    def speaks(self) -> bool:
        """Whether both had events and any of them was bad; others tell nothing apart."""
        return self.canary.total > 0 and self.stable.total > 0 and self.bad > 0

    @property
    def part(self) -> float:
        """The canary's part of both releases' bad events, 0 to 1, were both alike."""
        if self.expected is not None:
            return self.expected / self.bad
        return self.canary.total / (self.canary.total + self.stable.total)


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
        workloads: how many components are watched; each has its own part in the evidence.
        baselines: by name of the samples and by component, what the old release counted before
            the rollout, in pieces of time.
        faults: by name of the indicator, why it cannot be read now.
        standby: what is wrong with the old release's pods while nothing is asked of them: then
            it is not known whether the new release is to blame for what happens.
    """

    indicators: tuple[Indicator, ...]
    judging: Judging
    samples: tuple[Sample, ...]
    now: datetime
    share: int
    workloads: int = 1
    baselines: Mapping[str, Mapping[str, tuple[Count, ...]]] = field(default_factory=dict)
    faults: Mapping[str, str] = field(default_factory=dict)
    standby: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """What one indicator says; decided where longer watching would only cost time."""

    outcome: Outcome
    sentence: str
    decided: bool = False
    shown: tuple[str, ...] = ()
