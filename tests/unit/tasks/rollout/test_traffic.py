import copy
import re
from collections.abc import Iterable
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.core.application import Environment
from tasks.core.cluster_fake import FakeCluster
from tasks.core.objects import Object, Ref, ref_of
from tasks.core.strategy import Canary, Strategy, Testers
from tasks.core.tracks import CANARY, STABLE, TRACK
from tasks.rollout.traffic import (
    Way,
    canary_replicas,
    is_routed,
    real_share,
    restore_traffic,
    set_traffic,
    way_of,
    why_no_testers,
)
from tasks.rollout.twins import Twins, plan_twins
from tests.unit.tasks.rollout.shapes import backend, route, rule, service, tracked
from tests.unit.tasks.rollout.world import image, make_release

NAMES = ("api", "web")
NEW = {name: image(name, "b").reference for name in (*NAMES, "jobs")}
TESTERS = Testers(cookie="canary.v1")
HEADER = {"type": "Exact", "name": "X-Canary", "value": "always"}
ROUTE = route(
    rule(backend("web", 1), matches=[{"path": {"type": "PathPrefix", "value": "/"}}]),
    rule(backend("api", 3), backend("other", 1), matches=[{"path": {"value": "/api"}}]),
    rule(backend("other", 1)),
)


def twins_for(*routes: Object, names: Iterable[str] = NAMES) -> Twins:
    release = make_release(images=tuple(image(name, "b") for name in NEW))
    environment = Environment(
        overlay="prod", namespace="shop", strategy=Strategy(canary=Canary(steps=(50,)))
    )
    rest = (*(service(name) for name in NAMES), *routes)
    before = (*(tracked(name, "x@y") for name in names), *rest)
    wanted = (*(tracked(name, NEW[name]) for name in names), *rest)
    return plan_twins(before, wanted, release, environment)


def selectors(things: Iterable[Object]) -> dict[str, Object]:
    return {
        thing["metadata"]["name"]: thing["spec"]["selector"]
        for thing in things
        if thing["kind"] == "Service"
    }


def rules(things: Iterable[Object]) -> list[Object]:
    return [
        each for thing in things if thing["kind"] == "HTTPRoute" for each in thing["spec"]["rules"]
    ]


def weights(one: Object) -> dict[str, int]:
    return {each["name"]: each["weight"] for each in one["backendRefs"]}


@pytest.mark.parametrize(
    ("share", "track"),
    [
        pytest.param(0, {TRACK: STABLE}, id="nothing for the canary at 0"),
        pytest.param(1, {}, id="both tracks between 0 and 100, at the least"),
        pytest.param(99, {}, id="both tracks between 0 and 100, at the most"),
        pytest.param(100, {TRACK: CANARY}, id="everything for the canary at 100"),
    ],
)
def test_a_plain_service_chooses_among_the_tracks(share: int, track: Object) -> None:
    base = (service("api"), service("other"), tracked("api", "x@y"))
    applied = set_traffic(base, twins_for(), share, TESTERS)
    assert selectors(applied) == {"api": {"app": "api", **track}}
    assert len(applied) == 1
    assert selectors(restore_traffic(applied, twins_for())) == {"api": {"app": "api"}}


@pytest.mark.parametrize("share", [0, 10, 100])
def test_a_routed_service_is_left_to_the_stable_pods_and_the_routes_decide(share: int) -> None:
    twins = twins_for(ROUTE)
    base = (service("api"), service("web"), service("other"), ROUTE)
    applied = set_traffic(base, twins, share, None)
    assert selectors(applied) == {name: {"app": name, TRACK: STABLE} for name in NAMES}
    assert [weights(each) for each in rules(applied)] == [
        {"web": 100 - share, "web-canary": share},
        {"api": 3 * (100 - share), "api-canary": 3 * share, "other": 100},
        {"other": 1},
    ]


def test_the_services_of_the_canary_itself_are_left_alone() -> None:
    twins = twins_for(ROUTE)
    assert set(selectors(set_traffic((*twins.companions, service("api")), twins, 5, None))) == {
        "api"
    }


