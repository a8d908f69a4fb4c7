import pytest

from tasks.core.errors import ConfigError
from tasks.rollout.place import Where, where_of

PLACES = {"prod": Where("shop-prod", "east")}


@pytest.mark.parametrize(
    ("named", "expected"),
    [
        pytest.param(Where(""), Where("shop-prod", "east"), id="where the form says"),
        pytest.param(Where("", "west"), Where("shop-prod", "west"), id="in another cluster"),
        pytest.param(Where("other", "west"), Where("other", "west"), id="wholly elsewhere"),
        pytest.param(Where("other"), Where("other"), id="the form's cluster is its own place's"),
    ],
)
def test_what_a_person_says_about_where_goes_before_the_form(named: Where, expected: Where) -> None:
    assert where_of("prod", named, PLACES) == expected


def test_an_environment_that_neither_a_person_nor_the_form_places_is_refused() -> None:
    with pytest.raises(ConfigError, match="choose one of prod"):
        where_of("dev", Where("", "west"), PLACES)
