from concurrent.futures import Executor, Future
from datetime import UTC, datetime, timedelta

from tasks.analysis.poll import Poll

NOW = datetime(2026, 1, 1, tzinfo=UTC)


class Slow(Executor):
    """Has begun everything and ended nothing."""

    def __init__(self) -> None:
        self.begun: list[Future[int]] = []

    def submit(self, *_args: object, **_kwargs: object) -> Future[int]:  # type: ignore[override]
        self.begun.append(Future())
        return self.begun[-1]


def test_a_slow_answer_is_waited_for_and_counts_when_it_comes() -> None:
    pool, poll = Slow(), Poll(lambda: 7, timedelta(seconds=1))
    for second in range(8):
        poll.start(pool, NOW + timedelta(seconds=second))
        assert poll.take(NOW + timedelta(seconds=second)) is None
    assert len(pool.begun) == 1, "it is not asked again while it thinks"
    assert poll.fault == "no answer for 7 s"
    pool.begun[0].set_result(3)
    assert (poll.take(NOW), poll.take(NOW), poll.fault) == (3, None, "")
