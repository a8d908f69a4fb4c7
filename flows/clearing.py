"""A run that somebody has cancelled: what it had begun is brought to an end, by the run itself.

Prefect ends the process of a cancelled run wherever it is. The worker then sets the run going once
more, in a state of a name of its own, and here it sees that and only clears up. Where the worker
dies in between the next one does it: by the states alone it knows what is still to do.
"""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import State, StateType
from prefect.exceptions import Abort
from prefect.runtime import flow_run
from prefect.states import Cancelled

from flows.telling import commit_of_run, tell, tell_record
from tasks.approval.task import newest_claim
from tasks.core.application import Application
from tasks.core.record import Record
from tasks.core.target import Target
from tasks.notify.model import RunNews
from tasks.rollout.model import Place
from tasks.rollout.place import place_of
from tasks.rollout.task import settle

__all__ = [
    "CLEARED",
    "CLEARING",
    "CLEARS",
    "REASON",
    "RECOVERING",
    "SUPERSEDED",
    "clear_up",
    "clear_up_all",
    "is_clearing",
]

CLEARING = "Clearing"
"""Name of the state in which a cancelled run is scheduled once more."""
CLEARED = "Cleared"
"""Name of its last state: nothing is left to do."""
SUPERSEDED = "Superseded"
"""Name of the last state of a run that a newer one has ended; that one clears up."""
CLEARS = ("deliver", "guard", "promote", "redeploy", "rollback")
"""The flows that begin with `clear_up`: no others may be started once more."""
RECOVERING = "Recovering"
"""Name of the state in which a run is scheduled again whose process was gone."""
DELAYED = (RECOVERING, "Late", "AwaitingConcurrencySlot")
"""Names of scheduled states that change nothing about what a run is scheduled for."""
REASON = "cancelled by a person"


def clear_up(*places: Place) -> None:
    """Where this run was cancelled, end what it has begun in any of the places, and the run.

    Raises:
        Abort: it was cancelled; its last state says what became of the rollout.
        SlipwayError: one of the places could not be settled; all others have been.
    """
    if flow_run.run_count <= 1 or not is_clearing(_states()):
        return
    ended = _settled(places)
    for place, record in ended:
        tell_record(place, record)
    _tell_ended(places)
    message = _told([record for _, record in ended])
    with get_client(sync_client=True) as client:
        state: State[Any] = Cancelled(name=CLEARED, message=message)
        client.set_flow_run_state(UUID(flow_run.id), state, force=True)
    raise Abort(message)


def _settled(places: tuple[Place, ...]) -> list[tuple[Place, Record]]:
    """Settle every place, whatever becomes of the others; the last environment first."""
    run = flow_run.id
    states = [(place, settle(place, run, REASON, return_state=True)) for place in reversed(places)]
    return [(place, record) for place, state in states if (record := state.result())]


def clear_up_all(application: Application, target: Target) -> None:
    """Clear up in every environment of an application.

    Raises:
        Abort: likewise.
    """
    clear_up(*(place_of(application, name, target) for name in application.environments))


def is_clearing(states: Iterable[State[Any]]) -> bool:
    """Say whether a run goes on only to clear up, by all that it has been through.

    What it was scheduled for last decides. A process that was killed while it cleared up is
    scheduled again as any other, and one that is late or waits for a free slot is so by Prefect:
    both say nothing. Somebody who retries a run by hand wants it to go on. Prefect may say once
    more that the run is cancelled when it is scheduled already.
    """
    scheduled = [
        state for state in states if state.type is StateType.SCHEDULED and state.name not in DELAYED
    ]
    newest = max(scheduled, key=lambda state: state.timestamp, default=None)
    return newest is not None and newest.name == CLEARING


def _states() -> list[State[Any]]:
    with get_client(sync_client=True) as client:
        return client.read_flow_run_states(UUID(flow_run.id))


def _tell_ended(places: Sequence[Place]) -> None:
    """Tell that nothing more comes of this run: about where it wanted to last."""
    wanted = [each for each in places if newest_claim(each.application, each.name) == flow_run.id]
    place = (*places, *wanted)[-1]
    commit = commit_of_run(place.application)
    tell(RunNews(commit, place.name, REASON))


def _told(records: list[Record]) -> str:
    if not records:
        return f"{REASON}; it had rolled out nothing"
    return "; ".join(
        f"{each.environment}: rollout {each.number} {each.state.value}: {each.reason}"
        for each in records
    )