def test_what_a_rule_and_its_backends_say_beside_weights_is_said_for_the_canary_too() -> None:
    added = {"type": "RequestHeaderModifier", "requestHeaderModifier": {"remove": ["x"]}}
    full = rule(backend("api", filters=[added]), filters=[added], timeouts={"request": "3s"})
    (made,) = rules(set_traffic((route(full),), twins_for(route(full)), 20, None))
    assert made == {
        **full,
        "backendRefs": [
            {"name": "api", "port": 80, "weight": 80, "filters": [added]},
            {"name": "api-canary", "port": 80, "weight": 20, "filters": [added]},
        ],
    }


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(backend("api", 1, namespace="elsewhere"), id="another namespace"),
        pytest.param(backend("api", 1, kind="Bucket"), id="another kind"),
        pytest.param(backend("api", 1, group="net.example.org"), id="another group"),
    ],
)
def test_a_backend_that_only_shares_the_name_keeps_its_share(other: Object) -> None:
    both = route(rule(backend("api", 1), other))
    (made,) = rules(set_traffic((both,), twins_for(both), 20, None))
    assert [each["weight"] for each in made["backendRefs"]] == [80, 20, 100]
    alone = route(rule(other))
    assert set_traffic((alone,), twins_for(both), 20, None) == ()


def test_a_backend_that_names_its_own_namespace_is_split_within_it() -> None:
    named = route(rule(backend("api", 1, namespace="shop", group="", kind="Service")))
    (made,) = rules(set_traffic((named,), twins_for(named), 20, None))
    assert weights(made) == {"api": 80, "api-canary": 20}
    assert {each["namespace"] for each in made["backendRefs"]} == {"shop"}


def test_a_rule_that_redirects_and_sends_nowhere_stays_as_it_is() -> None:
    redirect = {"filters": [{"type": "RequestRedirect", "requestRedirect": {"port": 443}}]}
    mixed = route(redirect, rule(backend("api", 1)))
    made = rules(set_traffic((mixed,), twins_for(mixed), 20, TESTERS))
    assert made[0] == redirect


def test_testers_come_in_by_header_and_by_cookie_through_rules_of_their_own_in_front() -> None:
    path = {"path": {"type": "PathPrefix", "value": "/api"}, "method": "GET"}
    one = route(rule(backend("api", 3), backend("other", 1), matches=[path], name="api"))
    header, cookie, shared = rules(set_traffic((one,), twins_for(one), 0, TESTERS))
    assert header == rule(backend("api-canary", 3), matches=[{**path, "headers": [HEADER]}])
    assert cookie["matches"][0]["headers"][0]["name"] == "Cookie"
    assert cookie["backendRefs"] == header["backendRefs"]
    assert weights(shared) == {"api": 300, "api-canary": 0, "other": 100}
    assert shared["name"] == "api"


def test_a_rule_without_matches_has_one_for_everything_that_testers_send() -> None:
    one = route(rule(backend("api")))
    header, _ = rules(set_traffic((one,), twins_for(one), 0, Testers()))
    everything = {"path": {"type": "PathPrefix", "value": "/"}}
    assert header["matches"] == [{**everything, "headers": [HEADER]}]


@pytest.mark.parametrize(
    "one",
    [
        pytest.param(
            rule(backend("api", 0), backend("other", 1)), id="nothing goes to the Service"
        ),
        pytest.param(
            rule(backend("api"), matches=[{"headers": [{"name": "x-canary", "value": "no"}]}]),
            id="the rule looks at the testers' header itself",
        ),
    ],
)
def test_a_rule_gets_no_testers_where(one: Object) -> None:
    made = rules(set_traffic((route(one),), twins_for(route(one)), 0, Testers()))
    assert len(made) == 1


@pytest.mark.parametrize(
    ("cookies", "is_tester"),
    [
        pytest.param("canary.v1=always", True, id="alone"),
        pytest.param("a=b; canary.v1=always", True, id="last"),
        pytest.param("canary.v1=always; a=b", True, id="first"),
        pytest.param("a=b;canary.v1=always;c=d", True, id="without spaces"),
        pytest.param("canary.v1=never", False, id="another value"),
        pytest.param("canary.v1=always2", False, id="a longer value"),
        pytest.param("xcanary.v1=always", False, id="a longer name"),
        pytest.param("canary_v1=always", False, id="a name with another sign"),
        pytest.param("a=canary.v1=always", False, id="a value that looks like it"),
    ],
)
@pytest.mark.parametrize("engine", [re.fullmatch, re.search])
def test_the_cookie_is_told_from_others(cookies: str, is_tester: bool, engine: object) -> None:  # noqa: FBT001 a case
    one = route(rule(backend("api")))
    _, cookie, _ = rules(set_traffic((one,), twins_for(one), 0, TESTERS))
    pattern = cookie["matches"][0]["headers"][0]["value"]
    assert callable(engine)
    assert bool(engine(pattern, cookies)) is is_tester


