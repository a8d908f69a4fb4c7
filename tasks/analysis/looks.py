"""From samples to looks: both releases side by side, component by component."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from tasks.analysis.model import NOTHING, Count, Look
from tasks.analysis.sequential import WHOLE
from tasks.core.sample import Sample
from tasks.core.tracks import Track

__all__ = ["Strata", "by_the_minute", "newest", "pooled", "side_by_side", "sides"]

Strata = Mapping[str, tuple[Look, ...]]
"""Looks by component, oldest first."""
Pairs = dict[tuple[datetime, int], dict[Track, Sample]]


def side_by_side(samples: Iterable[Sample]) -> dict[str, Strata]:
    """Put the samples of both tracks side by side, by their name and component.

    Before the canary has a share only testers come to it, who are no measure of anybody.
    """
    found: dict[str, dict[str, Pairs]] = defaultdict(lambda: defaultdict(dict))
    for sample in samples:
        if sample.share > 0:
            pairs = found[sample.sli][sample.component]
            tracks = pairs.setdefault((sample.at, sample.share), {})
            before = tracks.get(sample.track)
            tracks[sample.track] = sample if before is None else _sum(before, sample)
    return {
        sli: {component: _in_order(pairs) for component, pairs in sorted(strata.items())}
        for sli, strata in found.items()
    }


def pooled(strata: Strata) -> tuple[Look, ...]:
    """Add up all components: what users met, whichever of them failed."""
    if len(strata) == 1:
        return next(iter(strata.values()))
    found: dict[tuple[datetime, int], Look] = {}
    for look in (look for looks in strata.values() for look in looks):
        key = look.at, look.share
        other = found.get(key)
        found[key] = look if other is None else _joined(look, other)
    return tuple(found[key] for key in sorted(found))


def newest(looks: Iterable[Look]) -> Count:
    """Add up what the new release counted."""
    return sum((look.canary for look in looks), NOTHING)


def by_the_minute(looks: Iterable[Look]) -> tuple[Count, ...]:
    """Return what the old release counted beside the new one, in pieces as its history has."""
    minutes: dict[datetime, Count] = {}
    for look in looks:
        if look.share < WHOLE and look.stable.total > 0:
            minute = look.at.replace(second=0, microsecond=0)
            minutes[minute] = minutes.get(minute, NOTHING) + look.stable
    return tuple(minutes.values())


def sides(looks: Sequence[Look], past: Sequence[Count]) -> tuple[Count, Count]:
    """Return what the new and the old release counted where they can be compared."""
    beside = [look for look in looks if look.share < WHOLE]
    if beside and looks[-1].share < WHOLE:
        return newest(beside), sum((look.stable for look in beside), NOTHING)
    return newest(look for look in looks if look.share == WHOLE), sum(past, NOTHING)


def _joined(one: Look, other: Look) -> Look:
    return Look(one.at, one.share, one.canary + other.canary, one.stable + other.stable)


def _sum(one: Sample, other: Sample) -> Sample:
    return replace(one, total=one.total + other.total, bad=one.bad + other.bad)


def _in_order(pairs: Pairs) -> tuple[Look, ...]:
    return tuple(_look(key, pairs[key]) for key in sorted(pairs))


def _look(key: tuple[datetime, int], tracks: Mapping[Track, Sample]) -> Look:
    canary, stable = tracks.get("canary"), tracks.get("stable")
    new = Count(canary.total, canary.bad) if canary else NOTHING
    old = Count(stable.total, stable.bad) if stable else NOTHING
    return Look(*key, new, old, canary.expected if canary else None)
