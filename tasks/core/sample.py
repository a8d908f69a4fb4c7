"""What was counted while a release was watched."""

from dataclasses import dataclass
from datetime import datetime

from tasks.core.tracks import Track

__all__ = ["Sample"]


@dataclass(frozen=True, slots=True)
class Sample:
    """What one service level indicator counted on one track since the sample before it.

    Attributes:
        sli: its name in slipway.yaml: availability, latency, or the user's own.
        share: percent of the traffic that the canary had.
        total: events counted; bad: those that broke the objective. For an indicator that is a
            plain number (saturation), total is 1 and bad the value.
        component: name of the stable workload whose pods, or whose canary's, it was counted on;
            empty in records of an older Slipway, which counted all workloads together.
        expected: of the canary, in the sum of several looks: how many of the bad events of both
            releases would be its own, had both failed equally often in each look; None in one look.
    """

    at: datetime
    sli: str
    track: Track
    share: int
    total: float
    bad: float
    component: str = ""
    expected: float | None = None