MATCH = {"path": {"value": "/"}}
LIMITS = [
    pytest.param(6, [MATCH], "18 rules would be needed, 16 are allowed", id="rules"),
    pytest.param(1, [MATCH] * 43, "129 matches would be needed, 128 are allowed", id="matches"),
    pytest.param(
        1,
        [{"headers": [{"name": str(number), "value": "x"} for number in range(16)]}],
        "17 headers in a match would be needed",
        id="headers",
    ),
]


@pytest.mark.parametrize(("count", "matches", "words"), LIMITS)
def test_a_route_without_room_for_testers_shares_all_the_same(
    count: int, matches: list[Object], words: str
) -> None:
    full = route(*[rule(backend("api"), matches=matches)] * count)
    twins = twins_for(full)
    made = rules(set_traffic((full,), twins, 10, TESTERS))
    assert [weights(each) for each in made] == [{"api": 90, "api-canary": 10}] * count
    told = why_no_testers((full,), twins, TESTERS) or ""
    assert "HTTPRoute/shop lets no testers in" in told
    assert words in told


def test_nothing_is_said_about_testers_where_there_is_room() -> None:
    assert why_no_testers((ROUTE, service("api")), twins_for(ROUTE), TESTERS) is None


def test_weights_that_somebody_changed_meanwhile_keep_their_sum() -> None:
    twins = twins_for(ROUTE)
    applied = set_traffic((ROUTE,), twins, 50, None)
    rules(applied)[0]["backendRefs"][0]["weight"] = 33
    (again, _, _) = rules(set_traffic(applied, twins, 50, None))
    assert weights(again) == {"web": 83 * 50, "web-canary": 83 * 50}


def test_what_others_have_set_on_live_objects_is_neither_lost_nor_taken_over() -> None:
    cluster, twins = FakeCluster(), twins_for(ROUTE)
    cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}})
    for thing in (service("api"), ROUTE):
        cluster.apply(thing)
    live = cluster.read(ref_of(service("api")))
    assert live is not None
    live["spec"]["clusterIP"] = "10.0.0.1"
    live["metadata"]["annotations"] = {"someone": "else"}
    cluster.change(live, "kube-apiserver")

    for share in (0, 30, 100):
        for thing in set_traffic(cluster.objects.values(), twins, share, TESTERS):
            assert cluster.apply(thing).conflicts == ()
            assert "someone" not in str(thing)
            assert "clusterIP" not in thing["spec"]
    for thing in restore_traffic(cluster.objects.values(), twins):
        cluster.apply(thing)

    left = cluster.objects[ref_of(live)]
    assert left["spec"] == {**service("api")["spec"], "clusterIP": "10.0.0.1"}
    assert left["metadata"]["annotations"] == {"someone": "else"}
    assert cluster.objects[ref_of(ROUTE)]["spec"] == ROUTE["spec"]


def test_a_rule_that_somebody_added_to_a_live_route_is_kept() -> None:
    cluster, twins = FakeCluster(), twins_for(ROUTE)
    cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}})
    cluster.apply(ROUTE)
    live = copy.deepcopy(cluster.objects[ref_of(ROUTE)])
    live["spec"]["rules"].append(rule(backend("theirs", 7)))
    cluster.change(live, "kubectl-edit")
    made = rules(set_traffic(cluster.objects.values(), twins, 10, None))
    assert made[-1] == rule(backend("theirs", 7))
    assert weights(made[0]) == {"web": 90, "web-canary": 10}


def test_what_decides_about_a_twin() -> None:
    base = (service("api"), service("web"), route(rule(backend("web"))))
    twins = twins_for(base[2], names=("api", "web", "jobs"))
    ways = {twin.stable.name: way_of(twin, base, twins) for twin in twins.workloads}
    assert ways == {"api": Way.SERVICE, "jobs": Way.PODS, "web": Way.ROUTE}
    assert [is_routed(each, base) for each in base[:2]] == [False, True]


