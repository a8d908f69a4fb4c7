"""Watching a release until somebody stops: the evidence as it grows."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tasks.analysis import decide
from tasks.analysis.gauges import CounterGauge, Growth, WindowGauge, samples_of
from tasks.analysis.history import before, span_before
from tasks.analysis.model import Count, Facts
from tasks.analysis.poll import Asking, Poll
from tasks.analysis.questions import (
    Counted,
    Histogram,
    Number,
    Pods,
    Question,
    Ratio,
    indicators,
    questions,
)
from tasks.analysis.scrape import Scraped, scrape
from tasks.analysis.sequential import WHOLE
from tasks.analysis.series import Selector
from tasks.analysis.standby import Standby
from tasks.core.clock import Clock
from tasks.core.cluster import Cluster
from tasks.core.prometheus import Prometheus, prometheus_at
from tasks.core.sample import Sample
from tasks.core.thin import thin
from tasks.core.watching import Reading, Watch

__all__ = ["Sources", "Time", "judge", "readings"]

TICK = timedelta(seconds=1)
SOON = 0.5
"""Seconds that a look waits for answers; later ones belong to the next look."""
BEFORE_EVERY = timedelta(seconds=30)
AT_ONCE = 8
MOST_SAMPLES = 10_000
"""More are not weighed each second."""


@dataclass(frozen=True, slots=True)
class Sources:
    """Where the numbers come from; questions are asked in the pool's threads."""

    cluster: Cluster
    prometheus: Prometheus | None
    pool: Executor


def judge(cluster: Cluster, clock: Clock, watch: Watch) -> Iterator[Reading]:
    """Say each second what the evidence shows by now, for as long as somebody asks."""
    pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="analysis")
    try:
        with prometheus_at(watch.target.prometheus) as prometheus:
            yield from readings(Sources(cluster, prometheus, pool), clock, watch)
    finally:
        # a Prometheus that does not answer holds up no rollback
        pool.shutdown(wait=False, cancel_futures=True)


def readings(sources: Sources, clock: Clock, watch: Watch) -> Iterator[Reading]:
    """Look, decide, and wait for the next second."""
    time = Time.of(clock, watch)
    table = _Table.of(sources, watch, time.now())
    samples: Sequence[Sample] = watch.seen
    while True:
        began = time.now()
        new = table.look(began)
        samples = thin([*samples, *new], MOST_SAMPLES)
        verdict, decided = decide.judge(table.facts(tuple(samples), began))
        yield Reading(verdict, new, decided)
        clock.wait(max(timedelta(0), TICK - (time.now() - began)))


@dataclass(frozen=True, slots=True)
class Time:
    """Instants that only go forward, one second a second, whatever the wall clock does.

    Were it set back, old counts would be taken for new ones and every question would wait; were it
    set forward, what has just been counted would be history.
    """

    clock: Clock
    began: datetime
    elapsed: timedelta

    @classmethod
    def of(cls, clock: Clock, watch: Watch) -> "Time":
        """Begin with the wall clock, or where the process before this one has come to."""
        began = max((sample.at for sample in watch.seen), default=clock.now())
        return cls(clock, max(began, clock.now()), clock.elapsed())

    def now(self) -> datetime:
        """Return the instant."""
        return self.began + (self.clock.elapsed() - self.elapsed)


