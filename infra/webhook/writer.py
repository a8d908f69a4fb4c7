"""Committing together what arrives together: one fsync serves many answers."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from infra.webhook.model import Event
from infra.webhook.store import Store

__all__ = ["Writer"]

log = logging.getLogger(__name__)

GATHER_SECONDS = 0.005
"""After a commit what arrives is gathered so long: under load a commit costs more than it waits."""

_Waiting = tuple[tuple[Event, ...], asyncio.Future[tuple[bool, ...]]]


@dataclass(slots=True)
class Writer:
    """The only one who adds events; whoever waits for it is answered after the commit."""

    store: Store
    now: Callable[[], datetime]
    committed: Callable[[], None]
    _waiting: list[_Waiting] = field(default_factory=list)
    _wake: asyncio.Event = field(default_factory=asyncio.Event)

    async def add(self, events: tuple[Event, ...]) -> tuple[bool, ...]:
        """Return when the events are durable, and say of each whether it is new.

        Raises:
            sqlite3.Error: they could not be stored.
        """
        future: asyncio.Future[tuple[bool, ...]] = asyncio.get_running_loop().create_future()
        self._waiting.append((events, future))
        self._wake.set()
        return await future

    async def run(self) -> None:
        """Commit until cancelled."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            batch, self._waiting = self._waiting, []
            try:
                await self._commit(batch)
            except Exception as error:
                log.exception("%d requests could not be stored", len(batch))
                for _, future in batch:
                    if not future.done():
                        future.set_exception(error)

    async def _commit(self, batch: list[_Waiting]) -> None:
        events = [event for group, _ in batch for event in group]
        new = iter(await asyncio.to_thread(self.store.add, events, self.now()))
        for group, future in batch:
            answer = tuple(next(new) for _ in group)
            if not future.done():  # who waited may have gone
                future.set_result(answer)
        self.committed()
        await asyncio.sleep(GATHER_SECONDS)