@pytest.mark.parametrize(
    ("way", "stable", "share", "replicas", "real"),
    [
        pytest.param(Way.ROUTE, 10, 0, 1, 0, id="routes: one pod for testers"),
        pytest.param(Way.ROUTE, 10, 1, 2, 1, id="routes: two pods for users"),
        pytest.param(Way.ROUTE, 1, 50, 1, 50, id="routes: no more than the stable ones"),
        pytest.param(Way.ROUTE, 10, 25, 3, 25, id="routes: the share of the pods, rounded up"),
        pytest.param(Way.ROUTE, 10, 100, 10, 100, id="routes: as many as the stable ones at 100"),
        pytest.param(Way.SERVICE, 10, 0, 1, 0, id="a Service: one pod for probes"),
        pytest.param(Way.SERVICE, 3, 5, 1, 25, id="a Service: one pod is the least"),
        pytest.param(
            Way.SERVICE, 3, 50, 3, 50, id="a Service: as many as the stable ones for half"
        ),
        pytest.param(Way.SERVICE, 9, 10, 1, 10, id="a Service: exact where the pods allow it"),
        pytest.param(Way.SERVICE, 2, 60, 3, 60, id="a Service: more pods than the stable ones"),
        pytest.param(Way.SERVICE, 2, 99, 6, 75, id="a Service: three for each stable one at most"),
        pytest.param(Way.SERVICE, 3, 100, 3, 100, id="a Service: at 100 the canary's pods only"),
        pytest.param(Way.PODS, 3, 0, 1, 25, id="workers: who runs takes work"),
        pytest.param(Way.PODS, 3, 100, 3, 50, id="workers: the stable ones go on working at 100"),
        pytest.param(Way.SERVICE, 0, 50, 0, 0, id="nothing beside what is switched off"),
        pytest.param(Way.PODS, 0, 100, 0, 0, id="no workers beside none"),
    ],
)
def test_pods_and_shares(way: Way, stable: int, share: int, replicas: int, real: float) -> None:
    assert canary_replicas(stable, share, way) == replicas
    assert real_share(stable, replicas, share, way) == real


@st.composite
def routes(draw: st.DrawFn) -> Object:
    backends = st.builds(
        backend,
        st.sampled_from(("api", "web", "other")),
        st.integers(0, 10_000),
        port=st.integers(1, 65535),
    )
    match = st.fixed_dictionaries({"path": st.fixed_dictionaries({"value": st.just("/")})})
    made = st.builds(
        lambda targets, matches: rule(*targets, matches=matches),
        st.lists(backends, max_size=8),
        st.lists(match, min_size=1, max_size=3),
    )
    return route(*draw(st.lists(made, min_size=1, max_size=8)))


SHARES = st.integers(0, 100)
WHO = st.sampled_from((None, Testers(), TESTERS))
BASE = (service("api"), service("web"))


@given(routes(), SHARES, SHARES, WHO, WHO)
def test_only_the_newest_share_counts(
    one: Object, first: int, second: int, who: Testers | None, then: Testers | None
) -> None:
    twins, base = twins_for(one), (*BASE, one)
    earlier = set_traffic(base, twins, first, who)
    assert set_traffic(earlier, twins, second, then) == set_traffic(
        _those_of(earlier, base), twins, second, then
    )


@given(routes(), SHARES, WHO)
def test_what_is_restored_is_what_was_there(one: Object, share: int, who: Testers | None) -> None:
    twins, base = twins_for(one), (*BASE, one)
    before = copy.deepcopy(base)
    shared = set_traffic(base, twins, share, who)
    assert restore_traffic(shared, twins) == _those_of(shared, base)
    assert base == before


@given(routes(), SHARES)
def test_a_split_keeps_the_ratios_between_services_and_gives_the_canary_its_share(
    one: Object, share: int
) -> None:
    twins = twins_for(one)
    made = rules(set_traffic((one,), twins, share, None)) or rules((one,))
    for was, now in zip(rules((one,)), made, strict=True):
        total = sum(each["weight"] for each in was["backendRefs"])
        split = sum(each["weight"] for each in now["backendRefs"])
        for name in ("api", "web", "other"):
            before, stable, canary = (
                sum(each["weight"] for each in side["backendRefs"] if each["name"] == part)
                for side, part in ((was, name), (now, name), (now, f"{name}-canary"))
            )
            if total:
                assert Fraction(stable + canary, split) == Fraction(before, total)
            assert (stable + canary) * share == canary * 100 or name == "other"


def _those_of(things: Iterable[Object], base: Iterable[Object]) -> tuple[Object, ...]:
    """Return the base of what was applied, in the order in which it was."""
    originals: dict[Ref, Object] = {ref_of(thing): thing for thing in base}
    return tuple(originals[ref_of(thing)] for thing in things)
