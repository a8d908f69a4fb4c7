"""Keeping what forms offer up to date; nothing is done where nobody has registered a repository."""

import asyncio
import logging

from prefect.client.orchestration import PrefectClient

from deployments.registered import registered
from flows.clearing import CLEARED, SUPERSEDED

__all__ = ["CHANGED", "keep_forms"]

log = logging.getLogger(__name__)

CHANGED = tuple(
    f"prefect.flow-run.{name}"
    for name in ("Completed", "Failed", "Cancelled", "Suspended", CLEARED, SUPERSEDED)
)
"""Events after which an environment may have another history."""
PAUSE_SECONDS = 5
"""So often at most: runs end together."""


async def keep_forms(client: PrefectClient, changed: asyncio.Event) -> None:
    """Read histories again whenever a run has ended or waits for people."""
    while True:
        await changed.wait()
        changed.clear()
        try:
            if registered():
                from deployments.refresh import refresh  # noqa: PLC0415 it imports every flow

                log.debug("forms changed: %s", await refresh(client))
        except Exception:
            log.exception("forms could not be brought up to date, the next run's end tries again")
        await asyncio.sleep(PAUSE_SECONDS)
