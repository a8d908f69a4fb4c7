"""What follows when a release does not go back: somebody is woken up, and the run fails."""

from flows.deeds import UNWRITTEN, Provenance, taken_back
from flows.telling import tell_record
from flows.trail import started_from, try_write
from tasks.audit import Proof
from tasks.core.errors import SlipwayError, StageFailed
from tasks.core.record import Record
from tasks.guard.decide import is_left
from tasks.guard.model import Judgement
from tasks.guard.pages import failure, failure_page, left_page, paged
from tasks.guard.task import send_page
from tasks.rollout.model import Back, By, Place
from tasks.rollout.task import note_in_record, roll_back

__all__ = ["page_failure", "page_if_left", "try_back"]


def try_back(place: Place, by: By, back: Back, proof: Proof = Proof.NONE) -> Record | Exception:
    """Roll back, write down what came of it, and return the record or why there is none.

    Args:
        place: where.
        by: who asks.
        back: where to.
        proof: how it is known who asks.
    """
    found = roll_back(place, by, back, return_state=True).result(raise_on_failure=False)
    deed = taken_back(place, by, back, found, Provenance(started_from(), proof))
    written = try_write(place, deed)
    if isinstance(found, Record):
        if not written:
            note_in_record(place, found.number, UNWRITTEN, return_state=True)
        tell_record(place, found)
    return found


def page_failure(place: Place, judgement: Judgement, found: Record | Exception) -> StageFailed:
    """Wake somebody up about a rollback that came to nothing; return the end for its run."""
    why = _why(found)
    page = failure_page(str(place), judgement, why)
    send_page(page)
    if isinstance(found, Record):
        note_in_record(place, found.number, paged(page))
    return failure(str(place), why)


def page_if_left(place: Place, record: Record) -> None:
    """Wake somebody up where a release has failed and stays, or what was before did not return."""
    if is_left(record):
        page = left_page(str(place), record)
        send_page(page)
        note_in_record(place, record.number, f"paged: {record.reason}")


def _why(found: Record | Exception) -> str:
    if isinstance(found, Record):
        return found.reason
    return found.what if isinstance(found, SlipwayError) else str(found)
