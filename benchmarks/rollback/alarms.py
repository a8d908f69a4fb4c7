"""How often a good release is taken back because its users have a bad time anyway.

Simulated, since 100 rollouts of a minute and a half each on three sides take most of a day: the
counts of each second are drawn once a release, and all three sides judge the same ones. A
dependency fails now and then, for the old release and the new one alike.
"""

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from benchmarks.rollback.steps import PAUSE_SECONDS, SHARES, SUCCESS
from tasks.analysis.decide import judge
from tasks.analysis.model import Count, Facts, Indicator, Objective
from tasks.core.model import Outcome
from tasks.core.sample import Sample, Track
from tasks.core.slos import Judging

__all__ = ["RELEASES", "Second", "false_alarms"]

RELEASES = 100
PER_SECOND = 20
USUAL = 0.003
HICCUPS_A_SECOND = 1 / 60
HICCUP_SECONDS = (5, 20)
HICCUP_RATES = (0.03, 0.08)
WINDOW_SECONDS = 15
BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
INDICATOR = Indicator("availability", Objective(0.005, timedelta(days=30)))


@dataclass(frozen=True, slots=True)
class Second:
    """What both releases counted in one second."""

    share: int
    canary: Count
    stable: Count


def false_alarms(releases: int = RELEASES, seed: int = 1) -> dict[str, int]:
    """Return how many of so many good releases each side would have taken back."""
    dice = random.Random(seed)  # noqa: S311 no secret
    rollouts = [_good_rollout(dice) for _ in range(releases)]
    return {name: sum(map(alarm, rollouts)) for name, alarm in ALARMS.items()}


def _good_rollout(dice: random.Random) -> list[Second]:
    """Draw the counts of a release that is neither better nor worse than the one before."""
    seconds: list[Second] = []
    rate, left = USUAL, 0
    for share in SHARES:
        for _ in range(PAUSE_SECONDS):
            left -= 1
            if left <= 0:
                rate = USUAL
            if left <= 0 and dice.random() < HICCUPS_A_SECOND:
                rate, left = dice.uniform(*HICCUP_RATES), dice.randint(*HICCUP_SECONDS)
            new = sum(dice.random() < share / 100 for _ in range(PER_SECOND))
            old = PER_SECOND - new
            seconds.append(Second(share, _drawn(dice, new, rate), _drawn(dice, old, rate)))
    return seconds


def _drawn(dice: random.Random, total: int, rate: float) -> Count:
    return Count(total, sum(dice.random() < rate for _ in range(total)))


def _slipway(rollout: Sequence[Second]) -> bool:
    """Judge each second by the function that the rollout judges by."""
    samples: list[Sample] = []
    for number, second in enumerate(rollout, start=1):
        now = BEGAN + timedelta(seconds=number)
        tracks: tuple[tuple[Track, Count], ...] = (
            ("canary", second.canary),
            ("stable", second.stable),
        )
        for track, count in tracks:
            sample = Sample(now, INDICATOR.name, track, second.share, count.total, count.bad)
            samples.append(sample)
        facts = Facts((INDICATOR,), Judging(), tuple(samples), now, second.share)
        if judge(facts)[0].outcome is Outcome.FAILED:
            return True
    return False


def _threshold(rollout: Sequence[Second], first: int, every: int) -> bool:
    """Measure as the peers do: the new release's good answers in a window, against a limit."""
    for number in range(first, len(rollout) + 1, every):
        seen = [second.canary for second in rollout[max(0, number - WINDOW_SECONDS) : number]]
        total = math.fsum(count.total for count in seen)
        bad = math.fsum(count.bad for count in seen)
        if total > 0 and 1 - bad / total < SUCCESS:
            return True
    return False


ALARMS: dict[str, Callable[[Sequence[Second]], bool]] = {
    "slipway": _slipway,
    "argo": lambda rollout: _threshold(rollout, 10, 5),
    "flagger": lambda rollout: _threshold(rollout, 10, 10),
}
