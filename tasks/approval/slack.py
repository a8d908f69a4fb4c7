"""Which approver somebody in Slack is."""

import re
from collections.abc import Iterable
from dataclasses import replace

from tasks.approval.approvers import Approvers
from tasks.approval.model import Approver
from tasks.core.errors import ConfigError

__all__ = ["link", "named", "require_user"]

_USER = re.compile(r"[UW][A-Z0-9]{2,20}")


def named(user: str, approvers: Iterable[Approver]) -> str:
    """Return the approver who a user of Slack is; empty where nobody is, or more than one."""
    found = [one.name for one in approvers if one.slack and one.slack == user]
    return found[0] if len(found) == 1 else ""


def require_user(user: str, name: str, approvers: Approvers) -> None:
    """See that an approver can have a user id of Slack's; an empty one can everybody have.

    Raises:
        ConfigError: it is none, or is somebody else's.
    """
    where = f"approver {name}"
    if user and not _USER.fullmatch(user):
        raise ConfigError(
            f"{user!r} is no user id of Slack's",
            where=where,
            next_step="copy the member id from their profile in Slack, such as U0123ABCD",
        )
    everybody = approvers.everybody()
    others = [one.name for one in everybody if user and one.slack == user and one.name != name]
    if others:
        raise ConfigError(
            f"{user} is {others[0]} already",
            where=where,
            next_step=f"slipway approver slack {others[0]} frees it",
        )


def link(name: str, user: str, approvers: Approvers) -> None:
    """Let an approver answer as a user of Slack; as nobody where that is empty.

    Raises:
        ConfigError: there is no such approver, or the id cannot be theirs.
    """
    require_user(user, name, approvers)

    def change(approver: Approver | None) -> tuple[Approver, None]:
        if approver is None:
            raise ConfigError(
                "is not enrolled", where=f"approver {name}", next_step="slipway approver list"
            )
        return replace(approver, slack=user), None

    approvers.change(name, change)
