import os
import select
from collections.abc import Iterator
from datetime import timedelta

import psutil
import pytest

from infra.server.daemons import Daemon
from infra.server.keeper import LIVED_LONG, LONGEST_PAUSE, Keeper
from tasks.core.clock import FakeClock


@pytest.fixture(autouse=True)
def own_state(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLIPWAY_STATE", str(tmp_path_factory.mktemp("state")))


@pytest.fixture
def sleeper() -> Iterator[Daemon]:
    daemon = Daemon("sleeper", ("sleep", "600"), None)
    daemon.start({})
    yield daemon
    daemon.stop()


def kill(daemon: Daemon) -> psutil.Process:
    """Kill a process and wait for its end, not for whoever buries it."""
    process = daemon.process()
    assert process is not None
    handle = os.pidfd_open(process.pid)
    process.kill()
    select.select([handle], [], [])
    os.close(handle)
    return process


def revivals(keeper: Keeper, clock: FakeClock, daemon: Daemon, during: timedelta) -> int:
    """Look every second at a process that dies at once, and count how often it was started."""
    seconds = int(during.total_seconds())
    count = 0
    for _ in range(seconds):
        if keeper.look(daemon, {}):
            count += 1
            kill(daemon)
        clock.wait(timedelta(seconds=1))
    return count


def test_what_was_killed_is_started_again(sleeper: Daemon) -> None:
    before = kill(sleeper)
    assert Keeper(FakeClock()).look(sleeper, {})
    after = sleeper.process()
    assert after is not None
    assert after.pid != before.pid


def test_what_is_started_again_does_not_end_with_the_keeper(sleeper: Daemon) -> None:
    kill(sleeper)
    assert Keeper(FakeClock()).look(sleeper, {})
    assert sleeper.process() not in psutil.Process().children(recursive=True)


def test_what_runs_is_left_alone(sleeper: Daemon) -> None:
    before = sleeper.process()
    assert not Keeper(FakeClock()).look(sleeper, {})
    assert sleeper.process() == before


def test_what_somebody_stopped_stays_down(sleeper: Daemon) -> None:
    sleeper.stop()
    assert not Keeper(FakeClock()).look(sleeper, {})
    assert sleeper.process() is None


def test_what_never_started_is_not_started(sleeper: Daemon) -> None:
    other = Daemon("other", sleeper.argv, None)
    assert not Keeper(FakeClock()).look(other, {})
    assert other.process() is None


def test_what_dies_all_the_time_is_started_less_and_less_often(sleeper: Daemon) -> None:
    clock = FakeClock()
    keeper = Keeper(clock)
    kill(sleeper)
    first, later = (revivals(keeper, clock, sleeper, timedelta(minutes=5)) for _ in range(2))
    assert first > later
    assert later <= timedelta(minutes=5) / LONGEST_PAUSE


def test_what_lived_long_is_started_again_at_once(sleeper: Daemon) -> None:
    clock = FakeClock()
    keeper = Keeper(clock)
    kill(sleeper)
    revivals(keeper, clock, sleeper, timedelta(minutes=5))
    clock.wait(LIVED_LONG)
    assert keeper.look(sleeper, {})
    kill(sleeper)
    clock.wait(timedelta(seconds=1))
    assert keeper.look(sleeper, {})
