"""A rollout to be judged: pods that count in memory, and a Prometheus that knows what is told."""

import itertools
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import ParamSpec, TypeVar

from tasks.analysis.effects import Sources, readings
from tasks.core.cluster import Answer
from tasks.core.cluster_fake import FakeCluster
from tasks.core.errors import Unavailable
from tasks.core.objects import Object
from tasks.core.prometheus import Span
from tasks.core.prometheus_answers import Point
from tasks.core.sample import Sample
from tasks.core.slos import Availability, Slos
from tasks.core.target import Target
from tasks.core.watching import Reading, Watch

P = ParamSpec("P")
T = TypeVar("T")
STABLE, CANARY = "api-5d7f9c6b8-abcde", "api-canary-7c9d8b6f5-fghij"
ERRORS = Availability(99.5, 'requests_total{status=~"5.."}', "requests_total")


class Inline(Executor):
    """Does everything at once."""

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        done: Future[T] = Future()
        try:
            done.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001 the future's to tell
            done.set_exception(error)
        return done


@dataclass
class FakePrometheus:
    """Answers by what a query contains; nothing matches nothing.

    Attributes:
        knows: values by a part of the query.
        away: why it does not answer.
    """

    knows: dict[str, Callable[[], list[Point]]] = field(default_factory=dict)
    past: dict[str, list[Point]] = field(default_factory=dict)
    away: str = ""
    asked: list[str] = field(default_factory=list)

    def instant(self, query: str, at: datetime | None = None) -> tuple[Point, ...]:
        assert at is None, "a watch asks about the present"
        self._hear(query)
        return tuple(point for part, say in self.knows.items() if part in query for point in say())

    def history(self, query: str, span: Span) -> tuple[Point, ...]:
        self._hear(query)
        assert span.since < span.until
        return tuple(point for part, said in self.past.items() if part in query for point in said)

    def _hear(self, query: str) -> None:
        self.asked.append(query)
        if self.away:
            raise Unavailable(self.away)


@dataclass
class World:
    """Pods, and how many requests each answers in a second.

    Attributes:
        requests: of every pod, where served does not say otherwise of one.
    """

    slos: Slos = field(default_factory=lambda: Slos(availability=ERRORS))
    share: int = 50
    annotated: bool = True
    requests: int = 20
    served: dict[str, int] = field(default_factory=dict)
    bad: dict[str, int] = field(default_factory=dict)
    names: tuple[str, ...] = (STABLE, CANARY)
    workloads: tuple[str, ...] = ("api",)
    in_place: bool = False
    seen: tuple[Sample, ...] = ()
    prometheus: FakePrometheus | None = None
    counted: dict[tuple[str, str], int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.cluster = FakeCluster(answer=self.metrics)
        self.clock = self.cluster.clock
        self.cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}})
        for name in self.names:
            self.cluster.create(pod(name, annotated=self.annotated))

    def readings(self) -> Iterator[Reading]:
        watch = Watch(
            application="shop",
            environment="prod",
            namespace="shop",
            target=Target("kubeconfig", "ctx", "r", "b", "d"),
            slos=self.slos,
            workloads=self.workloads,
            since=self.clock.now(),
            share=self.share,
            beside=self.share < 100,
            seen=self.seen,
            in_place=self.in_place,
        )
        for reading in readings(
            Sources(self.cluster, self.prometheus, Inline()), self.clock, watch
        ):
            yield reading
            self.serve()

    def after(self, seconds: int) -> Reading:
        return next(itertools.islice(self.readings(), seconds, None))

    def serve(self) -> None:
        """Let a second of requests go by."""
        for name in self.names:
            bad, requests = self.bad.get(name, 0), self.served.get(name, self.requests)
            for status, count in (("200", requests - bad), ("500", bad)):
                if count:
                    key = name, status
                    self.counted[key] = self.counted.get(key, 0) + count

    def metrics(self, thing: Object, _path: str) -> Answer:
        name = thing["metadata"]["name"]
        lines = [
            f'requests_total{{status="{status}"}} {count}'
            for (pod_name, status), count in self.counted.items()
            if pod_name == name
        ]
        return Answer(200, "# TYPE requests_total counter\n" + "\n".join(lines) + "\n", 0.01)

    def points(self, status: str | None = None) -> list[Point]:
        """What Prometheus has scraped of the pods by now."""
        return [
            Point(
                {"__name__": "requests_total", "pod": name, "namespace": "shop", "status": each},
                self.clock.now(),
                float(count),
            )
            for (name, each), count in self.counted.items()
            if status in (None, each)
        ]


def pod(name: str, *, annotated: bool = True) -> Object:
    annotations = {"prometheus.io/scrape": "true", "prometheus.io/port": "8080"}
    metadata = {"name": name, "namespace": "shop"}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {**metadata, "annotations": annotations} if annotated else metadata,
        "spec": {},
        "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]},
    }


def minutes_of(
    world: World, total: float, *labels: dict[str, str], pod_name: str = STABLE
) -> list[Point]:
    """An hour of a series before the rollout."""
    began = world.clock.now() - timedelta(hours=1)
    return [
        Point({"pod": pod_name, **each}, began + timedelta(minutes=minute), total)
        for minute in range(60)
        for each in labels
    ]
