from dataclasses import replace
from datetime import UTC, datetime, timedelta

import promql_parser
import pytest

from tasks.analysis.questions import (
    Counted,
    Histogram,
    Pods,
    Ratio,
    indicators,
    questions,
    sent,
)
from tasks.core.slos import Availability, Latency, Slos
from tasks.core.target import Target
from tasks.core.watching import Watch

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
PODS = Pods.between("shop", ("api", "web"))


def watch(*, in_place: bool) -> Watch:
    target, names = (
        Target("kubeconfig", "ctx", "r", "b", "d"),
        ("api", "store", "store-log", "agent"),
    )
    alone = Watch("shop", "prod", "shop", target, Slos(), names, NOW, 100, beside=False)
    return replace(alone, in_place=in_place)


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
    ("name", "place"),
    [
        pytest.param("api-5d7f9c6b8-x7vzk", ("canary", "api"), id="of a Deployment"),
        pytest.param("store-0", ("canary", "store"), id="of a StatefulSet"),
        pytest.param("agent-x7vzk", ("canary", "agent"), id="of a DaemonSet"),
        pytest.param("store-log-0", ("canary", "store-log"), id="a name that begins alike"),
        pytest.param("api-worker-0", None, id="a StatefulSet of somebody else"),
        pytest.param("api-worker-5d7f9c6b8-x7vzk", None, id="a Deployment of somebody else"),
    ],
)
def test_in_place_the_workloads_own_pods_are_the_new_releases(
    name: str, place: tuple[str, str] | None
) -> None:
    assert Pods.of(watch(in_place=True)).place_of(name) == place


def test_beside_each_other_a_pod_is_told_by_release_and_component() -> None:
    pods = Pods.of(watch(in_place=False))
    assert pods.place_of("api-canary-5d7f9c6b8-x7vzk") == ("canary", "api")
    assert pods.place_of("store-log-5d7f9c6b8-x7vzk") == ("stable", "store-log")


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
    pods = Pods.between("shop", ("api",))
    asked = sent(question, pods, pods.canary)
    queries = {key: promql_parser.parse(query).prettify() for key, query in asked}
    where = 'namespace="shop",pod=~"(?:api-canary)-[a-z0-9]+-[a-z0-9]+"'
    assert queries == {
        "total": promql_parser.parse(f"sum(b{{{where}}}) + a{{{where}}}").prettify(),
        "errors": promql_parser.parse(f'sum(increase(a{{{where},s="5"}}[30s]))').prettify(),
    }


def test_a_query_that_says_which_pods_is_left_as_it_is() -> None:
    asked = Availability(99, 'sum by (x) (a{p=~"$pods"})', 'sum by (x) (b{p=~"$pods"})')
    (question,) = questions(Slos(availability=asked), "shop")
    assert dict(sent(question, PODS, PODS.stable))["total"] == (
        'sum by (x) (b{p=~"(?:api|web)-[a-z0-9]+-[a-z0-9]+"})'
    )


def test_a_histogram_is_narrowed_by_its_selector() -> None:
    latency = Latency(95, timedelta(seconds=1), "took_seconds", selector='route="/a"')
    (question,) = questions(Slos(latency=latency), "shop")
    assert question == Histogram(
        "latency", 'took_seconds_bucket{route="/a"}', timedelta(seconds=1), compare=False
    )


def test_a_verdict_shows_the_queries_of_both_releases() -> None:
    slos = Slos(availability=Availability(99, 'a{s="5"}', "a"))
    (indicator,) = indicators(slos, questions(slos, "shop"), PODS, ())
    assert [line.partition(": ")[0] for line in indicator.shown] == [
        "total, canary", "errors, canary", "total, stable", "errors, stable",
    ]  # fmt: skip
    assert 'pod=~"(?:api-canary|web-canary)-' in indicator.shown[0]
    assert 'pod=~"(?:api|web)-' in indicator.shown[2]
