"""The burn-rate table of Google's Site Reliability Workbook, chapter 5, table 5-8."""

from dataclasses import dataclass
from datetime import timedelta

__all__ = ["BURN_WINDOWS", "RATIO", "BurnWindow"]

RATIO = "slipway:slo_bad:ratio_rate"
"""Recorded share of bad events; the window ends the series' name, as in `…:ratio_rate5m`."""


@dataclass(frozen=True, slots=True)
class BurnWindow:
    """One row: so much of the budget gone in the long window, and still going in the short one.

    Attributes:
        budget: share of the error budget that the long window may not use up, 0 to 1.
    """

    budget: float
    long: timedelta
    short: timedelta

    def limit(self, period: timedelta) -> float:
        """Return the burn rate that uses up that share: 14.4, 6 and 1 for a period of 30 days.

        A burn rate of 1 spends the budget exactly over the period, so less is never too much.
        """
        return max(1.0, self.budget * (period / self.long))


BURN_WINDOWS = (
    BurnWindow(0.02, timedelta(hours=1), timedelta(minutes=5)),
    BurnWindow(0.05, timedelta(hours=6), timedelta(minutes=30)),
    BurnWindow(0.10, timedelta(days=3), timedelta(hours=6)),
)
