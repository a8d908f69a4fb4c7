"""Keeping the samples of a long watch few, so that none of it has to be forgotten."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from tasks.core.sample import Sample
from tasks.core.tracks import Track

__all__ = ["expected", "thin"]

PIECE = timedelta(minutes=1)
LONGEST = timedelta(days=1)
ROOM = 0.75
"""So much of what is allowed is left, so that the next sample does not make it thinned again."""
FEW = 6
"""So few looks in a piece of time are not worth adding up: a plain number is read every 15 s."""

Look = dict[Track, Sample]
"""What both releases counted at one instant, of one indicator on one component."""
Key = tuple[str, str, int]
"""Indicator, component, share of the traffic."""


def thin(samples: Sequence[Sample], most: int) -> Sequence[Sample]:
    """Add up the older half where there are more samples than that, minute by minute or longer.

    What is judged by fewer samples is never surer than by all of them (see `expected`), so that a
    rollout's evidence is one bet however often it was thinned. To that end the first look of each
    share stays as it is, and looks that only one release had events in are added up on their own.
    """
    if len(samples) <= most:
        return samples
    piece, shorter = PIECE, False
    while len(samples) > most * ROOM and (shorter or piece <= LONGEST):
        until = samples[len(samples) // 2].at
        older = _added_up((sample for sample in samples if sample.at < until), piece)
        fewer = [*older, *(sample for sample in samples if sample.at >= until)]
        samples, shorter, piece = fewer, len(fewer) < len(samples), piece * 2
    return samples


def expected(canary: Sample | None, stable: Sample | None) -> float:
    """Return how many of the bad events of both would be the canary's, were both alike.

    Of several looks this is the sum over them, and no bet can be made of their sums alone: shares
    and rates that change together would look like a difference. With it the bet on the sums is at
    most the product of the bets on each look, since the logarithm is concave (Jensen).
    """
    if canary is None or stable is None:
        return 0.0
    if canary.expected is not None:
        return canary.expected
    total = canary.total + stable.total
    both = canary.total > 0 and stable.total > 0
    return (canary.bad + stable.bad) * canary.total / total if both else 0.0


def _added_up(samples: Iterable[Sample], piece: timedelta) -> list[Sample]:
    looks: dict[Key, dict[datetime, Look]] = defaultdict(lambda: defaultdict(dict))
    for sample in samples:
        key = (sample.sli, sample.component, sample.share)
        looks[key][sample.at][sample.track] = sample
    thinned = [
        each
        for of_key in looks.values()
        for group in _groups(of_key, piece)
        for each in (group if len(group) < FEW else [_sum(group)])
    ]
    found = [sample for look in thinned for sample in look.values()]
    return sorted(found, key=lambda sample: sample.at)


def _groups(looks: dict[datetime, Look], piece: timedelta) -> Iterable[list[Look]]:
    """Return the looks that may be added up: those of a piece of time with events of the same."""
    first = min(looks)
    yield [looks[first]]
    groups: dict[tuple[datetime, frozenset[Track]], list[Look]] = defaultdict(list)
    for at, look in looks.items():
        if at != first:
            began = at - (at - datetime.min.replace(tzinfo=at.tzinfo)) % piece
            busy = frozenset(track for track, sample in look.items() if sample.total > 0)
            groups[began, busy].append(look)
    yield from groups.values()


def _sum(looks: Sequence[Look]) -> Look:
    """Add up looks; all that is left of them stands at the last one's instant."""
    tracks: Look = {}
    for look in looks:
        for track, sample in look.items():
            before = tracks.get(track, replace(sample, total=0.0, bad=0.0))
            total, bad = before.total + sample.total, before.bad + sample.bad
            tracks[track] = replace(sample, total=total, bad=bad)
    at = max(sample.at for sample in tracks.values())
    alike = sum(expected(look.get("canary"), look.get("stable")) for look in looks)
    return {
        track: replace(sample, at=at, expected=alike if track == "canary" else None)
        for track, sample in tracks.items()
    }
