"""What people are asked before a release comes in, and before it is taken back by hand."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from flows.views import Way
from tasks.approval.model import Request
from tasks.core.admission import Admission
from tasks.core.calendar import Closed
from tasks.core.gates import Approval
from tasks.core.model import Committers, Release
from tasks.core.past import Past
from tasks.core.record import Plan, Record
from tasks.core.strategy import RollbackRules
from tasks.rollout.goal import choose_goal, require_live
from tasks.rollout.model import Back, Place

__all__ = [
    "NOBODY",
    "Terms",
    "approved_before",
    "require_at_stake",
    "rollback_request",
    "rollout_request",
    "rules_of",
    "settled",
    "way_of",
]

NOBODY = Committers(())


@dataclass(frozen=True, slots=True)
class Terms:
    """By which rules a release comes in, and is taken back afterwards."""

    rules: Approval
    admission: Admission
    back: RollbackRules


WHILE_CLOSED = timedelta(minutes=1)
"""Overriders are asked until what is closed opens by itself; so long an answer may take."""


def rules_of(admission: Admission, closed: Closed | None, now: datetime) -> Approval | None:
    """Return who is asked about a release, None where nobody is.

    Where nobody has to approve, those who may override are asked for as long as it is closed.

    Args:
        admission: the gates before the environment that the release goes to.
        closed: why the run found it closed at first, None where it was open.
        now: aware UTC; a run that is tried again may find it open by itself.
    """
    if closed is None or not admission.asks_while_closed:
        return admission.approval
    if closed.opens is not None and now >= closed.opens + WHILE_CLOSED:
        return None
    return Approval(
        approvers=admission.overriders, not_author=False, comment=True, expires=WHILE_CLOSED
    )


def rollout_request(
    release: Release, plan: Plan, terms: Terms, at: datetime, committers: Committers
) -> Request:
    """Return what approvers are asked about a release and what it would change.

    Args:
        release: that would come in.
        plan: what it would change.
        terms: the rules that hold for it.
        at: when somebody was first asked, aware UTC.
        committers: who has worked on it, where that counts.
    """
    return Request(
        application=release.application,
        environment=plan.environment,
        release=release.id,
        plan=plan.id,
        author=release.author,
        author_email=release.author_email,
        opened_at=at,
        rules=terms.rules,
        calendar=terms.admission.calendar,
        overriders=terms.admission.overriders,
        committers=committers.people,
        unknown=committers.unknown,
        changed=terms.admission.changed,
        covers_rollback=terms.back.window if terms.back.approval == "with release" else None,
    )


def rollback_request(place: Place, past: Past, back: Back, now: datetime) -> Request | None:
    """Return what one approver is asked; None where nobody has to be.

    In an emergency one person is enough, the author too. An environment that lets everything in
    unasked lets it out unasked, and one that has it approved with the release needs no second yes.
    """
    bad = _unwanted(past, back)
    if past.approval is None or past.rules.approval == "none" or bad is None:
        return None
    if approved_before(past, back, now):
        return None
    return Request(
        application=place.application,
        environment=place.name,
        release=bad.release.id,
        plan=f"back-from-{bad.number}-to-{back.to or past.way_back}",
        author=bad.release.author,
        author_email=bad.release.author_email,
        opened_at=bad.started_at,
        rules=replace(
            past.approval, count=1, not_author=False, not_committers=False, comment=False
        ),
    )


def way_of(past: Past, back: Back, place: Place) -> Way:
    """Return between which rollouts a rollback goes, before anybody is asked about it.

    Raises:
        GateClosed: there is nothing to go back to.
    """
    live, bad = past.record(past.live), _unwanted(past, back)
    if bad is not live:  # a rollout under way goes back to what is live still
        return Way(bad, live)
    goal = choose_goal(past.records, live, past.bad, back.to, place)
    return Way(bad, goal, restores=goal.number if past.under_way is None else None)


def _unwanted(past: Past, back: Back) -> Record | None:
    """Return the rollout that is taken back: a goal that is named is one behind what is live."""
    return past.at_stake if back.to is None else past.record(past.live)


def require_at_stake(past: Past, back: Back, place: Place) -> None:
    """See that what somebody is asked about is there still, before their answer counts.

    Raises:
        Conflict: it is not.
    """
    require_live(_unwanted(past, back), back.blames, place)


def approved_before(past: Past, back: Back, now: datetime) -> tuple[str, ...]:
    """Return who approved a rollback when they approved the release; empty where nobody did.

    That is for the way back from that release, for as long as an alert may take it back, too:
    another goal is another question.
    """
    bad = past.at_stake
    if past.rules.approval != "with release" or bad is None:
        return ()
    ended = bad.finished_at or now
    is_the_way = back.to is None or back.to == past.way_back
    return bad.approved_by if is_the_way and now - ended <= past.rules.window else ()


def settled(back: Back, past: Past, request: Request | None) -> Back:
    """Say which release a rollback is against, before people are asked and the lock is awaited.

    The yes is for taking back what is there now, not for whatever comes meanwhile, and what is
    taken back meanwhile is not taken back twice. Whoever names a goal unasked wants to get there
    whatever comes.
    """
    if request is not None:
        return replace(back, blames=request.release)
    unwanted = past.at_stake if back.to is None else None
    return replace(back, blames=unwanted.release.id if unwanted else None)
