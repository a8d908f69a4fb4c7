"""From question to samples: one gauge for each indicator."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tasks.analysis.counting import counts, largest, ratio_count, series_of
from tasks.analysis.model import NOTHING, Count
from tasks.analysis.poll import Poll
from tasks.analysis.prometheus import Prometheus
from tasks.analysis.questions import WINDOW, Counted, Histogram, Number, Pods, Ratio, sent
from tasks.analysis.scrape import Scraped
from tasks.analysis.series import Counters, Series, grown
from tasks.core.sample import Sample, Track

__all__ = ["CounterGauge", "Growth", "Tallied", "WindowGauge", "samples_of"]

Tallied = dict[Track, dict[str, Count]]
"""Counts by the name of their samples, for each release."""
TRACKS: tuple[Track, ...] = ("canary", "stable")
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
        on_pods: the pods have shown these counters once, and are counted from then on.
    """

    question: Counted | Histogram
    pods: Pods
    poll: Poll[dict[str, dict[Series, float]]] | None
    on_pods: bool = False
    fault: str = ""
    _growth: Growth = field(default_factory=Growth)
    _open: Tallied = field(default_factory=dict)
    _since: datetime | None = None

    @classmethod
    def of(
        cls, question: Counted | Histogram, pods: Pods, prometheus: Prometheus | None
    ) -> "CounterGauge":
        """Make the gauge of a question."""
        if prometheus is None:
            return cls(question, pods, None)
        queries = [pods.narrowed(query, pods.both, WINDOW) for query in question.queries]

        def ask() -> dict[str, dict[Series, float]]:
            return series_of(point for query in queries for point in prometheus.instant(query))

        return cls(question, pods, Poll(ask, EVERY))

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
            self._add(growth)
        elif self.poll is not None:
            answer = self.poll.take(now)
            self._add(self._growth.advance(answer or {}))
            self.fault = self.poll.fault
        else:
            self.fault = _silence(scraped, self.pods) or (
                "" if scraped.pods else "no Prometheus is named, and no pod shows metrics"
            )
        return self._close(now)

    def _add(self, growth: Mapping[str, Mapping[Series, float]]) -> None:
        for pod, counters in growth.items():
            track = self.pods.track_of(pod)
            if track is not None:
                names = self._open.setdefault(track, {})
                for name, count in counts(self.question, counters).items():
                    names[name] = names.get(name, NOTHING) + count

    def _close(self, now: datetime) -> Tallied:
        """Close a look when both releases had events: one alone says nothing of the other."""
        self._since = self._since or now
        with_events = [track for track in TRACKS if _has_events(self._open.get(track, {}))]
        alone = self.pods.canary == self.pods.stable
        wanted = 1 if alone or now - self._since >= ONE_SIDED else len(TRACKS)
        if len(with_events) < wanted:
            return {}
        closed, self._open, self._since = self._open, {}, now
        return closed


@dataclass(slots=True)
class WindowGauge:
    """Asks Prometheus alone, window by window."""

    question: Ratio | Number
    poll: Poll[dict[Track, Count]] | None

    @classmethod
    def of(
        cls, question: Ratio | Number, pods: Pods, prometheus: Prometheus | None
    ) -> "WindowGauge":
        """Make the gauge of a question."""
        if prometheus is None:
            return cls(question, None)

        def ask() -> dict[Track, Count]:
            counted = ((track, _ask(question, pods, track, prometheus)) for track in TRACKS)
            return {track: count for track, count in counted if count is not None}

        return cls(question, Poll(ask, WINDOW if isinstance(question, Ratio) else NUMBER_EVERY))

    @property
    def fault(self) -> str:
        """Why it cannot be read, empty where it can."""
        return "no Prometheus is named" if self.poll is None else self.poll.fault

    def look(self, now: datetime) -> Tallied:
        """Return the counts of a window that has been answered."""
        answer = self.poll.take(now) if self.poll else None
        return {track: {self.question.name: count} for track, count in (answer or {}).items()}


def samples_of(tallied: Tallied, at: datetime, share: int) -> Iterator[Sample]:
    """Write counts as samples."""
    for track, names in tallied.items():
        for name, count in names.items():
            yield Sample(at, name, track, share, count.total, count.bad)


def _ask(
    question: Ratio | Number, pods: Pods, track: Track, prometheus: Prometheus
) -> Count | None:
    answers = [prometheus.instant(query) for _, query in sent(question, pods, track)]
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
