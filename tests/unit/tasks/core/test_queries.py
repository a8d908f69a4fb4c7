import promql_parser
import pytest

from tasks.core.queries import events, narrow, placeholders, resolve


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


@pytest.mark.parametrize(
    ("query", "counted"),
    [
        pytest.param(
            'hits{code=~"5.."}',
            'sum(increase(hits{namespace="shop",code=~"5.."}[5m]))',
            id="a selector is counted where the application runs",
        ),
        pytest.param("hits", 'sum(increase(hits{namespace="shop"}[5m]))', id="a bare name"),
        pytest.param("hits { }", 'sum(increase(hits{namespace="shop"}[5m]))', id="no matchers"),
        pytest.param(
            '{__name__="hits", namespace="$namespace"}',
            'sum(increase({__name__="hits", namespace="shop"}[5m]))',
            id="a selector that says where",
        ),
        pytest.param(
            'sum(rate(hits{n="$namespace"}[$window]))',
            'sum(rate(hits{n="shop"}[5m]))',
            id="any other query is filled in",
        ),
    ],
)
def test_events_are_counted(query: str, counted: str) -> None:
    assert events(query, {"namespace": "shop", "window": "5m"}) == counted


@pytest.mark.parametrize(
    ("query", "narrowed"),
    [
        pytest.param("up", 'up{pod=~"a-.+"}', id="a bare name"),
        pytest.param('up{a="}",b!="\\"c"}', 'up{pod=~"a-.+",a="}",b!="\\"c"}', id="with matchers"),
        pytest.param('{__name__="up"}', '{__name__="up",pod=~"a-.+"}', id="without a name"),
        pytest.param("up offset 5m", 'up{pod=~"a-.+"} offset 5m', id="with an offset"),
        pytest.param(
            "sum by (x) (rate(hits[5m])) / max_over_time(up[1h:1m])",
            'sum by (x) (rate(hits{pod=~"a-.+"}[5m])) / max_over_time(up{pod=~"a-.+"}[1h:1m])',
            id="in every depth",
        ),
        pytest.param("1 + time()", "1 + time()", id="no selector"),
    ],
)
def test_every_selector_is_narrowed(query: str, narrowed: str) -> None:
    assert narrow(query, 'pod=~"a-.+"') == promql_parser.parse(narrowed).prettify()


def test_matchers_joined_by_or_are_refused() -> None:
    with pytest.raises(ValueError, match="joined by `or`"):
        narrow('up{a="1" or b="2"}', 'pod="x"')
