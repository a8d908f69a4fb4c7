from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TypeVar

import pytest

from tasks.core.clock import FakeClock
from tasks.core.errors import StageFailed
from tasks.smoke.effects import try_container
from tasks.smoke.model import Answer, Observed, Sign, Trial

Item = TypeVar("Item")
RUNS, GONE = Observed(None), Observed(0)
GOOD, BAD = (
    Answer(is_good=True, words="GET / answered 200"),
    Answer(is_good=False, words="GET / answered 503"),
)
TRIAL = Trial(
    component="api",
    image="sha256:1",
    sign=Sign.HTTP,
    port=80,
    path="/",
    env={},
    memory=2**28,
    writable=(),
    within=timedelta(seconds=2),
    grace=timedelta(seconds=1),
)


def forever(*items: Item) -> Iterator[Item]:
    yield from items
    while True:
        yield items[-1]


@dataclass
class FakeContainer:
    """A container that lives by a list; see the port in model."""

    states: Iterator[Observed]
    answers: Iterator[Answer] = field(default_factory=lambda: forever(GOOD))
    log: list[str] = field(default_factory=list)

    def observe(self) -> Observed:
        return next(self.states)

    def ask(self) -> Answer:
        self.log.append("asked")
        return next(self.answers)

    def terminate(self) -> None:
        self.log.append("terminated")

    def last_lines(self) -> str:
        return "one\ntwo"


def test_health_is_awaited_and_the_stop_too() -> None:
    clock = FakeClock()
    begin = clock.now()
    container = FakeContainer(forever(RUNS, RUNS, RUNS, RUNS, GONE), forever(BAD, BAD, GOOD))
    assert try_container(container, TRIAL, clock) == (
        "healthy after 0.2s (GET / answered 200), stopped 0.1s after SIGTERM with status 0"
    )
    assert container.log == ["asked", "asked", "asked", "terminated"]
    assert clock.now() - begin == timedelta(seconds=0.3)


def test_a_container_that_never_answers_fails_at_its_deadline() -> None:
    clock = FakeClock()
    begin = clock.now()
    with pytest.raises(StageFailed) as failure:
        try_container(FakeContainer(forever(RUNS), forever(BAD)), TRIAL, clock)
    assert failure.value.what == (
        "expected GET / on port 80 answered 2xx within 2s, but GET / answered 503; "
        "its last lines:\n  | one\n  | two"
    )
    assert clock.now() - begin == TRIAL.within


@pytest.mark.parametrize(
    ("state", "came"),
    [
        (Observed(3), "it ended with status 3"),
        (Observed(137, out_of_memory=True), "it ran out of its 268.4 MB of memory"),
    ],
)
def test_a_container_that_ends_early_fails_at_once(state: Observed, came: str) -> None:
    clock = FakeClock()
    container = FakeContainer(forever(RUNS, state), forever(BAD))
    with pytest.raises(StageFailed, match=f"but {came}"):
        try_container(container, TRIAL, clock)
    assert clock.waits == [timedelta(milliseconds=100)]
    assert "terminated" not in container.log


def test_the_images_own_check_is_read_from_the_engine() -> None:
    trial = replace(TRIAL, sign=Sign.HEALTHCHECK)
    states = forever(Observed(None, "starting"), Observed(None, "healthy"), GONE)
    container = FakeContainer(states)
    assert "(HEALTHCHECK healthy)" in try_container(container, trial, FakeClock())
    assert container.log == ["terminated"]


def test_a_failing_check_shows_what_it_said() -> None:
    trial = replace(TRIAL, sign=Sign.HEALTHCHECK)
    sick = FakeContainer(forever(Observed(None, "unhealthy", "no database")))
    with pytest.raises(StageFailed, match="HEALTHCHECK is unhealthy, last check: no database"):
        try_container(sick, trial, FakeClock())


def test_a_container_that_does_not_stop_fails_when_its_grace_is_over() -> None:
    clock = FakeClock()
    with pytest.raises(
        StageFailed, match="expected it to stop within 1s of SIGTERM, but it still ran 1s later"
    ):
        try_container(FakeContainer(forever(RUNS)), TRIAL, clock)
    assert sum(clock.waits, timedelta()) == TRIAL.grace
