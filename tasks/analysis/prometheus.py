"""The port to Prometheus and its adapter."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

import httpx

from tasks.analysis.answers import Point, parse_answer
from tasks.core.errors import Unavailable

__all__ = ["HttpPrometheus", "Prometheus", "Span"]

TIMEOUT = timedelta(seconds=10)
LARGEST = 20_000_000
"""Bytes of an answer that are read."""


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time, looked at in steps."""

    since: datetime
    until: datetime
    step: timedelta


class Prometheus(Protocol):
    """What is asked of a Prometheus. Each may raise ConfigError and Unavailable."""

    def instant(self, query: str) -> tuple[Point, ...]:
        """Return the values that a query has now."""
        ...

    def history(self, query: str, span: Span) -> tuple[Point, ...]:
        """Return the values that a query had."""
        ...


@dataclass(frozen=True, slots=True)
class HttpPrometheus:
    """Asks by HTTP; the client owns the address and the connections."""

    client: httpx.Client

    def instant(self, query: str) -> tuple[Point, ...]:
        """Return the values that a query has now."""
        return self._ask("/api/v1/query", {"query": query})

    def history(self, query: str, span: Span) -> tuple[Point, ...]:
        """Return the values that a query had."""
        words: dict[str, str | float] = {
            "query": query,
            "start": span.since.timestamp(),
            "end": span.until.timestamp(),
            "step": span.step.total_seconds(),
        }
        return self._ask("/api/v1/query_range", words)

    def _ask(self, path: str, words: dict[str, str | float]) -> tuple[Point, ...]:
        timeout = f"{TIMEOUT.total_seconds():g}"
        try:
            with self.client.stream("POST", path, data={**words, "timeout": timeout}) as response:
                body = bytearray()
                for chunk in response.iter_bytes():
                    body += chunk
                    if len(body) > LARGEST:
                        raise Unavailable("the answer of Prometheus is larger than 20 MB")
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise Unavailable(
                f"Prometheus does not answer: {str(error) or type(error).__name__}",
                where=str(self.client.base_url),
                next_step="check that it runs and that this machine reaches it",
            ) from error
        return parse_answer(response.status_code, body.decode(errors="replace"))
