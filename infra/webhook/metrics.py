"""What the receiver counts, for Prometheus."""

from dataclasses import dataclass, field
from datetime import datetime

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from infra.webhook.github import KNOWN
from infra.webhook.model import Event, State

__all__ = ["Metrics"]

BUCKETS_SECONDS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 10)


@dataclass(slots=True)
class Metrics:
    """Counters of one process; names of events beyond those that we know are `other`."""

    registry: CollectorRegistry = field(default_factory=CollectorRegistry)
    _received: Counter = field(init=False)
    _refused: Counter = field(init=False)
    _stored: Counter = field(init=False)
    _delivered: Counter = field(init=False)
    _found: Counter = field(init=False)
    _seconds: Histogram = field(init=False)
    _waiting: Gauge = field(init=False)
    _lag: Gauge = field(init=False)

    def __post_init__(self) -> None:
        """Make the counters."""
        head, registry = "slipway_webhook", self.registry
        self._received = Counter(f"{head}_received", "Requests.", ["door"], registry=registry)
        self._refused = Counter(
            f"{head}_refused", "Requests refused.", ["door", "reason"], registry=registry
        )
        self._stored = Counter(
            f"{head}_stored", "Events stored.", ["door", "event", "new"], registry=registry
        )
        self._delivered = Counter(
            f"{head}_delivered", "What became of events.", ["door", "state"], registry=registry
        )
        self._found = Counter(
            f"{head}_reconciled", "What looks at GitHub came upon.", ["what"], registry=registry
        )
        self._seconds = Histogram(
            f"{head}_answer_seconds",
            "Time to the answer.",
            ["door"],
            buckets=BUCKETS_SECONDS,
            registry=registry,
        )
        self._waiting = Gauge(f"{head}_waiting", "Events not yet delivered.", registry=registry)
        self._lag = Gauge(f"{head}_lag_seconds", "Age of the oldest of them.", registry=registry)

    def answered(self, door: str, seconds: float) -> None:
        """Count a request."""
        self._received.labels(door).inc()
        self._seconds.labels(door).observe(seconds)

    def refused(self, door: str, reason: str) -> None:
        """Count a request that changed nothing."""
        self._refused.labels(door, reason).inc()

    def stored(self, event: Event, *, new: bool) -> None:
        """Count an event that is durable; new is false where it was known already."""
        name = event.name if event.name in KNOWN or event.source != "github" else "other"
        self._stored.labels(event.source, name, str(new).lower()).inc()

    def settled(self, event: Event, state: State) -> None:
        """Count what became of an event."""
        self._delivered.labels(event.source, state.value).inc()

    def reconciled(self, what: str) -> None:
        """Count what a look at GitHub came upon."""
        self._found.labels(what).inc()

    def text(self, lag: tuple[int, datetime | None], now: datetime) -> bytes:
        """Return everything in Prometheus' text format.

        Args:
            lag: how many events wait, and since when the oldest does.
            now: aware instant.
        """
        count, oldest = lag
        self._waiting.set(count)
        self._lag.set((now - oldest).total_seconds() if oldest else 0)
        return generate_latest(self.registry)
