"""Writing down what a run has seen somebody do."""

from prefect import get_run_logger
from prefect.runtime import flow_run

from flows.origin import origin_in
from tasks.audit import Deed, Kept
from tasks.audit.task import write_entry
from tasks.rollout.model import Place

__all__ = ["started_from", "try_write", "write"]


def started_from() -> str:
    """Return from where this run was started, as it says itself."""
    return origin_in(flow_run.tags)


def write(place: Place, deed: Deed) -> None:
    """Write a deed into an environment's trail, or raise: what is not written does not count."""
    write_entry(place.target, place.namespace, deed)


def try_write(place: Place, deed: Deed) -> bool:
    """Write a deed and say whether that went well: no rollback waits for its trail, or fails by it.

    Tried once: an emergency has no time for pauses.
    """
    hasty = write_entry.with_options(retries=0)
    state = hasty(place.target, place.namespace, deed, return_state=True)
    found = state.result(raise_on_failure=False)
    if isinstance(found, Kept):
        return True
    get_run_logger().warning("%s: not written into the audit trail: %s", place, found)
    return False
