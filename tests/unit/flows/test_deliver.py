import pytest

from flows.deliver import environments_until
from tasks.core.errors import ConfigError

ORDER = ("dev", "staging", "prod")


@pytest.mark.parametrize(
    ("until", "expected"),
    [
        pytest.param(None, ORDER, id="all environments where nobody says more"),
        pytest.param("staging", ("dev", "staging"), id="up to and with the named one"),
        pytest.param("dev", ("dev",), id="the first alone"),
    ],
)
def test_the_environments_of_a_delivery(until: str | None, expected: tuple[str, ...]) -> None:
    assert environments_until(ORDER, until) == expected


def test_an_environment_that_is_not_there_is_refused_before_anything_is_built() -> None:
    with pytest.raises(ConfigError, match=r"no environment 'qa'.*dev, staging, prod"):
        environments_until(ORDER, "qa")
