import pytest

from tasks.core.queries import placeholders, resolve


@pytest.mark.parametrize(
    ("query", "resolved"),
    [
        pytest.param("up", "up", id="nothing to fill in"),
        pytest.param('up{namespace="$namespace"}', 'up{namespace="shop"}', id="a plain name"),
        pytest.param("up{namespace='${namespace}s'}", "up{namespace='shops'}", id="in braces"),
        pytest.param('up{pod=~"a$"} + $other', 'up{pod=~"a$"} + $other', id="without a value"),
        pytest.param("$namespaces", "$namespaces", id="a longer name is another one"),
    ],
)
def test_placeholders_are_filled_in(query: str, resolved: str) -> None:
    assert resolve(query, {"namespace": "shop"}) == resolved


def test_a_query_says_what_it_wants_filled_in() -> None:
    assert placeholders('rate(x{n="$namespace", p=~"^a$"}[${window}])') == {"namespace", "window"}
