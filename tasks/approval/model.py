"""What is asked of an approver, what they answer, and what became of it.

FOR S1: this is the contract that flows/approval.py and tasks/approval/task.py rely on. Write
decide.py (pure) and effects.py with `answer(request, answer, earlier) -> Decision`, which loads the
approvers' file, decides, records used codes and failures, and returns. Remove this paragraph then.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from tasks.core.application import Approval

__all__ = ["Answer", "Choice", "Decision", "Request", "Ruling"]


class Choice(StrEnum):
    """What an approver says."""

    APPROVE = "approve"
    REJECT = "reject"


class Ruling(StrEnum):
    """What an answer counts as; REFUSED means that it does not count and the request stays open."""

    APPROVED = "approved"
    REJECTED = "rejected"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Request:
    """Exactly what an approval is for.

    Attributes:
        release: id of the release.
        plan: id of the plan, which binds environment, live state and changes.
        opened_at: when somebody was first asked, aware UTC.
    """

    application: str
    environment: str
    release: str
    plan: str
    author: str
    author_email: str
    opened_at: datetime
    rules: Approval


@dataclass(frozen=True, slots=True)
class Answer:
    """What somebody filled in; code is a one-time code (RFC 6238).

    Attributes:
        answered_at: when the server stored the answer, aware UTC; the code must fit this instant.
    """

    approver: str
    code: str = field(repr=False)
    choice: Choice
    comment: str
    answered_at: datetime


@dataclass(frozen=True, slots=True)
class Decision:
    """What an answer counts as, with the reason in one sentence."""

    ruling: Ruling
    approver: str
    reason: str
