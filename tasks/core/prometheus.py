"""The port to Prometheus and its adapter."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

import httpx

from tasks.core.errors import Unavailable
from tasks.core.http import authorities
from tasks.core.prometheus_answers import Point, parse_answer

__all__ = ["HttpPrometheus", "Prometheus", "Span", "prometheus_at"]

TIMEOUT = timedelta(seconds=10)
LARGEST = 20_000_000
"""Bytes of an answer that are read."""

_Words = dict[str, str | float]


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time, looked at in steps."""

    since: datetime
    until: datetime
    step: timedelta


class Prometheus(Protocol):
    """What is asked of a Prometheus. Each may raise ConfigError and Unavailable."""

    def instant(self, query: str, at: datetime | None = None) -> tuple[Point, ...]:
        """Return the values that a query has at an instant; now, by its clock, where absent."""
        ...

    def history(self, query: str, span: Span) -> tuple[Point, ...]:
        """Return the values that a query had."""
        ...


@dataclass(frozen=True, slots=True)
class HttpPrometheus:
    """Asks by HTTP; the client owns the address and the connections."""

    client: httpx.Client
    timeout: timedelta = TIMEOUT

    def instant(self, query: str, at: datetime | None = None) -> tuple[Point, ...]:
        """Return the values that a query has at an instant; now, by its clock, where absent."""
        instant: _Words = {} if at is None else {"time": at.timestamp()}
        return self._ask("/api/v1/query", {"query": query, **instant})

    def history(self, query: str, span: Span) -> tuple[Point, ...]:
        """Return the values that a query had."""
        words: _Words = {
            "query": query,
            "start": span.since.timestamp(),
            "end": span.until.timestamp(),
            "step": span.step.total_seconds(),
        }
        return self._ask("/api/v1/query_range", words)

    def _ask(self, path: str, words: _Words) -> tuple[Point, ...]:
        timeout = f"{self.timeout.total_seconds():g}"
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


@contextlib.contextmanager
def prometheus_at(address: str | None, timeout: timedelta = TIMEOUT) -> Iterator[Prometheus | None]:
    """Connect to the Prometheus at an address; to none where there is no address."""
    if address is None:
        yield None
        return
    seconds = timeout.total_seconds()
    trusted = authorities(address)
    with httpx.Client(base_url=address, timeout=seconds, verify=trusted, trust_env=False) as client:
        yield HttpPrometheus(client, timeout)
