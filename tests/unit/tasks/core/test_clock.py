from datetime import timedelta

import pytest

from tasks.core.clock import Clock, FakeClock, SystemClock


@pytest.mark.parametrize("clock", [FakeClock(), SystemClock()], ids=["fake", "system"])
def test_time_that_was_waited_for_has_elapsed(clock: Clock) -> None:
    began = clock.elapsed()
    clock.wait(timedelta(milliseconds=10))
    assert clock.elapsed() - began >= timedelta(milliseconds=10)


def test_a_jump_of_the_wall_clock_is_no_time() -> None:
    clock = FakeClock()
    began = clock.elapsed()
    clock.jump(-timedelta(hours=1))
    assert clock.elapsed() == began
