"""Who is told how far a release is, as slipway.yaml describes it."""

from typing import Annotated

from pydantic import StringConstraints
from pydantic.dataclasses import dataclass

from tasks.core.strict import STRICT

__all__ = ["Notify", "SlackRooms"]

Room = Annotated[str, StringConstraints(pattern=r"^[CG][A-Z0-9]{2,20}$")]
"""Slack's id of a channel: names can be given to another one."""


@dataclass(frozen=True, slots=True, config=STRICT)
class SlackRooms:
    """Channels in Slack.

    Attributes:
        channel: gets one thread a release.
        approvers_channel: where people are asked; `channel` where absent.
    """

    channel: Room
    approvers_channel: Room | None = None


@dataclass(frozen=True, slots=True, config=STRICT)
class Notify:
    """Who is told; GitHub is where the repository is there and `slipway github login` was given."""

    slack: SlackRooms | None = None
