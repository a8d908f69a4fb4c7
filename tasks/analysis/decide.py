"""The verdict: both against the objective and against the release before."""

import math
from collections.abc import Iterable, Sequence
from datetime import datetime

from tasks.analysis.burning import fast_burn, worst_burn
from tasks.analysis.model import (
    NOTHING,
    Count,
    Facts,
    Finding,
    Indicator,
    Limit,
    Look,
    Objective,
    Shift,
)
from tasks.analysis.sequential import (
    WHOLE,
    Before,
    Bounds,
    average,
    harmless_beside,
    harmless_itself,
    worse,
)
from tasks.core.model import Outcome, Verdict
from tasks.core.sample import Sample
from tasks.core.units import format_duration

__all__ = ["judge", "looks_of"]

HARMLESS = math.log(20)
"""A release that would burn fast passes a step with a chance of at most 1 in 20."""
CLEAR_SHIFT = 0.1
"""Of all requests, so many more above an edge of the histogram are a clearly worse distribution."""
STEADY = 3
"""A plain number is over its limit when it was so in as many looks in a row."""
GRAVITY = (Outcome.FAILED, Outcome.UNAVAILABLE, Outcome.NO_DATA, Outcome.PASSED)


def judge(facts: Facts) -> tuple[Verdict, bool]:
    """Say what the evidence shows about a release, and whether it is complete."""
    bounds = Bounds.of(facts.judging.false_alarms / 100, len(facts.indicators))
    findings = [_finding(indicator, facts, bounds) for indicator in facts.indicators]
    if not findings:
        return Verdict(Outcome.PASSED, "slipway.yaml names no service level to judge by"), True
    gravest = min((found.outcome for found in findings), key=GRAVITY.index)
    said = [found.sentence for found in findings if found.outcome is gravest]
    evidence = tuple(line for found in findings for line in (found.sentence, *found.shown))
    decided = gravest is Outcome.FAILED or all(found.decided for found in findings)
    return Verdict(gravest, "; ".join(said), evidence), decided


def looks_of(samples: Iterable[Sample], sli: str) -> tuple[Look, ...]:
    """Put the samples of both tracks side by side, oldest first."""
    counts: dict[tuple[datetime, int], dict[str, Count]] = {}
    for sample in samples:
        if sample.sli == sli:
            tracks = counts.setdefault((sample.at, sample.share), {})
            tracks[sample.track] = tracks.get(sample.track, NOTHING) + Count(
                sample.total, sample.bad
            )
    return tuple(
        Look(at, share, tracks.get("canary", NOTHING), tracks.get("stable", NOTHING))
        for (at, share), tracks in sorted(counts.items(), key=lambda item: item[0])
    )


def _finding(indicator: Indicator, facts: Facts, bounds: Bounds) -> Finding:
    fault = facts.faults.get(indicator.name)
    if fault is not None:
        return Finding(Outcome.UNAVAILABLE, f"{indicator.name}: {fault}", shown=indicator.shown)
    match indicator.goal:
        case Objective() as goal:
            return _ratio(indicator, goal, facts, bounds)
        case Shift() as goal:
            return _shift(indicator, goal, facts, bounds)
        case Limit() as goal:
            return _number(indicator, goal, facts, bounds)


def _ratio(indicator: Indicator, goal: Objective, facts: Facts, bounds: Bounds) -> Finding:
    looks = looks_of(facts.samples, indicator.name)
    baseline = _history(facts.baselines.get(indicator.name, ()), looks)
    fresh = [look for look in looks if look.share == facts.share]
    seen = sum((look.canary for look in fresh), NOTHING)
    burn = worst_burn(looks, goal, facts.now)
    evidence = worse(looks, Before.of(baseline, bounds.baseline))
    sentence = (
        f"{indicator.name}: {_compared(looks, baseline)}: burn {burn.rate:.1f} over"
        f" {format_duration(burn.window)} (limit {burn.limit:.1f}), {_odds(evidence, bounds)}"
    )
    whole = sum((look.canary for look in looks), NOTHING)
    if burn.over and evidence >= bounds.evidence and whole.total >= facts.judging.min_events:
        return Finding(Outcome.FAILED, sentence, decided=True, shown=indicator.shown)
    if seen.total < facts.judging.min_events:
        return _too_little(indicator, seen.total, facts)
    if burn.over and not baseline:
        what = f"{indicator.name}: burns, and there is nothing to compare it with: {sentence}"
        return Finding(Outcome.NO_DATA, what, shown=indicator.shown)
    harmless = max(harmless_itself(seen, fast_burn(goal), goal.budget), harmless_beside(fresh))
    decided = harmless >= HARMLESS and not (burn.over and evidence > 0)
    return Finding(Outcome.PASSED, sentence, decided, indicator.shown)


