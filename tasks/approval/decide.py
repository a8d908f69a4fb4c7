"""Whether an answer lets a release in. The order of the steps is part of the security.

Until a code has been found right nothing is said that only the approver should know, and a code
that was found right is used up whatever the answer then counts as.
"""

import unicodedata
from dataclasses import replace

from tasks.approval.model import Answer, Approver, Choice, Decision, Judged, Request, Ruling
from tasks.approval.proof import prove
from tasks.core.calendar import Closed
from tasks.core.gates import Override, Person

__all__ = ["decide_approval", "known_as"]

NOREPLY = "@users.noreply.github.com"
BLANK = dict.fromkeys(map(ord, "\u115f\u1160\u3164\uffa0"))
"""Letters that nobody sees (Unicode's Hangul fillers)."""


def decide_approval(
    request: Request,
    answer: Answer,
    approver: Approver | None,
    earlier: tuple[str, ...] = (),
    key: bytes = b"",
) -> Judged:
    """Say what an answer counts as.

    The same answer to the same request is judged alike again: a run that was killed after the
    code had been recorded goes on.

    Args:
        request: what is to be approved, with its rules.
        answer: what was filled in; its code must fit the instant at which it was given.
        approver: whom the answer names; None where nobody of that name is enrolled.
        earlier: names of those who have approved this request already.
        key: for answers from Slack (see `vouch`); empty where nobody vouches for any.
    """
    # 1. silence for so long is a refusal
    if answer.answered_at > request.expires_at:
        return _expired(request, answer, approver)
    # 2. given to what is asked here, not to what the same run asked before
    if answer.question != request.question:
        reason = f"the answer is to {answer.question}, and {request.question} is asked"
        return _refused(answer, reason, approver)
    # 3. a name of the list, behind which there is a person
    if stranger := _stranger(request, answer):
        return _refused(answer, stranger, approver)
    if approver is None:
        reason = f"{answer.approver} is not enrolled: slipway approver add {answer.approver}"
        return _refused(answer, reason, None)
    # 4. that person, proven by a code or a click that nobody has used
    proof = prove(request, answer, approver, key)
    if proof.fault:
        return _refused(answer, proof.fault, proof.approver)
    # 5. what they may say
    decision = _weigh(request, answer, proof.approver, earlier)
    return Judged(replace(decision, means=proof.means), proof.approver)


def _stranger(request: Request, answer: Answer) -> str:
    """Say why nobody of that name is asked at that instant; empty where somebody is."""
    name, at = answer.approver, answer.answered_at
    if name in request.approvers_at(at):
        return ""
    may_override = name in request.overriders
    if may_override and request.closed_at(at) is not None:
        return ""
    escalate, since = request.rules.escalate, request.escalates_at
    if escalate is not None and since is not None and name in escalate.to:
        return f"{name} may approve from {since:%Y-%m-%d %H:%M} UTC on"
    if may_override:
        return f"nothing is closed that {name} could override"
    return f"{name} is no approver of {request.environment}"


def _weigh(
    request: Request, answer: Answer, approver: Approver, earlier: tuple[str, ...]
) -> Decision:
    """What a proven person's answer counts as."""
    fault = _fault(request, answer, approver, earlier)
    if fault:
        return Decision(Ruling.REFUSED, approver.name, fault)
    said = f": {answer.comment}" if answer.comment else ""
    if answer.choice is Choice.REJECT:
        return Decision(Ruling.REJECTED, approver.name, f"{approver.name} said no{said}")
    counts = approver.name in request.approvers_at(answer.answered_at)
    counts = counts and approver.name not in earlier
    closed = request.closed_at(answer.answered_at)
    if closed is None:
        return Decision(Ruling.APPROVED, approver.name, f"{approver.name} said yes{said}")
    reason = f"{approver.name} overrode that it is {closed.reason}{said}"
    override = Override(approver.name, answer.comment.strip(), answer.answered_at)
    return Decision(Ruling.APPROVED, approver.name, reason, override, counts)


def _fault(request: Request, answer: Answer, approver: Approver, earlier: tuple[str, ...]) -> str:
    rules = request.rules
    if rules.comment and not _says_something(answer.comment):
        return "a comment is required"
    if answer.choice is Choice.REJECT:
        return ""
    closed = request.closed_at(answer.answered_at)
    if closed is not None:
        return _closure(request, answer, closed) or _authorship(request, approver)
    if approver.name in earlier:
        return f"{approver.name} has approved already, {rules.count} different people must"
    return _authorship(request, approver)


def _closure(request: Request, answer: Answer, closed: Closed) -> str:
    """Say why a yes does not open what is closed; empty where it does."""
    if answer.approver in request.overriders:
        said = _says_something(answer.comment)
        return "" if said else f"{closed.reason}: to override that, the comment has to say why"
    others = f", or {' or '.join(request.overriders)} overrides it" if request.overriders else ""
    return f"{closed.reason}: a yes counts after that{others}"


def _says_something(comment: str) -> bool:
    """Say whether there is a letter or a digit: what nobody sees is no reason."""
    return any(letter.isalnum() for letter in comment.translate(BLANK))


def _authorship(request: Request, approver: Approver) -> str:
    rules = request.rules
    if not (rules.not_author or rules.not_committers):
        return ""
    if not approver.emails:
        return f"{approver.name} has no e-mail address, so that authorship cannot be ruled out"
    if rules.not_author and _is(Person(request.author, request.author_email), approver):
        return f"{approver.name} is the commit's author, somebody else must approve"
    if rules.not_committers and any(_is(each, approver) for each in request.committers):
        return f"{approver.name} has committed some of this, somebody else must approve"
    return ""


def _is(person: Person, approver: Approver) -> bool:
    theirs = known_as(approver.name, *approver.emails)
    return not known_as(person.name, person.email).isdisjoint(theirs)


def known_as(*words: str) -> set[str]:
    """Return somebody's names and addresses as they are compared, logins in addresses too."""
    folded = {_folded(word) for word in words}
    # 123456+login@users.noreply.github.com
    local = (word.removesuffix(NOREPLY) for word in folded if word.endswith(NOREPLY))
    return folded | {word.rpartition("+")[2] for word in local}


def _folded(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def _expired(request: Request, answer: Answer, approver: Approver | None) -> Judged:
    ended = f"{request.expires_at:%Y-%m-%d at %H:%M} UTC"
    reason = f"the request ended on {ended}, before {answer.approver} answered"
    return Judged(Decision(Ruling.REJECTED, answer.approver, reason), approver)


def _refused(answer: Answer, reason: str, approver: Approver | None) -> Judged:
    return Judged(Decision(Ruling.REFUSED, answer.approver, reason), approver)
