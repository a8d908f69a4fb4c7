from datetime import timedelta

import pytest

from infra.server.client import pause_after


@pytest.mark.parametrize(
    ("watched", "pause"),
    [
        pytest.param(0, 0.2, id="a run that may be over in a moment"),
        pytest.param(10, 0.5, id="one that goes on for a while"),
        pytest.param(3600, 1, id="one that takes an hour"),
    ],
)
def test_who_follows_a_run_looks_less_often_the_longer_it_takes(
    watched: float, pause: float
) -> None:
    assert pause_after(timedelta(seconds=watched)) == timedelta(seconds=pause)
