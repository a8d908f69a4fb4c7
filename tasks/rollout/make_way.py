"""Making way for a release that people are to be asked about.

A plan that is drawn beside a canary is another one when the canary is gone, so that a yes to it
would let nothing in. So whatever is under way ends first.
"""

import logging

from tasks.core.cluster import Objects
from tasks.core.model import Release
from tasks.core.record import Record, RolloutState
from tasks.rollout import lock
from tasks.rollout.drive import send_back
from tasks.rollout.model import By, Place, Ports, Stored
from tasks.rollout.opening import fetch_own, wish
from tasks.rollout.plan import survey
from tasks.rollout.refusals import refuse_bad, refuse_superseded
from tasks.rollout.running import Rollout

__all__ = ["find_in_way", "make_way"]

log = logging.getLogger(__name__)


def find_in_way(
    release: Release, place: Place, cluster: Objects, despite: str | None = None
) -> Record | None:
    """Return the rollout that has to end before people are asked, None where there is none.

    Nobody gives way to a release that is refused: that is said here.

    Raises:
        ConfigError: the cluster refuses the manifests.
        GateClosed: the release was taken back before.
    """
    stored = fetch_own(place, cluster)
    if not (found := _in_way(stored, release)):
        return None
    refuse_bad(stored, release, place, despite)
    survey(release, place, cluster)
    return found[-1].record


def make_way(release: Release, place: Place, by: By, ports: Ports) -> tuple[Record, ...]:
    """Wait until nothing is under way, and return what was ended for that.

    What waits for people goes back, and so does what is asked to where the file says so. A rollout
    of the same release is left for `roll_out` to go on with, and so is what was changed in place
    and has no process: nobody drives it, and it stays as it is until the release comes.

    Raises:
        Conflict: another run took over.
        GateClosed: another rollout does not end, or a newer release came meanwhile.
        Unavailable: the cluster does not answer; call again.
    """
    known = fetch_own(place, ports.cluster)
    if not (busy := _in_way(known, release)):
        return ()
    log.info(
        "%s: rollout %d (%s) is under way; nobody is asked about %s before it has ended",
        *(place, busy[-1].record.number, busy[-1].record.release.id, release.id),
    )
    with lock.hold(
        ports.cluster, ports.clock, place.namespace, by.run, wish(release, place, by)
    ) as held:
        stored = fetch_own(place, ports.cluster)
        refuse_superseded(known, stored, release, place)
        ended = [
            each.record.number
            for each in _in_way(stored, release)
            if send_back(each, release.id, Rollout(place, ports, held, each))
        ]
    after = fetch_own(place, ports.cluster)
    return tuple(each.record for each in after if each.record.number in ended)


def _in_way(stored: tuple[Stored, ...], release: Release) -> tuple[Stored, ...]:
    return tuple(
        each
        for each in stored
        if each.record.state is RolloutState.STARTED and each.record.release.id != release.id
    )
