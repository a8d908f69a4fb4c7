import pytest

from flows.deliver import environments_until, name_of
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


@pytest.mark.parametrize(
    ("repository", "revision", "expected"),
    [
        pytest.param("/srv/my shop", "HEAD", "my shop@HEAD", id="a folder"),
        pytest.param("git@git.example:team/shop.git", "v1", "shop@v1", id="an address of git"),
        pytest.param("https://git.example/shop/", "c" * 40, f"shop@{'c' * 12}", id="a commit"),
        pytest.param(
            "https://git.example/shop.git",
            "feature/show-amounts-in-euros",
            "shop@feature/show-amounts-in-euros",
            id="a branch in full",
        ),
        pytest.param("https://s3cret@git.example", "HEAD", "git.example@HEAD", id="never a token"),
    ],
)
def test_the_name_of_a_delivery(repository: str, revision: str, expected: str) -> None:
    assert name_of(repository, revision) == expected


def test_an_environment_that_is_not_there_is_refused_before_anything_is_built() -> None:
    with pytest.raises(ConfigError, match=r"no environment 'qa'.*dev, staging, prod"):
        environments_until(ORDER, "qa")
