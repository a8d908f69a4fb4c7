"""A constant load of requests through the lab's ingress, counted by what was going on."""

import asyncio
import ipaddress
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

import httpx

__all__ = ["Failure", "Load", "Road"]

MOST_AT_ONCE = 500
PATIENCE_SECONDS = 10.0
SIGNATURE = {"name": "Ann", "line": "still here"}
LINE_EVERY = 10
"""Every tenth request writes: a proxy may not send it twice in silence."""
FRESH_EVERY = 3
"""Every third request comes over a connection of its own."""
MOST_TOLD = 20


Hear = Callable[[float, int, str], None]


@dataclass(frozen=True, slots=True)
class Road:
    """Where requests go: an address on this machine, and the name that they ask for there."""

    ingress: str
    host: str

    def __post_init__(self) -> None:
        address = ipaddress.ip_address(self.ingress.rpartition(":")[0])
        if not (address.is_loopback or address.is_private):
            raise ValueError(f"{self.ingress}: load is for a lab on this machine only")

    @property
    def url(self) -> str:
        """Where the requests are sent."""
        return f"http://{self.ingress}"


@dataclass(frozen=True, slots=True)
class Failure:
    """A request that got no good answer; what says why."""

    during: str
    second: float
    what: str


@dataclass(slots=True)
class Load:
    """Sends so many requests a second, however slowly they are answered.

    Attributes:
        during: what is going on; requests are counted under it from when they begin.
        sent, failed: counts by what was going on.
        failures: the first of them.
        hear: is told of each answer: when it was asked for, its status (0 where none came), and
            the release that gave it.
    """

    road: Road
    rate: int
    during: str = "warming up"
    hear: Hear = lambda _second, _status, _release: None
    sent: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)
    failures: list[Failure] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=lambda: asyncio.run(self._send()), name="load")
        self._thread.start()
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _at: TracebackType | None,
    ) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    async def _send(self) -> None:
        headers, loop = {"host": self.road.host}, asyncio.get_running_loop()
        limits = httpx.Limits(max_connections=MOST_AT_ONCE)
        client = httpx.AsyncClient(
            base_url=self.road.url,
            headers=headers,
            timeout=PATIENCE_SECONDS,
            limits=limits,
            trust_env=False,
        )
        began, number, under_way = loop.time(), 0, set[asyncio.Task[None]]()
        async with client:
            while not self._stop.is_set():
                number += 1
                if len(under_way) < MOST_AT_ONCE:
                    task = loop.create_task(self._request(client, number, loop.time() - began))
                    under_way.add(task)
                    task.add_done_callback(under_way.discard)
                await asyncio.sleep(max(0.0, began + number / self.rate - loop.time()))
            await asyncio.gather(*under_way)

    async def _request(self, client: httpx.AsyncClient, number: int, second: float) -> None:
        during = self.during
        self.sent[during] += 1
        headers = {"connection": "close"} if number % FRESH_EVERY == 0 else {}
        try:
            if number % LINE_EVERY == 0:
                answer = await client.post("/entries", data=SIGNATURE, headers=headers)
            else:
                answer = await client.get("/entries", headers=headers)
        except httpx.HTTPError as error:
            self.hear(second, 0, "")
            self._note(Failure(during, second, f"{type(error).__name__} {error}".strip()))
            return
        self.hear(second, answer.status_code, answer.headers.get("x-release", ""))
        if answer.status_code not in (httpx.codes.OK, httpx.codes.SEE_OTHER):
            said = f"{answer.status_code} {answer.text[:60]}"
            self._note(Failure(during, second, f"{answer.request.method} {said}"))

    def _note(self, failure: Failure) -> None:
        self.failed[failure.during] += 1
        if len(self.failures) < MOST_TOLD:
            self.failures.append(failure)
