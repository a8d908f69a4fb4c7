"""When people are called again about a request that nobody has answered: pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from tasks.approval.model import Request

__all__ = ["Call", "next_call"]


@dataclass(frozen=True, slots=True)
class Call:
    """One more call.

    Attributes:
        at: when (aware UTC).
        people: who may approve by then.
        escalated: whether some of them may from this instant on.
    """

    at: datetime
    people: tuple[str, ...]
    escalated: bool

    @property
    def what(self) -> str:
        """What is said to them."""
        return "may approve now, too" if self.escalated else "nobody has answered yet"


def next_call(request: Request, after: datetime) -> Call | None:
    """Return the first call that is due after an instant, None where there is none any more."""
    escalates_at = request.escalates_at
    due = (at for at in _instants(request, after) if after < at < request.expires_at)
    at = min(due, default=None)
    return Call(at, request.approvers_at(at), at == escalates_at) if at else None


def _instants(request: Request, after: datetime) -> Iterator[datetime]:
    """Yield the next reminder after an instant, and the escalation."""
    remind, since = request.rules.remind, request.counts_from
    if remind is not None:
        times = max(after - since, timedelta(0)) // remind + 1
        yield since + times * remind
    if request.escalates_at is not None:
        yield request.escalates_at
