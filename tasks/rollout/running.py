"""A rollout under way: what its steps share."""

from dataclasses import dataclass, replace

from tasks.rollout import records
from tasks.rollout.lock import Lock
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

    def write(self, changed: Stored) -> None:
        """Write the record under our fencing number."""
        changed = replace(changed, fence=self.lock.number)
        self.stored = records.update(self.ports.cluster, changed)
