"""Counts of answered requests in Prometheus' text format."""

from collections import Counter
from threading import Lock

BUCKETS_SECONDS = (0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0)


class Metrics:
    """Counts requests by method, route and status, and how long they took."""

    def __init__(self) -> None:
        self._requests: Counter[tuple[str, str, int]] = Counter()
        self._buckets: Counter[float] = Counter()
        self._seconds = 0.0
        self._lock = Lock()

    def observe(self, request: tuple[str, str, int], seconds: float) -> None:
        """Count one answered request: method, route, status."""
        with self._lock:
            self._requests[request] += 1
            self._seconds += seconds
            self._buckets.update(bound for bound in BUCKETS_SECONDS if seconds <= bound)

    def text(self) -> str:
        """Return everything counted so far."""
        with self._lock:
            return "\n".join((*self._request_lines(), *self._duration_lines(), ""))

    def _request_lines(self) -> list[str]:
        return ["# TYPE http_requests_total counter"] + [
            f'http_requests_total{{method="{method}",route="{route}",status="{status}"}} {count}'
            for (method, route, status), count in sorted(self._requests.items())
        ]

    def _duration_lines(self) -> list[str]:
        name = "http_request_duration_seconds"
        total = self._requests.total()
        return [
            f"# TYPE {name} histogram",
            *(f'{name}_bucket{{le="{bound}"}} {self._buckets[bound]}' for bound in BUCKETS_SECONDS),
            f'{name}_bucket{{le="+Inf"}} {total}',
            f"{name}_sum {self._seconds:.6f}",
            f"{name}_count {total}",
        ]