def _shift(indicator: Indicator, goal: Shift, facts: Facts, bounds: Bounds) -> Finding:
    edges = {edge: looks_of(facts.samples, edge) for edge in goal.edges}
    baselines = {
        edge: _history(facts.baselines.get(edge, ()), looks) for edge, looks in edges.items()
    }
    seen = max(
        (sum(look.canary.total for look in looks if look.share == facts.share)
         for looks in edges.values()),
        default=0.0,
    )  # fmt: skip
    if seen < facts.judging.min_events:
        return _too_little(indicator, seen, facts)
    evidence = average(
        [worse(edges[edge], Before.of(baselines[edge], bounds.baseline)) for edge in goal.edges]
    )
    shifts = {edge: _difference(edges[edge], baselines[edge]) for edge in goal.edges}
    edge = max(shifts, key=lambda edge: shifts[edge])
    sentence = (
        f"{edge}: {_compared(edges[edge], baselines[edge])}: {100 * shifts[edge]:.1f} points more"
        f" (limit {100 * CLEAR_SHIFT:.0f}), {_odds(evidence, bounds)}"
    )
    clear = shifts[edge] > CLEAR_SHIFT
    if clear and evidence >= bounds.evidence:
        return Finding(Outcome.FAILED, sentence, decided=True, shown=indicator.shown)
    return Finding(Outcome.PASSED, sentence, not (clear and evidence > 0), indicator.shown)


def _number(indicator: Indicator, goal: Limit, facts: Facts, bounds: Bounds) -> Finding:
    values = looks_of(facts.samples, indicator.name)
    fresh = [look for look in values if look.share == facts.share and look.canary.total > 0]
    if not fresh:
        return _too_little(indicator, 0, facts)
    looks = [
        Look(look.at, look.share, _over(look.canary, goal), _over(look.stable, goal))
        for look in values
    ]
    baseline = [_over(value, goal) for value in facts.baselines.get(indicator.name, ())]
    evidence = worse(looks, Before.of(_history(baseline, looks), bounds.baseline))
    last = fresh[-1].canary.bad
    sentence = f"{indicator.name}: {last:g} (limit {goal.value:g}), {_odds(evidence, bounds)}"
    steady = len(looks) >= STEADY and all(look.canary.bad for look in looks[-STEADY:])
    if steady and evidence >= bounds.evidence:
        return Finding(Outcome.FAILED, sentence, decided=True, shown=indicator.shown)
    decided = last <= goal.value or harmless_beside(looks) >= HARMLESS
    return Finding(Outcome.PASSED, sentence, decided, indicator.shown)


def _over(value: Count, goal: Limit) -> Count:
    """Make of a plain number, or the average of several, one event: bad where over the limit."""
    return Count(1.0, float(value.rate > goal.value)) if value.total > 0 else NOTHING


def _too_little(indicator: Indicator, seen: float, facts: Facts) -> Finding:
    what = f"{indicator.name}: {seen:g} events of the new release at {facts.share} % of the traffic"
    needed = f"{what}, {facts.judging.min_events} needed"
    return Finding(Outcome.NO_DATA, needed, shown=indicator.shown)


def _history(baseline: Sequence[Count], looks: Iterable[Look]) -> tuple[Count, ...]:
    """Add to the time before what the old release counted beside the new one, by the minute."""
    minutes: dict[datetime, Count] = {}
    for look in looks:
        if look.share < WHOLE and look.stable.total > 0:
            minute = look.at.replace(second=0, microsecond=0)
            minutes[minute] = minutes.get(minute, NOTHING) + look.stable
    return (*baseline, *minutes.values())


def _sides(looks: Sequence[Look], baseline: Sequence[Count]) -> tuple[Count, Count]:
    """Return what the new and the old release counted where they can be compared."""
    beside = [look for look in looks if look.share < WHOLE]
    if beside and looks[-1].share < WHOLE:
        old = sum((look.stable for look in beside), NOTHING)
        return sum((look.canary for look in beside), NOTHING), old
    after = (look.canary for look in looks if look.share == WHOLE)
    return sum(after, NOTHING), sum(baseline, NOTHING)


def _difference(looks: Sequence[Look], baseline: Sequence[Count]) -> float:
    new, old = _sides(looks, baseline)
    return new.rate - old.rate if old.total > 0 else 0.0


def _compared(looks: Sequence[Look], baseline: Sequence[Count]) -> str:
    new, old = _sides(looks, baseline)
    when = "beside it" if looks and looks[-1].share < WHOLE else "before it"
    return f"{_counted(new)} bad on the new release, {_counted(old)} on the old one {when}"


def _counted(count: Count) -> str:
    return f"{count.bad:g} of {count.total:g} ({100 * count.rate:.2g} %)"


def _odds(evidence: float, bounds: Bounds) -> str:
    """Say how sure it is that the new release is worse, and how sure it has to be."""
    odds, needed = (math.exp(min(value, 20.0)) for value in (evidence, bounds.evidence))
    shown = f"{odds:,.0f}" if odds >= 1 else f"{odds:.1g}"
    return f"worse than the old one with {shown} to 1 ({needed:,.0f} to 1 needed)"
