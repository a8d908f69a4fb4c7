"""Whether an answer lets a release in. The order of the steps is part of the security.

Until a code has been found right nothing is said that only the approver should know, and a code
that was found right is used up whatever the answer then counts as.
"""

import unicodedata
from dataclasses import replace

from tasks.approval.model import Answer, Approver, Choice, Decision, Judged, Request, Ruling
from tasks.approval.proof import prove

__all__ = ["decide_approval"]

NOREPLY = "@users.noreply.github.com"


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
    # 2. a name of the list, behind which there is a person
    if answer.approver not in request.rules.approvers:
        place = request.environment
        return _refused(answer, f"{answer.approver} is no approver of {place}", approver)
    if approver is None:
        reason = f"{answer.approver} is not enrolled: slipway approver add {answer.approver}"
        return _refused(answer, reason, None)
    # 3. that person, proven by a code or a click that nobody has used
    proof = prove(request, answer, approver, key)
    if proof.fault:
        return _refused(answer, proof.fault, proof.approver)
    # 4. what they may say
    decision = _weigh(request, answer, proof.approver, earlier)
    return Judged(replace(decision, means=proof.means), proof.approver)


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
    return Decision(Ruling.APPROVED, approver.name, f"{approver.name} said yes{said}")


def _fault(request: Request, answer: Answer, approver: Approver, earlier: tuple[str, ...]) -> str:
    rules = request.rules
    if rules.comment and not answer.comment.strip():
        return "a comment is required"
    if answer.choice is Choice.REJECT:
        return ""
    if approver.name in earlier:
        return f"{approver.name} has approved already, {rules.count} different people must"
    return _authorship(request, approver) if rules.not_author else ""


def _authorship(request: Request, approver: Approver) -> str:
    if not approver.emails:
        return f"{approver.name} has no e-mail address, so that authorship cannot be ruled out"
    if _is_author(request, approver):
        return f"{approver.name} is the commit's author, somebody else must approve"
    return ""


def _is_author(request: Request, approver: Approver) -> bool:
    author = {_folded(request.author), _folded(request.author_email)}
    if _folded(request.author_email).endswith(NOREPLY):
        # 123456+login@users.noreply.github.com
        local = _folded(request.author_email).removesuffix(NOREPLY)
        author.add(local.rpartition("+")[2])
    return not author.isdisjoint(map(_folded, (approver.name, *approver.emails)))


def _folded(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def _expired(request: Request, answer: Answer, approver: Approver | None) -> Judged:
    ended = f"{request.expires_at:%Y-%m-%d at %H:%M} UTC"
    reason = f"the request ended on {ended}, before {answer.approver} answered"
    return Judged(Decision(Ruling.REJECTED, answer.approver, reason), approver)


def _refused(answer: Answer, reason: str, approver: Approver | None) -> Judged:
    return Judged(Decision(Ruling.REFUSED, answer.approver, reason), approver)
