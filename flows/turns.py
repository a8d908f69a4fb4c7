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
    """Say whose turn it is: that of the run that was due later, a slow one gives way.

    Who acts already is left to the lock; who waits for people would be answered for nothing.
    A nightly run ends nobody else's: what people have asked for goes first.
    """
    if _is_of_night(other) is _is_of_night(mine):
        gives_way = _is_ahead(other, mine)
    else:  # a night is built for what is live now, so that only who still wants in is before it
        gives_way = _is_of_night(mine) and not is_over(other)
    if gives_way:
        return Turn.GIVE_WAY
    return Turn.END_OTHER if other.state_type is StateType.PAUSED else Turn.CLAIM


def _is_ahead(other: FlowRun, mine: FlowRun) -> bool:
    """Say whether another run was due later and has not come to nothing.

    When it was created says nothing: Prefect creates scheduled runs days ahead.
    """
    theirs, ours = other.expected_start_time, mine.expected_start_time
    if theirs is None or ours is None or theirs <= ours:
        return False
    return other.state_type not in NOTHING


def _is_of_night(run: FlowRun) -> bool:
    return NIGHTLY in run.tags


def is_over(run: FlowRun) -> bool:
    """Say whether a run has come to its end, whichever."""
    return run.state_type in OVER
