"""Bringing to an end what a cancelled run had begun."""

from dataclasses import replace

from tasks.core.record import Moment, Record, RolloutState
from tasks.rollout import lock
from tasks.rollout.drive import drive
from tasks.rollout.model import Place, Ports, Stored
from tasks.rollout.opening import fetch_own
from tasks.rollout.running import Rollout

__all__ = ["settle"]


def settle(place: Place, run: str, reason: str, ports: Ports) -> Record | None:
    """End the rollout of a run that will not go on, and return it; None where there is none.

    The live release answers everything afterwards, by traffic where it has not been touched: nobody
    says anything against the new one, so it is not marked bad. What is being promoted, and a
    rollback, is brought to the end that it was on its way to.

    Args:
        place: where the run may have acted.
        run: its id.
        reason: stands in the history.
        ports: the world.

    Raises:
        Conflict: another run took over.
        GateClosed: another rollout does not end.
        Unavailable: the cluster does not answer; call again.
    """
    own = _own(fetch_own(place, ports.cluster), run)
    if own is None or own.record.state is not RolloutState.STARTED:
        return own.record if own else None
    with lock.hold(ports.cluster, ports.clock, place.namespace, run) as held:
        left = _own(fetch_own(place, ports.cluster), run)
        if left is None or left.record.state is not RolloutState.STARTED:
            return left.record if left else None
        environment = left.environment or place.environment
        there = replace(place, environment=environment, rules=left.rules)
        rollout = Rollout(there, ports, held, left)
        if _goes_forward(left):
            said = Moment(ports.clock.now(), f"steps aside: {reason}")
            record = replace(left.record, moments=(*left.record.moments, said))
            progress = replace(left.progress, aside=reason, asked_by=run)
            rollout.write(replace(left, record=record, progress=progress))
        return drive(rollout)


def _own(stored: tuple[Stored, ...], run: str) -> Stored | None:
    """Return the newest rollout that a run has begun, or has asked to go back."""
    own = [each for each in stored if run in (each.record.run, each.progress.asked_by)]
    return own[-1] if own else None


def _goes_forward(left: Stored) -> bool:
    progress = left.progress
    return left.record.restores is None and progress.failed is None and progress.aside is None
