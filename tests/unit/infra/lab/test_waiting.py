from datetime import timedelta

import pytest

from infra.lab.waiting import wait_until
from tasks.core.clock import FakeClock
from tasks.core.errors import Unavailable


def test_a_condition_that_holds_costs_no_time() -> None:
    clock = FakeClock()
    wait_until(lambda: True, timedelta(seconds=5), "etcd", clock=clock)
    assert clock.waits == []


def test_waiting_ends_with_the_name_of_what_did_not_come() -> None:
    clock = FakeClock()
    with pytest.raises(Unavailable, match="waited 5 s for etcd to become healthy"):
        wait_until(lambda: False, timedelta(seconds=5), "etcd to become healthy", clock=clock)
    assert sum(clock.waits, timedelta()) == timedelta(seconds=5)


def test_waiting_without_being_strict_just_ends() -> None:
    clock = FakeClock()
    wait_until(lambda: False, timedelta(seconds=1), "", strict=False, clock=clock)
    assert sum(clock.waits, timedelta()) == timedelta(seconds=1)
