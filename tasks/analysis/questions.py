"""What has to be asked for each service level indicator, for either release's pods."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import NamedTuple

from tasks.analysis.model import Indicator, Limit, Objective, Shift
from tasks.analysis.series import Selector
from tasks.core.promql import counter_of
from tasks.core.queries import events, narrow, placeholders, resolve
from tasks.core.slos import Availability, Goal, Latency, Saturation, Slos
from tasks.core.tracks import Track, canary_name
from tasks.core.units import format_duration
from tasks.core.watching import Watch

__all__ = [
    "Counted",
    "Histogram",
    "Number",
    "Place",
    "Pods",
    "Question",
    "Ratio",
    "edge_name",
    "indicators",
    "questions",
    "sent",
]

_TAIL = "-[a-z0-9]+-[a-z0-9]+"
"""What Kubernetes adds to a Deployment's name to name its pods: replica set and pod."""
_SAFE = "[b-df-hj-np-tv-xz2456789]"
"""What Kubernetes draws names from: nothing that makes a word."""
_ANY_TAIL = f"-(?:[0-9]+|(?:{_SAFE}{{1,10}}-)?{_SAFE}{{5}})"
"""The same for whatever is rolled in place: Deployments, StatefulSets and DaemonSets."""


class Place(NamedTuple):
    """Whose a pod is: the release, and the component by the name of its stable workload."""

    track: Track
    component: str


@dataclass(frozen=True, slots=True)
class Pods:
    """How the pods of the two releases, and of the components, are told apart: by their names.

    Attributes:
        workloads: names of the stable track's.
        in_place: the new release has taken their place, from the watch's `since` on.
    """

    namespace: str
    workloads: tuple[str, ...]
    in_place: bool = False

    @classmethod
    def between(cls, namespace: str, workloads: Iterable[str]) -> "Pods":
        """Read it from the names of the Deployments of the old release."""
        return cls(namespace, tuple(workloads))

    @classmethod
    def of(cls, watch: Watch) -> "Pods":
        """Read it from a watch."""
        return cls(watch.namespace, watch.workloads, watch.in_place)

    @property
    def places(self) -> tuple[Place, ...]:
        """Everywhere that something can be counted now."""
        tracks: tuple[Track, ...] = ("canary",) if self.in_place else ("canary", "stable")
        return tuple(Place(track, name) for track in tracks for name in self.workloads)

    @property
    def canary(self) -> str:
        """The regular expression of the names of the new release's pods."""
        names = self.workloads if self.in_place else map(canary_name, self.workloads)
        return _pattern(names, self._tail)

    @property
    def stable(self) -> str:
        """Likewise of the old release's, in place as they were before the rollout."""
        return _pattern(self.workloads, self._tail)

    @property
    def both(self) -> str:
        """Likewise of either release's."""
        return "|".join(sorted({self.canary, self.stable}))

    def at(self, place: Place) -> str:
        """Likewise of one component's pods of one release."""
        only = replace(self, workloads=(place.component,))
        return only.canary if place.track == "canary" else only.stable

    def before(self, component: str) -> str:
        """Likewise of one component's pods before the rollout."""
        return replace(self, workloads=(component,)).stable

    def place_of(self, pod: str) -> Place | None:
        """Return whose a pod is, None for somebody else's."""
        found = (place for place in self.places if re.fullmatch(self.at(place), pod))
        return max(found, key=lambda place: len(place.component), default=None)

    def track_of(self, pod: str) -> Track | None:
        """Return the release that a pod is of, None for somebody else's."""
        place = self.place_of(pod)
        return place.track if place else None

    def narrowed(self, query: str, pods: str, window: timedelta) -> str:
        """Fill in a query, and let it see only some pods of this namespace."""
        values = {
            "namespace": self.namespace,
            "window": format_duration(window),
            "period": format_duration(window),
            "pods": pods,
        }
        if "pods" in placeholders(query):
            return resolve(query, values)
        here = narrow(resolve(query, values), f"namespace={json.dumps(self.namespace)}")
        return narrow(here, f"pod=~{json.dumps(pods)}")

    def counted(self, query: str, pods: str, window: timedelta) -> str:
        """Fill in a query likewise; a plain selector becomes the number of its events."""
        values = {"namespace": self.namespace, "window": format_duration(window)}
        return events(self.narrowed(query, pods, window), values)

    @property
    def _tail(self) -> str:
        return _ANY_TAIL if self.in_place else _TAIL


