"""Two ways for a release to be bad, played on one side under load."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count

from benchmarks.rollback.application import FAULTS, Application
from benchmarks.rollback.harm import Harm, Heard, harm, is_over
from benchmarks.rollback.side import Side
from tasks.core.cluster_api import KubernetesCluster
from tasks.core.errors import Unavailable

__all__ = ["Bench"]

PROMOTED_WITHIN_SECONDS = 600.0
LOOK_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Bench:
    """One side, ready, under load.

    Attributes:
        patience_seconds: for so long after its first bad answer a release may go on failing.
    """

    side: Side
    application: Application
    cluster: KubernetesCluster
    heard: Heard
    patience_seconds: float
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def first(self) -> None:
        """Put the first release in, and wait until it answers."""
        self._good()
        self._until(lambda: self.heard.answers[-1].release == "1", "answers")

    def at_once(self) -> Harm | None:
        """Release something that fails from its first request."""
        number = next(self.numbers)
        began = self.heard.now()
        self.side.release(number, FAULTS)
        return self._suffered(number, began)

    def after_promotion(self) -> Harm | None:
        """Release something good, and make it fail when it has replaced the one before."""
        number = self._good()
        began = self.heard.now()
        self.application.burn(number, self.cluster)
        return self._suffered(number, began)

    def _good(self) -> int:
        number = next(self.numbers)
        self.side.release(number, 0.0)
        self._until(lambda: self.side.is_promoted(number), "is promoted")
        return number

    def _suffered(self, number: int, began: float) -> Harm | None:
        release = str(number)
        late = began + PROMOTED_WITHIN_SECONDS
        while not is_over(answers := self.heard.since(began), release, self.patience_seconds):
            if harm(answers, release) is None and self.heard.now() > late:
                return None
            _pause()
        return harm(answers, release)

    def _until(self, holds: Callable[[], bool], what: str) -> None:
        late = self.heard.now() + PROMOTED_WITHIN_SECONDS
        while not holds():
            if self.heard.now() > late:
                where = self.application.namespace
                raise Unavailable(f"not before {PROMOTED_WITHIN_SECONDS:g} s: {what}", where=where)
            _pause()


def _pause() -> None:
    threading.Event().wait(LOOK_SECONDS)
