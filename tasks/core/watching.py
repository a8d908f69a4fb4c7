"""What is asked of those who judge a release, and what they answer."""

from dataclasses import dataclass
from datetime import datetime

from tasks.core.model import Verdict
from tasks.core.sample import Sample
from tasks.core.slos import Slos
from tasks.core.target import Target

__all__ = ["Reading", "Watch"]


@dataclass(frozen=True, slots=True)
class Watch:
    """What is judged: a release's pods, against those of the release before it.

    Attributes:
        workloads: names of the workloads of the stable track; a canary's is `NAME-canary`.
        since: when the pods of the canary track got their first share of the traffic; the old
            release's history is read up to then.
        beside: whether pods of the stable track answer requests at the same time; otherwise the
            comparison is with the time before `since`.
        in_place: the new release has taken the place of the old one, as after a rolling update:
            the workloads' own pods are the new release's, and beside is False.
        share: percent of the traffic that the canary track has.
        seen: samples of the steps before this one, so that a new process goes on counting.
    """

    application: str
    environment: str
    namespace: str
    target: Target
    slos: Slos
    workloads: tuple[str, ...]
    since: datetime
    share: int
    beside: bool = True
    seen: tuple[Sample, ...] = ()
    in_place: bool = False


@dataclass(frozen=True, slots=True)
class Reading:
    """What the evidence says by now, and the samples that are new in it.

    Attributes:
        decided: the evidence is complete: watching longer would only cost time.
    """

    verdict: Verdict
    samples: tuple[Sample, ...] = ()
    decided: bool = False
