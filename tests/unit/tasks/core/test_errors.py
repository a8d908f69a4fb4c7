import inspect
import pickle

import pytest
from prefect.serializers import JSONSerializer

from tasks.core import errors
from tasks.core.errors import SlipwayError, StageFailed

TREE = [
    kind
    for _, kind in inspect.getmembers(errors, inspect.isclass)
    if issubclass(kind, SlipwayError)
]


@pytest.mark.parametrize("kind", TREE)
def test_every_error_survives_a_pickle_and_prefects_json(kind: type[SlipwayError]) -> None:
    error = kind("what", "where", "next step")
    serializer: JSONSerializer[SlipwayError] = JSONSerializer()
    for back in (
        pickle.loads(pickle.dumps(error)),  # noqa: S301 our own
        serializer.loads(serializer.dumps(error)),
    ):
        assert type(back) is kind
        assert str(back) == "where: what. Next: next step"


def test_the_tree_that_is_drawn_is_the_tree() -> None:
    drawn = errors.__doc__ or ""
    assert all(kind.__name__ in drawn for kind in TREE)
    assert sorted(errors.__all__) == sorted(kind.__name__ for kind in TREE)


def test_what_a_program_said_last_may_end_with_a_full_stop() -> None:
    assert str(StageFailed("2 problems.", next_step="correct them")) == (
        "2 problems. Next: correct them"
    )
