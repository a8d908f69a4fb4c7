"""The rules of a request in words: who may say yes, from when on, and what may stand against it."""

from collections.abc import Iterator

from tasks.approval.model import Approved, Request
from tasks.core.gates import Freeze, Person, Window
from tasks.core.markdown import plain
from tasks.core.units import format_duration

__all__ = ["rule_facts", "said_so_far", "warnings_of"]

MOST_NAMES = 12


def rule_facts(request: Request) -> Iterator[tuple[str, str]]:
    """Yield each rule that holds, as a name and a value for people."""
    rules = request.rules
    yield "may approve", f"{rules.count} of {plain(', '.join(rules.approvers))}{_barred(request)}"
    since = request.escalates_at
    if rules.escalate is not None and since is not None:
        others = plain(", ".join(rules.escalate.to))
        yield "may approve later, too", f"{others}, from {since:%Y-%m-%d %H:%M} UTC on"
    if rules.comment:
        yield "comment", "needed"
    asked = f"{request.opened_at:%Y-%m-%d %H:%M} UTC"
    yield "asked", f"{asked}, expires {request.expires_at:%Y-%m-%d %H:%M} UTC"
    if rules.remind is not None:
        yield "told again", f"every {format_duration(rules.remind)}"
    calendar = request.calendar
    for windows in filter(None, (calendar.windows, calendar.also)):
        yield "takes effect only", "; ".join(map(_span, windows))
    if calendar.freezes:
        yield "takes effect never", "; ".join(map(_span, calendar.freezes))
    if request.covers_rollback is not None:
        window = format_duration(request.covers_rollback)
        yield "a yes is also for", f"taking it back within {window} of the end of its rollout"
    if request.overriders and calendar.may_close:
        who = plain(" or ".join(request.overriders))
        yield "may override that", f"{who}, with the reason as the comment"


def warnings_of(request: Request) -> Iterator[str]:
    """Yield what an approver should know before they answer, as plain text."""
    closed = request.closed_at(request.opened_at)
    if closed is not None:
        others = " or ".join(request.overriders)
        before = f"; before that, {others} may override it" if others else ""
        yield f"{closed.reason}: a yes counts after that{before}"
    if request.changed:
        keys = ", ".join(request.changed)
        yield (
            f"slipway.yaml says something else of {request.environment}'s {keys}: that holds from "
            "this release on, and for those after it"
        )
    if request.unknown and request.rules.not_committers:
        yield (
            "who has committed what comes in is not known of all of it "
            f"({request.unknown}): only the people of the commit itself may not approve"
        )


def said_so_far(approved: Approved) -> str:
    """Say who has said yes already, as markdown; empty where nobody has."""
    said = [f"{plain(name)} said yes" for name in approved.by]
    if approved.override is not None:
        said.append(plain(str(approved.override)))
    return f"**So far:** {'; '.join(said)}" if said else ""


def _barred(request: Request) -> str:
    rules = request.rules
    barred = ", not the commit's author" if rules.not_author else ""
    if not rules.not_committers:
        return barred
    named = sorted({_name(each) for each in request.committers})
    more = f" and {len(named) - MOST_NAMES} more" if len(named) > MOST_NAMES else ""
    shown = plain(", ".join(named[:MOST_NAMES]))
    return f"{barred}, not who has committed any of it: {shown or 'nobody'}{more}"


def _name(person: Person) -> str:
    return person.name or person.email


def _span(rule: Window | Freeze) -> str:
    why = f": {rule.reason}" if isinstance(rule, Freeze) and rule.reason else ""
    return plain(f"{rule.start} to {rule.end} ({rule.tz}){why}")
