import pytest

from benchmarks.rollback.harm import Answer, Harm, harm, is_over

GOOD, BAD, BROKEN = 200, 500, 0


def answers(*told: tuple[float, int, str]) -> tuple[Answer, ...]:
    return tuple(Answer(*each) for each in told)


@pytest.mark.parametrize(
    ("told", "found"),
    [
        pytest.param([(1.0, GOOD, "2"), (30.0, GOOD, "1")], None, id="nobody was failed"),
        pytest.param(
            [(1.0, BAD, "2"), (2.0, GOOD, "2"), (4.0, BAD, "2"), (24.0, GOOD, "1")],
            Harm(3.0, 2, 0, stopped=True),
            id="from the first bad answer to the last",
        ),
        pytest.param(
            [(1.0, BAD, "2"), (20.9, GOOD, "1")],
            Harm(0.0, 1, 0, stopped=False),
            id="not quiet for long enough",
        ),
        pytest.param(
            [(1.0, BAD, "2"), (2.0, BROKEN, ""), (3.0, BAD, "1"), (30.0, GOOD, "1")],
            Harm(0.0, 1, 2, stopped=True),
            id="what others did is counted beside it",
        ),
    ],
)
def test_harm_is_what_the_bad_release_did(
    told: list[tuple[float, int, str]], found: Harm | None
) -> None:
    assert harm(answers(*told), "2") == found


@pytest.mark.parametrize(
    ("told", "over"),
    [
        pytest.param([(1.0, GOOD, "2"), (500.0, GOOD, "2")], False, id="it has not begun"),
        pytest.param([(1.0, BAD, "2"), (100.0, BAD, "2")], False, id="it goes on"),
        pytest.param([(1.0, BAD, "2"), (21.0, GOOD, "1")], True, id="it has stopped"),
        pytest.param([(1.0, BAD, "2"), (121.0, BAD, "2")], True, id="nobody stops it"),
    ],
)
def test_a_scenario_is_over_when_it_is_known_how_it_ended(
    told: list[tuple[float, int, str]],
    over: bool,  # noqa: FBT001
) -> None:
    assert is_over(answers(*told), "2", patience_seconds=120) is over
