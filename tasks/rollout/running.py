"""A rollout under way: what its steps share."""

from dataclasses import dataclass, field, replace
from datetime import timedelta

from tasks.rollout import records
from tasks.rollout.lock import Aside, Lock
from tasks.rollout.model import Place, Ports, Stored

__all__ = ["Rollout"]


@dataclass(slots=True)
class Rollout:
    """What the steps share: the world, the lock and the record as it was last written.

    Attributes:
        stored: may be ahead of the cluster by what `remember` was told.
        gates: how many gates on its way people have opened.
    """

    place: Place
    ports: Ports
    lock: Lock
    stored: Stored
    gates: int = 0
    _reached: dict[str, timedelta] = field(default_factory=dict, init=False)

    @property
    def asked(self) -> Aside | None:
        """What another run wants of this one and it has not heeded yet.

        A rollback heeds nobody: what it takes away is not wanted by anybody. No release makes room
        for one of an older commit.
        """
        asked, progress, record = self.lock.asked, self.stored.progress, self.stored.record
        if asked is None or progress.failed is not None or progress.asked_by == asked.run:
            return None
        is_older = asked.is_older(record.release.created_at)
        makes_room = not asked.against and progress.aside is None and not is_older
        is_meant = makes_room or asked.against == record.release.id
        return asked if is_meant and record.restores is None else None

    def age(self, mark: str) -> timedelta:
        """Return how long ago a mark was reached.

        Within the process that reached it, by a clock that does not jump; a new process can
        only go by the wall clock.
        """
        if mark in self._reached:
            return self.ports.clock.elapsed() - self._reached[mark]
        now, reached = self.ports.clock.now(), self.stored.progress.at(mark)
        self._reached[mark] = self.ports.clock.elapsed() - max(timedelta(0), now - reached)
        return self.age(mark)

    def reach(self, mark: str) -> None:
        """Write down that something is behind it."""
        self._reached.setdefault(mark, self.ports.clock.elapsed())
        progress = self.stored.progress.reached(mark, self.ports.clock.now())
        self.write(replace(self.stored, progress=progress))

    def remember(self, changed: Stored) -> None:
        """Keep a change for the next write: killed before that, both are done again, or neither."""
        self.stored = changed

    def write(self, changed: Stored) -> None:
        """Write the record under our fencing number."""
        changed = replace(changed, fence=self.lock.number)
        self.stored = records.update(self.ports.cluster, changed)