@dataclass(slots=True)
class _Table:
    """Every gauge of a watch, and what they share.

    Attributes:
        scraping: the pods' own metrics; not asked where nothing can be counted on pods.
        past: the old release's history; asked where nothing runs beside the new one, and for
            plain numbers, which differ in how long they remember.
        waiting: whether the old release's pods would serve, where they have nothing to do.
        held: samples until it is known whether those pods are well meanwhile.
    """

    watch: Watch
    sources: Sources
    pods: Pods
    counters: tuple[CounterGauge, ...]
    windows: tuple[WindowGauge, ...]
    scraping: Poll[Scraped]
    past: Poll[Mapping[str, Mapping[str, tuple[Count, ...]]]]
    waiting: Poll[Mapping[str, str]] | None
    growth: Growth = field(default_factory=Growth)
    scraped: Scraped = field(default_factory=Scraped)
    baselines: Mapping[str, Mapping[str, tuple[Count, ...]]] = field(default_factory=dict)
    held: tuple[Sample, ...] = ()
    ill: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, sources: Sources, watch: Watch, began: datetime) -> "_Table":
        """Make a gauge for each question."""
        cluster, prometheus, pods = sources.cluster, sources.prometheus, Pods.of(watch)
        asked = questions(watch.slos, watch.namespace)
        counted = [each for each in asked if isinstance(each, Counted | Histogram)]
        others = [each for each in asked if not isinstance(each, Counted | Histogram)]
        names = {Selector.read(query).name for each in counted for query in each.queries}
        span = span_before(watch.since, watch.slos.judging.baseline)

        def past() -> Mapping[str, Mapping[str, tuple[Count, ...]]]:
            found = (before(each, pods, prometheus, span) for each in asked) if prometheus else ()
            return dict(itertools.chain.from_iterable(each.items() for each in found))

        stands_by = watch.share == WHOLE and not watch.in_place
        return cls(
            watch,
            sources,
            pods,
            tuple(CounterGauge.of(each, pods, prometheus, beside=watch.beside) for each in counted),
            tuple(
                WindowGauge.of(each, pods, prometheus, _last(each, watch, began)) for each in others
            ),
            Poll(lambda: scrape(cluster, watch.namespace, names), TICK),
            Poll(past, BEFORE_EVERY),
            Poll(Standby(cluster, pods).ill, TICK) if stands_by else None,
        )

    def look(self, now: datetime) -> tuple[Sample, ...]:
        """Ask what is due, and return what was counted by the answers that have come."""
        under_way = [poll.start(self.sources.pool, now) for poll in self._polls()]
        wait([future for future in under_way if future is not None], timeout=SOON)
        answer = self.scraping.take(now)
        growth = self.growth.advance(answer.pods if answer else {})
        self.scraped = answer or self.scraped
        self.baselines = self.past.take(now) or self.baselines
        tallied = [gauge.look(self.scraped, growth, now) for gauge in self.counters]
        tallied += [gauge.look(now) for gauge in self.windows]
        share = self.watch.share
        new = tuple(sample for each in tallied for sample in samples_of(each, now, share))
        return new if self.waiting is None else self._released(self.waiting, new, now)

    def facts(self, samples: tuple[Sample, ...], now: datetime) -> Facts:
        """Put together what a verdict is made from."""
        gauges: tuple[CounterGauge | WindowGauge, ...] = (*self.counters, *self.windows)
        asked = tuple(gauge.question for gauge in gauges)
        slos, unknown = self.watch.slos, self.waiting.fault if self.waiting else ""
        return Facts(
            indicators=indicators(slos, asked, self.pods, (each.sli for each in samples)),
            judging=slos.judging,
            samples=samples,
            now=now,
            share=self.watch.share,
            workloads=len(self.watch.workloads),
            baselines=self.baselines,
            faults={
                gauge.question.name: fault for gauge in gauges if (fault := self._fault(gauge))
            },
            standby=(*self.ill.values(), *((unknown,) if unknown else ())),
        )

    def _released(
        self, waiting: Poll[Mapping[str, str]], new: tuple[Sample, ...], now: datetime
    ) -> tuple[Sample, ...]:
        """Let go of what was counted while the pods that stand by were well; the rest is void."""
        self.held += new
        answer = waiting.take(now)
        if answer is None:
            return ()
        released, self.held, self.ill = self.held, (), answer
        return tuple(sample for sample in released if sample.component not in answer)

    def _fault(self, gauge: CounterGauge | WindowGauge) -> str:
        """Say why an indicator cannot be read now, nothing where it can."""
        on_pods = isinstance(gauge, CounterGauge) and gauge.on_pods
        return self.scraping.fault if on_pods and self.scraping.fault else gauge.fault

    def _polls(self) -> Iterator[Asking]:
        """Return what is asked: nothing that another answer has made needless."""
        if self.counters:
            yield self.scraping
        yield from (each.poll for each in self.counters if each.poll and not each.on_pods)
        yield from (each.poll for each in self.windows if each.poll)
        numbers = any(isinstance(each.question, Number) for each in self.windows)
        if (self.watch.share == WHOLE or numbers) and not self.baselines:
            yield self.past
        if self.waiting is not None:
            yield self.waiting


def _last(question: Question, watch: Watch, began: datetime) -> datetime | None:
    """Return up to when a question has been answered; None where it may be asked at once.

    In place, what the old release's pods did just before is not counted.
    """
    seen = (sample.at for sample in watch.seen if sample.sli == question.name)
    fresh = began if watch.in_place or isinstance(question, Ratio) else None
    return max(seen, default=fresh)
