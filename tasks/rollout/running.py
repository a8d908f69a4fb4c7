"""A rollout under way: what its steps share."""

from dataclasses import dataclass, replace

from tasks.rollout import records
from tasks.rollout.lock import Aside, Lock
from tasks.rollout.model import Place, Ports, Stored

__all__ = ["Rollout"]


@dataclass(slots=True)
class Rollout:
    """What the steps share: the world, the lock and the record as it was last written.

    Attributes:
        gates: how many gates on its way people have opened.
    """

    place: Place
    ports: Ports
    lock: Lock
    stored: Stored
    gates: int = 0

    @property
    def asked(self) -> Aside | None:
        """What another run wants of this one and it has not heeded yet."""
        asked, progress = self.lock.asked, self.stored.progress
        if asked is None or progress.failed is not None or progress.asked_by == asked.run:
            return None
        return asked

    def write(self, changed: Stored) -> None:
        """Write the record under our fencing number."""
        changed = replace(changed, fence=self.lock.number)
        self.stored = records.update(self.ports.cluster, changed)
