"""What a person reads who is woken up, and what stays in the record."""

from collections.abc import Iterable

from tasks.core.errors import ConfigError, Conflict, GateClosed, StageFailed
from tasks.core.record import Moment, Record
from tasks.guard.model import Answer, Judgement, Page

__all__ = ["REFUSALS", "failure", "failure_page", "left_page", "noted", "page_of", "paged"]

REFUSALS = (ConfigError, Conflict, GateClosed)
"""What nobody is woken up for: a rollback that must not be was not begun, and who asks is told."""

PAST_TENSE = {
    Answer.ROLL_BACK: "guard rolled back",
    Answer.PAGE: "guard paged",
    Answer.IGNORE: "guard did nothing",
}


def page_of(place: str, judgement: Judgement) -> Page:
    """Return what a person reads who has to decide."""
    environment = place.partition("/")[0]
    step = f"slipway rollback {environment} --reason TEXT takes the live release back"
    return Page(
        key=_key(place, judgement.number),
        summary=f"{place}: not rolled back by itself: {judgement.reason}",
        source=place,
        details=(*judgement.evidence, f"to do: slipway history {environment}; {step}"),
    )


def failure_page(place: str, judgement: Judgement, why: str) -> Page:
    """Return what a person reads when the rollback itself came to nothing."""
    return Page(
        key=_key(place, judgement.number),
        summary=f"{place}: the rollback of {judgement.release} failed: {why}",
        source=place,
        details=(f"because {judgement.reason}", *judgement.evidence, *_steps(place)),
    )


def left_page(place: str, record: Record) -> Page:
    """Return what a person reads when a release has failed and stays where it is."""
    evidence = (line for verdict in record.verdicts for line in (verdict.reason, *verdict.evidence))
    return Page(
        key=_key(place, record.number),
        summary=f"{place}: {record.release.id} failed and was not taken back: {record.reason}",
        source=place,
        details=(*dict.fromkeys(evidence), *_steps(place)),
    )


def failure(place: str, why: str) -> StageFailed:
    """Return the end of whatever has begun a rollback that came to nothing."""
    return StageFailed(f"the rollback failed: {why}", where=place, next_step=_by_hand(place))


def paged(page: Page) -> str:
    """Return the line that a record keeps of a page about its own failure."""
    return f"paged: {page.summary}"


def noted(judgement: Judgement, moments: Iterable[Moment]) -> str | None:
    """Return the line that a record keeps of a judgement.

    None where it is there already: the evidence of a repeated alert differs in its numbers only.
    """
    said = f"{PAST_TENSE[judgement.answer]}: {judgement.reason}"
    if any(moment.what.startswith(said) for moment in moments):
        return None
    return " | ".join((said, *judgement.evidence))


def _steps(place: str) -> tuple[str, ...]:
    return (
        f"to finish by hand: {_by_hand(place)}",
        "traffic stays where it was ready last",
    )


def _by_hand(place: str) -> str:
    """Say in one line how a rollback that failed is brought to its end."""
    environment = place.partition("/")[0]
    return (
        f"slipway history {environment} says where it stopped; slipway rollback {environment}"
        " --reason TEXT goes there again, with --to N further back"
    )


def _key(place: str, number: int | None) -> str:
    return f"slipway/{place}/{number}"
