"""From question to samples: one gauge for each indicator."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tasks.analysis.counting import counts, largest, ratio_count, series_of
from tasks.analysis.model import NOTHING, Count
from tasks.analysis.poll import Poll
from tasks.analysis.questions import WINDOW, Counted, Histogram, Number, Place, Pods, Ratio, sent
from tasks.analysis.scrape import Scraped
from tasks.analysis.series import Counters, Series, grown
from tasks.core.prometheus import Prometheus
from tasks.core.sample import Sample
from tasks.core.tracks import TRACKS

__all__ = ["CounterGauge", "Growth", "Tallied", "WindowGauge", "samples_of"]

Tallied = dict[Place, dict[str, Count]]
"""Counts by the name of their samples, for each component of each release."""
EVERY = timedelta(seconds=1)
NUMBER_EVERY = timedelta(seconds=15)
"""A plain number goes on as it was: two looks close to each other are no two proofs."""
ONE_SIDED = timedelta(seconds=10)
"""A look waits for so long for events of both releases, which are not scraped at one time."""


@dataclass(slots=True)
class Growth:
    """The counters of pods as they were read last."""

    before: dict[str, dict[Series, float]] = field(default_factory=dict)

    def advance(self, pods: Mapping[str, Counters]) -> dict[str, dict[Series, float]]:
        """Return by how much each pod's counters grew, and remember them as they are."""
        growth = {pod: grown(self.before.get(pod), counters) for pod, counters in pods.items()}
        for pod, counters in pods.items():
            self.before[pod] = {**self.before.get(pod, {}), **counters}
        return growth


@dataclass(slots=True)
class CounterGauge:
    """Counts by counters: on the pods where they show them, else as Prometheus has them.

    Attributes:
        poll: of Prometheus; None where none is named.
        beside: whether both releases are asked, and a look waits for events of both.
        on_pods: the pods have shown these counters once, and are counted from then on.
    """

    question: Counted | Histogram
    pods: Pods
    poll: Poll[dict[str, dict[Series, float]]] | None
    beside: bool
    on_pods: bool = False
    fault: str = ""
    _growth: Growth = field(default_factory=Growth)
    _open: Tallied = field(default_factory=dict)
    _since: dict[str, datetime] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        question: Counted | Histogram,
        pods: Pods,
        prometheus: Prometheus | None,
        *,
        beside: bool,
    ) -> "CounterGauge":
        """Make the gauge of a question."""
        if prometheus is None:
            return cls(question, pods, None, beside)
        queries = [pods.narrowed(query, pods.both, WINDOW) for query in question.queries]

        def ask() -> dict[str, dict[Series, float]]:
            return series_of(point for query in queries for point in prometheus.instant(query))

        return cls(question, pods, Poll(ask, EVERY), beside)

    def look(
        self, scraped: Scraped, growth: Mapping[str, Mapping[Series, float]], now: datetime
    ) -> Tallied:
        """Return what was counted since the last look that was closed, where one closes now."""
        self.on_pods = self.on_pods or any(
            counts(self.question, counters)
            for pod, counters in scraped.pods.items()
            if self.pods.track_of(pod) is not None
        )
        if self.on_pods:
            self.fault = _silence(scraped, self.pods)
            self._add(growth, scraped)
        elif self.poll is not None:
            answer = self.poll.take(now)
            self._add(self._growth.advance(answer or {}), scraped)
            self.fault = self.poll.fault
        else:
            self.fault = _silence(scraped, self.pods) or (
                "" if scraped.pods else "no Prometheus is named, and no pod shows metrics"
            )
        return self._close(now)

    def _add(self, growth: Mapping[str, Mapping[Series, float]], scraped: Scraped) -> None:
        """Count what pods have counted; in place not what the old ones do to their very end."""
        for pod, counters in growth.items():
            place = self.pods.place_of(pod)
            if place is not None and (pod in scraped.staying or not self.pods.in_place):
                names = self._open.setdefault(place, {})
                for name, count in counts(self.question, counters).items():
                    names[name] = names.get(name, NOTHING) + count

    def _close(self, now: datetime) -> Tallied:
        """Close the looks at the components that are complete."""
        components = dict.fromkeys(place.component for place in self._open)
        complete = {each for each in components if self._is_complete(each, now)}
        closed = {
            place: names for place, names in self._open.items() if place.component in complete
        }
        for place in closed:
            del self._open[place]
            self._since[place.component] = now
        return closed

    def _is_complete(self, component: str, now: datetime) -> bool:
        """Say whether both releases had events: one alone says nothing of the other."""
        since = self._since.setdefault(component, now)
        both = (self._open.get(Place(track, component), {}) for track in TRACKS)
        wanted = len(TRACKS) if self.beside and now - since < ONE_SIDED else 1
        return sum(map(_has_events, both)) >= wanted


@dataclass(slots=True)
class WindowGauge:
    """Asks Prometheus alone, window by window."""

    question: Ratio | Number
    poll: Poll[dict[Place, Count]] | None

    @classmethod
    def of(
        cls,
        question: Ratio | Number,
        pods: Pods,
        prometheus: Prometheus | None,
        last: datetime | None,
    ) -> "WindowGauge":
        """Make the gauge of a question whose last answer was about the time until an instant.

        The next window begins there, so that nothing is counted twice.
        """
        if prometheus is None:
            return cls(question, None)

        def ask() -> dict[Place, Count]:
            counted = ((place, _ask(question, pods, place, prometheus)) for place in pods.places)
            return {place: count for place, count in counted if count is not None}

        every = WINDOW if isinstance(question, Ratio) else NUMBER_EVERY
        return cls(question, Poll(ask, every, asked_at=last))

    @property
    def fault(self) -> str:
        """Why it cannot be read, empty where it can."""
        return "no Prometheus is named" if self.poll is None else self.poll.fault

    def look(self, now: datetime) -> Tallied:
        """Return the counts of a window that has been answered."""
        answer = self.poll.take(now) if self.poll else None
        return {place: {self.question.name: count} for place, count in (answer or {}).items()}


def samples_of(tallied: Tallied, at: datetime, share: int) -> Iterator[Sample]:
    """Write counts as samples."""
    for (track, component), names in tallied.items():
        for name, count in names.items():
            yield Sample(at, name, track, share, count.total, count.bad, component)


def _ask(
    question: Ratio | Number, pods: Pods, place: Place, prometheus: Prometheus
) -> Count | None:
    answers = [prometheus.instant(query) for _, query in sent(question, pods, pods.at(place))]
    match question:
        case Ratio():
            total, errors = answers
            return ratio_count(question, total, errors, WINDOW)
        case Number():
            value = largest(answers[0])
            return None if value is None else Count(1.0, value)


def _has_events(names: Mapping[str, Count]) -> bool:
    return any(count.total > 0 for count in names.values())


def _silence(scraped: Scraped, pods: Pods) -> str:
    """Say why no pod of the new release can be read, nothing where one can."""
    if any(pods.track_of(name) == "canary" for name in scraped.pods):
        return ""
    for name, why in scraped.silent.items():
        if pods.track_of(name) == "canary":
            return f"no pod of the new release shows its metrics, {name}{why}"
    return ""
