import io

import pytest

from infra.lab.progress import remaining, share, showing
from infra.lab.report import Event, Step


def test_away_from_a_terminal_each_step_is_one_line() -> None:
    stream = io.StringIO()
    with showing(stream) as report:
        for event in (
            Event("make etcd", Step.WAITING, 60),
            Event("etcd", Step.WAITING, 2),
            Event("make etcd", Step.MAKING, 60),
            Event("make etcd", Step.MAKING, detail="compiling"),
            Event("make etcd", Step.READY, 58.04),
            Event("etcd", Step.STARTING, 2),
            Event("etcd", Step.FINISHING),
            Event("etcd", Step.READY, 1.5),
            Event("kubelet", Step.FAILED, detail="no"),
        ):
            report(event)
    assert stream.getvalue().splitlines() == [
        "make etcd: about 60 s",
        "make etcd: ready after 58.0 s",
        "etcd: ready after 1.5 s",
        "kubelet: failed",
    ]


@pytest.mark.parametrize(
    ("elapsed", "expected", "shown"),
    [
        pytest.param(5.0, 10.0, 0.5, id="half the time is half the bar"),
        pytest.param(20.0, 10.0, 0.97, id="the bar is not whole before the work is"),
        pytest.param(1.0, 0.0, 0.0, id="nothing is known"),
    ],
)
def test_a_bar_moves_with_time(elapsed: float, expected: float, shown: float) -> None:
    assert share(elapsed, expected) == shown


@pytest.mark.parametrize(
    ("rows", "seconds"),
    [
        pytest.param([], 0.0, id="nothing to do"),
        pytest.param([("make a", 100.0), ("make b", 60.0)], 100.0, id="the longest leads"),
        pytest.param([("make a", 60.0)] * 4, 120.0, id="two at a time"),
        pytest.param([("make a", 10.0), ("b", 5.0), ("c", 4.0)], 15.0, id="then they start"),
        pytest.param([("make a", -5.0), ("b", 1.0)], 1.0, id="overdue work counts as done"),
    ],
)
def test_the_rest_is_estimated(rows: list[tuple[str, float]], seconds: float) -> None:
    assert remaining(rows) == seconds
