import threading
from concurrent.futures import CancelledError
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from infra.lab.component import Artifact, Say
from infra.lab.lanes import Lanes


@dataclass(frozen=True)
class Fake:
    name: str
    compiled: bool = False
    seconds: float = 1.0
    begun: threading.Event = field(default_factory=threading.Event, compare=False)

    def path(self, cache: Path) -> Path:
        return cache / self.name

    def make(self, cache: Path, say: Say) -> None:
        say(f"{cache}")


def is_compiled(artifact: Artifact) -> bool:
    return isinstance(artifact, Fake) and artifact.compiled


def test_one_that_computes_runs_beside_one_that_waits() -> None:
    first, second, download = Fake("a", compiled=True), Fake("b", compiled=True), Fake("c")

    def make(artifact: Artifact) -> None:
        assert isinstance(artifact, Fake)
        artifact.begun.set()
        assert {"a": download, "c": first, "b": first}[artifact.name].begun.wait(5)

    lanes = Lanes([first, second, download], make, is_compiled)
    lanes.start()
    assert [lanes.futures[one].result(5) for one in (first, download, second)] == [None] * 3


def test_a_failure_belongs_to_its_own_artifact() -> None:
    bad, good = Fake("bad"), Fake("good")

    def make(artifact: Artifact) -> None:
        if artifact.name == "bad":
            raise OSError("disk full")

    lanes = Lanes([bad, good], make, is_compiled)
    lanes.start()
    assert lanes.futures[good].result(5) is None
    with pytest.raises(OSError, match="disk full"):
        lanes.futures[bad].result(5)


def test_what_was_not_begun_is_cancelled() -> None:
    never = Fake("never")
    lanes = Lanes([never], lambda _: None, is_compiled)
    lanes.cancel()
    lanes.start()
    with pytest.raises(CancelledError):
        lanes.futures[never].result(5)
