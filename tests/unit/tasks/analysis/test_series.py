import contextlib
import math
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.analysis.counting import counts, ratio_count
from tasks.analysis.exposition import parse_metrics
from tasks.analysis.model import Count
from tasks.analysis.questions import Counted, Ratio
from tasks.analysis.scrape import Endpoint, endpoint_of
from tasks.analysis.series import Selector, Series, grown
from tasks.core.objects import Object
from tests.unit.tasks.analysis.world import pod

HITS = Series.of("hits_total", {"status": "200"})
ERRORS = Series.of("hits_total", {"status": "500"})
VALUES = st.dictionaries(st.sampled_from([HITS, ERRORS]), st.floats())


@pytest.mark.parametrize(
    ("selector", "labels", "fits"),
    [
        pytest.param("hits_total", {}, True, id="by name"),
        pytest.param('hits_total{status=~"5.."}', {"status": "503"}, True, id="by expression"),
        pytest.param('hits_total{status=~"5"}', {"status": "503"}, False, id="the whole value"),
        pytest.param('hits_total{status!="500"}', {}, True, id="an absent label is another one"),
        pytest.param('hits_total{status=""}', {}, True, id="an absent label is empty"),
        pytest.param('hits_total{status!~"5.."}', {"status": "503"}, False, id="not by expression"),
        pytest.param('hits_total{route="/a.b"}', {"route": "/aXb"}, False, id="a dot is a dot"),
        pytest.param("other_total", {}, False, id="another name"),
    ],
)
def test_a_selector_fits_as_prometheus_own_does(
    selector: str, labels: dict[str, str], *, fits: bool
) -> None:
    assert Selector.read(selector).fits(Series.of("hits_total", labels)) is fits


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("sum(hits_total)", id="a query"),
        pytest.param('{status="500"}', id="no name"),
        pytest.param('hits_total{status=~"(?i:x"}', id="an expression that is cut"),
    ],
)
def test_what_is_no_plain_selector_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 the parser's own words
        Selector.read(text)


@pytest.mark.parametrize(
    ("before", "now", "growth"),
    [
        pytest.param(None, {HITS: 7.0}, {}, id="a pod that was never read"),
        pytest.param({HITS: 5.0}, {HITS: 7.0}, {HITS: 2.0}, id="more"),
        pytest.param({HITS: 5.0}, {HITS: 3.0}, {HITS: 3.0}, id="started again"),
        pytest.param({HITS: 5.0}, {HITS: 5.0, ERRORS: 1.0}, {HITS: 0.0, ERRORS: 1.0}, id="first"),
        pytest.param({HITS: 5.0}, {HITS: math.nan}, {}, id="not a number"),
        pytest.param({HITS: 5.0}, {}, {}, id="gone"),
    ],
)
def test_counters_grow(
    before: dict[Series, float] | None, now: dict[Series, float], growth: dict[Series, float]
) -> None:
    assert grown(before, now) == growth


@given(VALUES, VALUES)
def test_no_counter_ever_grows_by_less_than_nothing(
    before: dict[Series, float], now: dict[Series, float]
) -> None:
    sound = {series: value for series, value in before.items() if math.isfinite(value)}
    growth = grown(sound, now)
    assert all(math.isfinite(value) and value >= 0 for value in growth.values())


@given(st.text())
def test_metrics_are_read_or_refused(text: str) -> None:
    with contextlib.suppress(ValueError):
        read = parse_metrics(f"hits_total{text}\n", ["hits_total"], {"pod": "a"})
        assert all(math.isfinite(value) and value >= 0 for value in read.values())


def test_only_the_wanted_metrics_are_read_and_the_pods_own_labels_stay() -> None:
    text = 'hits_total{pod="own"} 3\nhits_total_created 5\nother 1\nhits_total{a="b"} NaN\n'
    assert parse_metrics(text, ["hits_total"], {"pod": "p", "namespace": "n"}) == {
        Series.of("hits_total", {"pod": "own", "namespace": "n"}): 3.0
    }


@pytest.mark.parametrize(
    ("growth", "count"),
    [
        pytest.param({HITS: 9.0, ERRORS: 1.0}, {"a": Count(10, 1)}, id="both"),
        pytest.param({HITS: 9.0}, {"a": Count(9, 0)}, id="absent errors are none"),
        pytest.param({}, {}, id="an absent total is no data"),
    ],
)
def test_a_ratio_of_counters_is_counted(
    growth: dict[Series, float], count: dict[str, Count]
) -> None:
    assert counts(Counted("a", 'hits_total{status="500"}', "hits_total"), growth) == count


def test_a_ratio_without_a_total_is_no_data() -> None:
    ratio = Ratio("a", "sum by (x) (b)", "sum by (x) (c)")
    assert ratio_count(ratio, (), (), timedelta(seconds=30)) is None


def _with(**annotations: str) -> Object:
    thing = pod("one")
    thing["metadata"]["annotations"] |= {
        f"prometheus.io/{key}": value for key, value in annotations.items()
    }
    return thing


@pytest.mark.parametrize(
    ("thing", "place"),
    [
        pytest.param(pod("one"), Endpoint(8080, "/metrics"), id="with the usual path"),
        pytest.param(_with(path="/m?a=b"), Endpoint(8080, "/m?a=b"), id="with a path"),
        pytest.param(pod("one", annotated=False), None, id="not wanted"),
        pytest.param(_with(port="http"), None, id="a port that is no number"),
        pytest.param(_with(scheme="https"), None, id="TLS, left to Prometheus"),
        pytest.param({**pod("one"), "status": {"phase": "Pending"}}, None, id="not running"),
    ],
)
def test_the_annotations_say_where_a_pod_shows_its_metrics(
    thing: Object, place: Endpoint | None
) -> None:
    assert endpoint_of(thing) == place
