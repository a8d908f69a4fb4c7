import pytest

from tasks.core.repository import name_at


@pytest.mark.parametrize(
    ("address", "name"),
    [
        pytest.param("https://github.com/acme/shop.git", "acme/shop", id="https"),
        pytest.param("https://github.com/acme/shop", "acme/shop", id="https without .git"),
        pytest.param("https://GitHub.com/acme/shop/", "acme/shop", id="a slash, large letters"),
        pytest.param("https://ana@github.com/acme/a.b", "acme/a.b", id="https with a user"),
        pytest.param("git@github.com:acme/shop.git", "acme/shop", id="git@host:path"),
        pytest.param("github.com:acme/shop", "acme/shop", id="host:path"),
        pytest.param("ssh://git@github.com/acme/shop.git", "acme/shop", id="ssh"),
        pytest.param("ssh://git@github.com:22/acme/shop.git", "acme/shop", id="ssh with its port"),
        pytest.param("ssh://git@ssh.github.com:443/acme/shop.git", "acme/shop", id="ssh over 443"),
        pytest.param("https://github.com.evil.example/acme/shop", None, id="a host like it"),
        pytest.param("https://evil.example/github.com/acme/shop", None, id="its name in the path"),
        pytest.param("https://github.com@evil.example/acme/shop", None, id="its name as a user"),
        pytest.param("https://github.com/acme", None, id="no repository"),
        pytest.param("https://github.com/acme/shop/../../x/y", None, id="a path upwards"),
        pytest.param("/srv/github.com/acme/shop", None, id="a folder"),
        pytest.param("", None, id="nothing"),
    ],
)
def test_what_github_calls_a_repository(address: str, name: str | None) -> None:
    assert name_at(address, "github.com") == name


def test_another_host_is_named_with_its_port() -> None:
    assert name_at("http://127.0.0.1:8080/acme/shop.git", "127.0.0.1:8080") == "acme/shop"
    assert name_at("http://127.0.0.1:8081/acme/shop.git", "127.0.0.1:8080") is None
