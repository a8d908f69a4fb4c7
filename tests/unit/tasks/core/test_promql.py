import pytest

from tasks.core.promql import counter_of, is_per_second


@pytest.mark.parametrize(
    ("query", "counter"),
    [
        pytest.param('a_total{b="c"}', 'a_total{b="c"}', id="a plain selector"),
        pytest.param("sum(rate(a_total[$window]))", "a_total", id="its rate, added up"),
        pytest.param(
            'sum(increase(a_total{n="$namespace",s=~"5.."}[${window}]))',
            'a_total{n="$namespace",s=~"5.."}',
            id="its increase, added up",
        ),
        pytest.param("sum by (pod) (rate(a_total[$window]))", None, id="added up by a label"),
        pytest.param("max(rate(a_total[$window]))", None, id="another aggregation"),
        pytest.param("rate(a_total[$window])", None, id="not added up"),
        pytest.param("sum(rate(a_total[$window])) * 2", None, id="arithmetics"),
        pytest.param("a_total offset 5m", None, id="another time"),
        pytest.param("sum(irate(a_total[$window]))", None, id="another function"),
        pytest.param("1", None, id="a number"),
    ],
)
def test_a_query_that_adds_up_a_counter_is_known(query: str, counter: str | None) -> None:
    assert counter_of(query) == counter


@pytest.mark.parametrize(
    ("query", "per_second"),
    [
        pytest.param("sum(rate(a[$window])) + 1", True, id="rate"),
        pytest.param("sum(increase(a[$window]))", False, id="increase"),
        pytest.param("sum(rate_total)", False, id="a metric of that name"),
    ],
)
def test_a_rate_counts_per_second(query: str, *, per_second: bool) -> None:
    assert is_per_second(query) is per_second
