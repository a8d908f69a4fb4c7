import pytest

from infra.lab.builds.toolchain import fetches_toolchains


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        pytest.param("go version go1.26.8 linux/amd64", True, id="a new one"),
        pytest.param("go version go1.21.0 linux/amd64", True, id="the first that fetches others"),
        pytest.param("go version go1.19.8 linux/amd64", False, id="Debian 12's"),
        pytest.param("go version go2.0 linux/arm64", True, id="one to come"),
        pytest.param("go version devel +abc linux/amd64", False, id="one without a number"),
    ],
)
def test_an_old_go_is_left_alone(version: str, expected: bool) -> None:  # noqa: FBT001
    assert fetches_toolchains(version) is expected
