"""What a run has to say to the audit trail."""

from dataclasses import dataclass

from tasks.approval.model import Answer, Decision, Means, Request, Ruling
from tasks.audit import Act, Deed, Proof, Subject
from tasks.core.errors import SlipwayError
from tasks.core.model import Release
from tasks.core.record import Record
from tasks.guard.decide import is_back
from tasks.guard.pages import REFUSALS
from tasks.rollout.model import Back, By, Place

__all__ = ["UNWRITTEN", "Provenance", "answered", "overridden", "proof_of", "taken_back"]

ACTS = {
    Ruling.APPROVED: Act.APPROVED,
    Ruling.REJECTED: Act.REJECTED,
    Ruling.REFUSED: Act.REFUSED,
}
PROOFS = {Means.TOTP: Proof.TOTP, Means.SLACK: Proof.SLACK}
UNWRITTEN = "this rollback is missing in the audit trail: it could not be written"
"""What its record keeps then."""
FORM = "Prefect UI"
"""Where an answer comes from that says nothing about it."""


def answered(request: Request, answer: Answer, decision: Decision, key: str) -> Deed:
    """Return what an answer counted as.

    Args:
        request: what was to be approved.
        answer: what was filled in.
        decision: what became of it.
        key: the same whenever the same answer is judged again.
    """
    return Deed(
        key=key,
        act=Act.OVERRODE if decision.override and not decision.counts else ACTS[decision.ruling],
        actor=decision.approver,
        proof=proof_of(decision.means),
        origin=answer.origin or FORM,
        about=Subject(request.application, request.environment, request.release, request.plan),
        reason=f"{decision.reason}, {decision.override}" if decision.override else decision.reason,
    )


@dataclass(frozen=True, slots=True)
class Provenance:
    """From where something was asked for, and how it is known by whom."""

    origin: str
    proof: Proof = Proof.NONE


def taken_back(
    place: Place, by: By, back: Back, found: Record | Exception, asked: Provenance
) -> Deed:
    """Return what a rollback came to.

    Args:
        place: where.
        by: who asked for it, and who approved.
        back: what was asked for.
        found: the rollback's record, or why there is none.
        asked: from where, and by what it is known who did it: an approver's code or click proves
            the approver, whoever asked.
    """
    rollout = found.number if isinstance(found, Record) else None
    if isinstance(found, Record) and is_back(found):
        act, why = Act.ROLLED_BACK, back.reason
    else:
        act = Act.ROLLBACK_REFUSED if isinstance(found, REFUSALS) else Act.ROLLBACK_FAILED
        why = f"{back.reason}: {_what(found)}"
    proved = by.approved_by if asked.proof in PROOFS.values() else ()
    actor = proved[0] if proved else by.actor
    return Deed(
        key=f"{by.run}/back",
        act=act,
        actor=actor,
        proof=asked.proof,
        origin=asked.origin,
        about=Subject(place.application, place.name, back.blames or "", rollout=rollout),
        reason=why if actor == by.actor else f"{by.actor} asked: {why}",
    )


def proof_of(means: Means | None) -> Proof:
    """Return by what an answer is proved."""
    return PROOFS[means] if means else Proof.NONE


def overridden(release: Release, place: Place, run: str, origin: str, reason: str) -> Deed:
    """Return that somebody wants a release in which was taken back; nobody proves who."""
    return Deed(
        key=f"{run}/{place.name}/despite",
        act=Act.OVERRODE,
        actor="",
        proof=Proof.NONE,
        origin=origin,
        about=Subject(place.application, place.name, release.id),
        reason=f"deployed again although it was taken back: {reason}",
    )


def _what(found: Record | Exception) -> str:
    if isinstance(found, Record):
        return found.reason
    return found.what if isinstance(found, SlipwayError) else str(found)
