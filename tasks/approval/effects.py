"""Judging answers against the approvers that are kept, and keeping approvers."""

from dataclasses import replace

import pyotp

from tasks.approval.approvers import Approvers
from tasks.approval.decide import decide_approval, known_as
from tasks.approval.key import read_key
from tasks.approval.model import Answer, Approver, Decision, Request
from tasks.core.errors import ConfigError

__all__ = ["answer", "dismiss", "enrol", "unlock"]

LONGEST_NAME = 64


def answer(
    request: Request, given: Answer, earlier: tuple[str, ...], approvers: Approvers
) -> Decision:
    """Say what an answer counts as, and remember its code or its failure.

    Raises:
        ConfigError: what keeps the approvers is damaged, or cannot be read or written.
        Unavailable: it does not answer.
    """
    key = read_key()

    def judge(approver: Approver | None) -> tuple[Approver | None, Decision]:
        judged = decide_approval(request, given, approver, earlier, key)
        return judged.approver, judged.decision

    return approvers.change(given.approver, judge)


def enrol(name: str, emails: tuple[str, ...], approvers: Approvers) -> str:
    """Make an approver and return the secret for their authenticator (base32).

    Raises:
        ConfigError: the name or an address is somebody's already, or cannot be used.
    """
    _require_usable(name, emails)
    _require_another(name, emails, approvers.everybody())

    def add(approver: Approver | None) -> tuple[Approver, str]:
        if approver is not None:
            raise ConfigError(
                "is enrolled already",
                where=f"approver {name}",
                next_step=f"slipway approver remove {name} makes room for a new secret",
            )
        secret = pyotp.random_base32()
        return Approver(name, emails, secret), secret

    return approvers.change(name, add)


def dismiss(name: str, approvers: Approvers) -> None:
    """Forget an approver.

    Raises:
        ConfigError: there is none of that name.
    """

    def remove(approver: Approver | None) -> tuple[None, None]:
        _require_enrolled(name, approver)
        return None, None

    approvers.change(name, remove)


def unlock(name: str, approvers: Approvers) -> None:
    """Forget an approver's wrong codes, so that the next right one counts; used ones stay used.

    Raises:
        ConfigError: there is none of that name.
    """

    def forget(approver: Approver | None) -> tuple[Approver, None]:
        return replace(_require_enrolled(name, approver), failures=()), None

    approvers.change(name, forget)


def _require_enrolled(name: str, approver: Approver | None) -> Approver:
    if approver is None:
        raise ConfigError(
            "is not enrolled", where=f"approver {name}", next_step="slipway approver list"
        )
    return approver


def _require_another(name: str, emails: tuple[str, ...], known: tuple[Approver, ...]) -> None:
    """Refuse to enrol one person under two names: two approvals are of two people."""
    mine = known_as(name, *emails)
    for each in known:
        theirs = known_as(each.name, *each.emails)
        shared = [] if each.name == name else sorted(mine.intersection(theirs))
        if shared:
            raise ConfigError(
                f"shares {shared[0]} with {each.name}, who is enrolled already",
                where=f"approver {name}",
                next_step=f"use {each.name}, or slipway approver remove {each.name}",
            )


def _require_usable(name: str, emails: tuple[str, ...]) -> None:
    where = f"approver {name}"
    if not name or name != name.strip() or len(name) > LONGEST_NAME or not name.isprintable():
        raise ConfigError(
            "is no name", where=where, next_step="use up to 64 letters, as slipway.yaml lists it"
        )
    wrong = [email for email in emails if "@" not in email.strip("@") or " " in email]
    if wrong or not emails:
        raise ConfigError(
            f"{wrong[0]!r} is no e-mail address" if wrong else "has no e-mail address",
            where=where,
            next_step="--email ADDRESS, one for each under which this person commits",
        )
