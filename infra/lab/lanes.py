"""Two at a time: where possible one that computes beside one that waits for the network."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future

from infra.lab.component import Artifact

__all__ = ["Lanes"]


class Lanes:
    """Makes artifacts in two threads, in the order given within each kind.

    A compiler uses both cores of a small machine, but its linker only one; unpacking packages
    waits for the network: side by side they take little more than the compiler alone.

    Args:
        make: makes one.
        computes: whether one keeps the processors busy.
    """

    def __init__(
        self,
        artifacts: Sequence[Artifact],
        make: Callable[[Artifact], None],
        computes: Callable[[Artifact], bool],
    ) -> None:
        self.futures: dict[Artifact, Future[None]] = {one: Future() for one in artifacts}
        self._make = make
        self._computes = computes
        self._waiting = list(artifacts)
        self._lock = threading.Lock()

    def start(self) -> None:
        """Begin; the futures end one after the other."""
        for prefers in (self._computes, lambda one: not self._computes(one)):
            threading.Thread(target=self._work, args=(prefers,)).start()

    def cancel(self) -> None:
        """Begin nothing more."""
        with self._lock:
            for artifact in self._waiting:
                self.futures[artifact].cancel()
            self._waiting.clear()

    def _work(self, prefers: Callable[[Artifact], bool]) -> None:
        while (artifact := self._take(prefers)) is not None:
            future = self.futures[artifact]
            try:
                self._make(artifact)
            except BaseException as error:  # noqa: BLE001 whoever waits for it raises it again
                future.set_exception(error)
            else:
                future.set_result(None)

    def _take(self, prefers: Callable[[Artifact], bool]) -> Artifact | None:
        with self._lock:
            if not self._waiting:
                return None
            artifact = next((one for one in self._waiting if prefers(one)), self._waiting[0])
            self._waiting.remove(artifact)
            return artifact
