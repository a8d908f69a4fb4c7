"""Keeping what forms offer up to date; nothing is done where nobody has registered a repository."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any
from uuid import UUID

from prefect.client.orchestration import PrefectClient
from prefect.events import Event

from deployments.registered import Registered, registered
from flows.clearing import CLEARED, CLEARS, SUPERSEDED

__all__ = ["CHANGED", "keep_forms", "meant", "run_of"]

log = logging.getLogger(__name__)

CHANGED = tuple(
    f"prefect.flow-run.{name}"
    for name in ("Completed", "Failed", "Cancelled", "Suspended", CLEARED, SUPERSEDED)
)
"""Events after which an environment may have another history."""
PAUSE_SECONDS = 5
"""So often at most: runs end together."""

Refresh = Callable[[PrefectClient, Iterable[Registered]], Awaitable[tuple[str, ...]]]


async def keep_forms(client: PrefectClient, ended: asyncio.Queue[UUID]) -> None:
    """Read histories again whenever a run that may have changed them has ended or waits."""
    while True:
        runs = {await ended.get()}
        while not ended.empty():
            runs.add(ended.get_nowait())
        try:
            if known := registered():
                told = [(await client.read_flow_run(run)).parameters for run in runs]
                refresh = await asyncio.to_thread(_loaded)
                log.debug("forms changed: %s", await refresh(client, meant(known, told)))
        except Exception:
            log.exception("forms could not be brought up to date, the next run's end tries again")
        await asyncio.sleep(PAUSE_SECONDS)


def run_of(event: Event) -> UUID | None:
    """Return the run of an event; None where its flow changes no environment that forms show."""
    flow = event.resource_in_role.get("flow")
    if flow is None or flow.name not in CLEARS:
        return None
    return event.resource.prefect_object_id("prefect.flow-run")


def meant(
    known: tuple[Registered, ...], told: Iterable[Mapping[str, Any]]
) -> tuple[Registered, ...]:
    """Return the applications that runs were about.

    Args:
        known: those that are registered.
        told: the runs' parameters. A repository that is registered by another address, or not at
            all, may be anybody's: then it is all of them.
    """
    found: set[str] = set()
    for parameters in told:
        names = _named(known, parameters)
        if not names:
            return known
        found |= names
    return tuple(each for each in known if each.application.application in found)


def _named(known: Iterable[Registered], parameters: Mapping[str, Any]) -> set[str]:
    if name := parameters.get("application"):
        return {name}
    address = parameters.get("repository")
    return {each.application.application for each in known if each.address == address}


def _loaded() -> Refresh:
    """Import every flow; it takes so long that other things should not wait for it."""
    from deployments.refresh import refresh  # noqa: PLC0415

    return refresh
