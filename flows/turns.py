"""Which of two runs that want into one environment goes on."""

from enum import StrEnum

from prefect.client.schemas.objects import FlowRun, StateType

__all__ = ["NIGHTLY", "Turn", "is_over", "turn"]

NIGHTLY = "nightly"
"""Tag of runs that no person has started; they give way to those that somebody has."""

NOTHING = frozenset({StateType.FAILED, StateType.CRASHED, StateType.CANCELLED})
"""Ends of a run that leave its place free."""
OVER = NOTHING | {StateType.COMPLETED}


class Turn(StrEnum):
    """What a run does that finds its environment claimed by another one."""

    GIVE_WAY = "give way"
    END_OTHER = "end the other"
    CLAIM = "claim"


def turn(other: FlowRun, mine: FlowRun) -> Turn:
    """Say whose turn it is: that of the run that started later, a slow one gives way.

    Who acts already is left to the lock; who waits for people would be answered for nothing.
    A nightly run ends nobody else's: what people have asked for goes first.
    """
    if _is_ahead(other, mine) or _is_of_people(other, mine):
        return Turn.GIVE_WAY
    return Turn.END_OTHER if other.state_type is StateType.PAUSED else Turn.CLAIM


def _is_ahead(other: FlowRun, mine: FlowRun) -> bool:
    """Say whether another run started later and has not come to nothing."""
    if other.created is None or mine.created is None or other.created <= mine.created:
        return False
    return other.state_type not in NOTHING


def _is_of_people(other: FlowRun, mine: FlowRun) -> bool:
    """Say whether another run wants in that is not a night's, as mine is."""
    return NIGHTLY in mine.tags and NIGHTLY not in other.tags and not is_over(other)


def is_over(run: FlowRun) -> bool:
    """Say whether a run has come to its end, whichever."""
    return run.state_type in OVER