def _pattern(names: Iterable[str], tail: str) -> str:
    return f"(?:{'|'.join(map(re.escape, names))}){tail}".replace("\\-", "-")


@dataclass(frozen=True, slots=True)
class Counted:
    """A ratio of two counters, which can be counted on the pods."""

    name: str
    errors: str
    total: str

    @property
    def queries(self) -> tuple[str, ...]:
        """Everything that has to be read."""
        return self.total, self.errors


@dataclass(frozen=True, slots=True)
class Histogram:
    """Requests by the time they took, which can be counted on the pods.

    Attributes:
        buckets: selector of the histogram's buckets.
    """

    name: str
    buckets: str
    threshold: timedelta
    compare: bool

    @property
    def queries(self) -> tuple[str, ...]:
        """Everything that has to be read."""
        return (self.buckets,)


@dataclass(frozen=True, slots=True)
class Ratio:
    """A ratio of any two queries, which only Prometheus can answer."""

    name: str
    errors: str
    total: str

    @property
    def queries(self) -> tuple[str, ...]:
        """Everything that has to be read."""
        return self.total, self.errors


@dataclass(frozen=True, slots=True)
class Number:
    """A plain number, which only Prometheus can answer."""

    name: str
    query: str

    @property
    def queries(self) -> tuple[str, ...]:
        """Everything that has to be read."""
        return (self.query,)


Question = Counted | Histogram | Ratio | Number
WINDOW = timedelta(seconds=30)
"""`$window` of a query that only Prometheus can answer, asked as often."""


def questions(slos: Slos, namespace: str) -> tuple[Question, ...]:
    """Return what has to be asked, in the order of slipway.yaml's keys."""
    return tuple(_question(name, goal, namespace) for name, goal in slos.goals.items())


def indicators(
    slos: Slos, asked: tuple[Question, ...], pods: Pods, names: Iterable[str]
) -> tuple[Indicator, ...]:
    """Return what is judged; names are those of the samples that there are."""
    there = sorted(set(names))
    found = []
    for question in asked:
        said = _shown(question, pods)
        found.append(Indicator(question.name, _limit(slos.goals[question.name]), said))
        if isinstance(question, Histogram) and question.compare:
            edges = tuple(name for name in there if name.startswith(edge_name(question, "")))
            found.append(Indicator(f"{question.name}, compared", Shift(edges), said))
    return tuple(found)


def edge_name(question: Histogram, edge: str) -> str:
    """Return the name of the samples that count what lies above an edge of a histogram."""
    return f"{question.name} > {edge}"


def sent(question: Question, pods: Pods, pattern: str) -> tuple[tuple[str, str], ...]:
    """Return the queries for some pods as they are sent, each after its key."""
    keys = {Number: ("query",), Histogram: ("histogram",)}.get(type(question), ("total", "errors"))
    fill = pods.counted if isinstance(question, Ratio) else pods.narrowed
    queries = (fill(query, pattern, WINDOW) for query in question.queries)
    return tuple(zip(keys, queries, strict=True))


def _shown(question: Question, pods: Pods) -> tuple[str, ...]:
    """Write the queries for both releases as evidence; of several components each is asked."""
    old = "before" if pods.in_place else "stable"
    tracks = (("canary", pods.canary), (old, pods.stable))
    return tuple(
        f"{key}, {track}: {' '.join(query.split())}"
        for track, pattern in tracks
        for key, query in sent(question, pods, pattern)
    )


def _limit(goal: Goal) -> Objective | Limit:
    match goal:
        case Saturation():
            return Limit(goal.limit)
        case Availability() | Latency():
            return Objective(1 - goal.objective / 100, goal.period)


def _question(name: str, goal: Goal, namespace: str) -> Question:
    match goal:
        case Saturation():
            return Number(name, goal.query)
        case Latency():
            selector = resolve(goal.selector, {"namespace": namespace})
            buckets = f"{goal.histogram}_bucket{{{selector}}}"
            return Histogram(name, buckets, goal.threshold, goal.compare)
        case Availability():
            return _counted(name, goal, namespace) or Ratio(name, goal.errors, goal.total)


def _counted(name: str, ratio: Availability, namespace: str) -> Counted | None:
    """Return what can be counted on the pods, None where only Prometheus can read it."""
    errors, total = counter_of(ratio.errors), counter_of(ratio.total)
    if errors is None or total is None:
        return None
    values = {"namespace": namespace}
    counted = Counted(name, resolve(errors, values), resolve(total, values))
    try:
        tuple(map(Selector.read, counted.queries))
    except ValueError:
        return None
    return counted
