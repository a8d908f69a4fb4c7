"""Keeping the samples of a long watch few enough to be weighed every second."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from tasks.core.sample import Sample, Track

__all__ = ["thin"]

PIECE = timedelta(minutes=1)


def thin(samples: Sequence[Sample], most: int) -> Sequence[Sample]:
    """Add up the older half minute by minute where there are more samples than that.

    The counts of both releases stay side by side, so that what hit both still cancels. Of plain
    numbers the sum and how many there were remain, which is their average.
    """
    if len(samples) <= most:
        return samples
    merged: dict[tuple[datetime, str, Track, int], Sample] = {}
    half = len(samples) // 2
    for sample in samples[:half]:
        at = sample.at - (sample.at - datetime.min.replace(tzinfo=sample.at.tzinfo)) % PIECE
        key = (at, sample.sli, sample.track, sample.share)
        before = merged.get(key)
        total = sample.total + (before.total if before else 0.0)
        bad = sample.bad + (before.bad if before else 0.0)
        merged[key] = replace(sample, at=at, total=total, bad=bad)
    return [*merged.values(), *samples[half:]]
