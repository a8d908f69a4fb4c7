import pytest

from tasks.core.past import named


@pytest.mark.parametrize(
    ("to", "expected"),
    [
        pytest.param(None, None, id="nothing"),
        pytest.param("", None, id="an empty field of a form"),
        pytest.param(12, 12, id="a number"),
        pytest.param(" 12 ", 12, id="a number in a form"),
        pytest.param("0", 0, id="a number that no rollout has is still one"),
        pytest.param("r-0123456789ab", "r-0123456789ab", id="a release"),
    ],
)
def test_the_goal_of_a_rollback_is_named_by_number_or_id(
    to: int | str | None, expected: int | str | None
) -> None:
    assert named(to) == expected
