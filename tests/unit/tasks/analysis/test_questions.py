from datetime import UTC, datetime, timedelta

import promql_parser
import pytest

from tasks.analysis.questions import Counted, Histogram, Pods, Ratio, questions, sent
from tasks.analysis.thin import thin
from tasks.core.model import Target
from tasks.core.sample import Sample
from tasks.core.slos import Availability, Latency, Slos
from tasks.core.watching import Watch

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
PODS = Pods.between("shop", ("api", "web"))


def watch(*, beside: bool) -> Watch:
    target = Target("kubeconfig", "ctx", "r", "b", "d")
    return Watch("shop", "prod", "shop", target, Slos(), ("api",), NOW, 100, beside=beside)


@pytest.mark.parametrize(
    ("name", "track"),
    [
        pytest.param("api-5d7f9c6b8-abcde", "stable", id="stable"),
        pytest.param("web-5d7f9c6b8-abcde", "stable", id="another component"),
        pytest.param("api-canary-5d7f9c6b8-abcde", "canary", id="canary"),
        pytest.param("api-worker-5d7f9c6b8-abcde", None, id="a name that begins alike"),
        pytest.param("my-api-5d7f9c6b8-abcde", None, id="a name that ends alike"),
        pytest.param("mysql-0", None, id="somebody else's"),
    ],
)
def test_pods_are_told_apart_by_their_names(name: str, track: str | None) -> None:
    assert PODS.track_of(name) == track


@pytest.mark.parametrize(
    ("beside", "names", "track"),
    [
        pytest.param(True, [], "stable", id="a canary that is still to come"),
        pytest.param(False, ["api-canary-1a-2b"], "stable", id="a canary with all the traffic"),
        pytest.param(False, ["api-1a-2b"], "canary", id="a rolling update in its place"),
    ],
)
def test_without_a_canary_the_new_release_has_the_old_ones_names(
    names: list[str], track: str, *, beside: bool
) -> None:
    assert Pods.of(watch(beside=beside), names).track_of("api-5d7f9c6b8-abcde") == track


@pytest.mark.parametrize(
    ("errors", "total", "kind"),
    [
        pytest.param('a{s="5"}', "a", Counted, id="counters"),
        pytest.param("sum(rate(b[$window]))", "sum(rate(a[$window]))", Counted, id="their rates"),
        pytest.param("sum by (x) (rate(b[$window]))", "a", Ratio, id="other PromQL"),
        pytest.param(r'a{s=~"\\pN+"}', "a", Ratio, id="an expression that only Go reads"),
    ],
)
def test_what_can_be_counted_on_the_pods_is(errors: str, total: str, kind: type) -> None:
    (question,) = questions(Slos(availability=Availability(99, errors, total)), "shop")
    assert type(question) is kind


def test_a_query_sees_one_releases_pods_in_its_own_namespace() -> None:
    (question,) = questions(Slos(availability=Availability(99, 'a{s="5"}', "sum(b) + a")), "shop")
    asked = sent(question, Pods.between("shop", ("api",)), "canary")
    queries = {key: promql_parser.parse(query).prettify() for key, query in asked}
    where = 'namespace="shop",pod=~"(?:api-canary)-[a-z0-9]+-[a-z0-9]+"'
    assert queries == {
        "total": promql_parser.parse(f"sum(b{{{where}}}) + a{{{where}}}").prettify(),
        "errors": promql_parser.parse(f'sum(increase(a{{{where},s="5"}}[30s]))').prettify(),
    }


def test_a_query_that_says_which_pods_is_left_as_it_is() -> None:
    asked = Availability(99, 'sum by (x) (a{p=~"$pods"})', 'sum by (x) (b{p=~"$pods"})')
    (question,) = questions(Slos(availability=asked), "shop")
    assert dict(sent(question, PODS, "stable"))["total"] == (
        'sum by (x) (b{p=~"(?:api|web)-[a-z0-9]+-[a-z0-9]+"})'
    )


def test_a_histogram_is_narrowed_by_its_selector() -> None:
    latency = Latency(95, timedelta(seconds=1), "took_seconds", selector='route="/a"')
    (question,) = questions(Slos(latency=latency), "shop")
    assert question == Histogram(
        "latency", 'took_seconds_bucket{route="/a"}', timedelta(seconds=1), compare=False
    )


def test_the_older_half_of_many_samples_is_added_up_by_the_minute() -> None:
    samples = [
        Sample(NOW + timedelta(seconds=second), "a", track, 50, 10.0, 1.0)
        for second in range(120)
        for track in ("canary", "stable")
    ]
    thinned = thin(samples, 100)
    assert thin(samples, 240) is samples
    assert len(thinned) == 2 + 120
    assert thinned[0] == Sample(NOW, "a", "canary", 50, 600.0, 60.0)
    assert sum(sample.total for sample in thinned) == 2400.0
