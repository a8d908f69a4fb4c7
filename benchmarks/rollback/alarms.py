"""How often a good release is taken back because its users have a bad time anyway.

Simulated, since hundreds of rollouts of some minutes each on three sides take days: the counts of
each second are drawn once a release, and all three sides judge the same ones. A dependency fails
now and then, for the old release and the new one alike, as it did in the hour before. Slipway goes
on judging where the peers have ended: at 100 % of the traffic, with nothing beside the new release.
"""

import math
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from benchmarks.rollback.steps import BAKE_SECONDS, PAUSE_SECONDS, SHARES, SUCCESS
from tasks.analysis.decide import judge
from tasks.analysis.model import Count, Facts, Indicator, Objective
from tasks.core.model import Outcome
from tasks.core.sample import Sample
from tasks.core.slos import Judging
from tasks.core.tracks import Track

__all__ = ["RELEASES", "Rollout", "Second", "false_alarms"]

SEEDS = (1, 2, 3)
EACH = 100
RELEASES = EACH * len(SEEDS)
PER_SECOND = 20
USUAL = 0.003
HICCUPS_A_SECOND = 1 / 60
HICCUP_SECONDS = (5, 20)
HICCUP_RATES = (0.03, 0.08)
WINDOW_SECONDS = 15
WHOLE = 100
HOUR_SECONDS, MINUTE_SECONDS = 3600, 60
BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
INDICATOR = Indicator("availability", Objective(0.005, timedelta(days=30)))


@dataclass(frozen=True, slots=True)
class Second:
    """What both releases counted in one second."""

    share: int
    canary: Count
    stable: Count


@dataclass(frozen=True, slots=True)
class Rollout:
    """A release that is neither better nor worse than the one before.

    Attributes:
        before: what the old release counted, minute by minute.
    """

    before: tuple[Count, ...]
    seconds: tuple[Second, ...]


def false_alarms(seeds: Sequence[int] = SEEDS, each: int = EACH) -> dict[str, int]:
    """Return how many good releases each side would have taken back, so many for each seed."""
    found = dict.fromkeys(ALARMS, 0)
    for seed in seeds:
        dice = random.Random(seed)  # noqa: S311 no secret
        for rollout in (_good_rollout(dice) for _ in range(each)):
            for name, alarm in ALARMS.items():
                found[name] += alarm(rollout)
    return found


def _good_rollout(dice: random.Random) -> Rollout:
    rates, before = _rates(dice), []
    for _ in range(HOUR_SECONDS // MINUTE_SECONDS):
        drawn = [_drawn(dice, PER_SECOND, next(rates)).bad for _ in range(MINUTE_SECONDS)]
        before.append(Count(PER_SECOND * MINUTE_SECONDS, math.fsum(drawn)))
    steps = (*((share, PAUSE_SECONDS) for share in SHARES), (WHOLE, BAKE_SECONDS))
    seconds = [_second(dice, share, next(rates)) for share, lasts in steps for _ in range(lasts)]
    return Rollout(tuple(before), tuple(seconds))


def _rates(dice: random.Random) -> Iterator[float]:
    """Say for each second which share of the requests fails, whichever release answers."""
    rate, left = USUAL, 0
    while True:
        left -= 1
        if left <= 0:
            rate = USUAL
            if dice.random() < HICCUPS_A_SECOND:
                rate, left = dice.uniform(*HICCUP_RATES), dice.randint(*HICCUP_SECONDS)
        yield rate


def _second(dice: random.Random, share: int, rate: float) -> Second:
    new = sum(dice.random() < share / 100 for _ in range(PER_SECOND))
    return Second(share, _drawn(dice, new, rate), _drawn(dice, PER_SECOND - new, rate))


def _drawn(dice: random.Random, total: int, rate: float) -> Count:
    """Draw from a binomial by its gaps: most requests are good, and need no number each."""
    bad, at = 0, 0
    while True:
        at += 1 + int(math.log(1 - dice.random()) / math.log1p(-rate))
        if at > total:
            return Count(total, bad)
        bad += 1


def _slipway(rollout: Rollout) -> bool:
    """Judge by the function that a rollout judges by, whenever something bad has come.

    Nothing but a bad answer can make a verdict worse, and a minute's last second sees the rest.
    """
    samples: list[Sample] = []
    past = {INDICATOR.name: {"": rollout.before}}
    for number, second in enumerate(rollout.seconds, start=1):
        now = BEGAN + timedelta(seconds=number)
        samples += _samples(now, second)
        if not second.canary.bad and number % MINUTE_SECONDS:
            continue
        facts = Facts((INDICATOR,), Judging(), tuple(samples), now, second.share, baselines=past)
        if judge(facts)[0].outcome is Outcome.FAILED:
            return True
    return False


def _samples(now: datetime, second: Second) -> Iterator[Sample]:
    tracks: tuple[tuple[Track, Count], ...] = (("canary", second.canary), ("stable", second.stable))
    for track, count in tracks:
        yield Sample(now, INDICATOR.name, track, second.share, count.total, count.bad)


def _threshold(rollout: Rollout, first: int, every: int) -> bool:
    """Measure as the peers do: the new release's good answers in a window, against a limit."""
    judged = [second.canary for second in rollout.seconds if second.share < WHOLE]
    for number in range(first, len(judged) + 1, every):
        seen = judged[max(0, number - WINDOW_SECONDS) : number]
        total = math.fsum(count.total for count in seen)
        bad = math.fsum(count.bad for count in seen)
        if total > 0 and 1 - bad / total < SUCCESS:
            return True
    return False


ALARMS: dict[str, Callable[[Rollout], bool]] = {
    "slipway": _slipway,
    "argo": lambda rollout: _threshold(rollout, 10, 5),
    "flagger": lambda rollout: _threshold(rollout, 10, 10),
}
