from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from tasks.core.application import Environment
from tasks.core.model import Release
from tasks.core.objects import Object, ref_of
from tasks.core.probes import Probe, ProbeJob, Via
from tasks.core.record import RolloutState
from tasks.core.strategy import Canary, Strategy, Testers
from tasks.rollout.model import Observed, Stored
from tasks.rollout.partition import Part
from tasks.rollout.probing import (
    let_in,
    probe_beside,
    probe_promoted,
    probe_route,
    probe_served,
    probe_share,
)
from tasks.rollout.steps import ProbeRelease
from tasks.rollout.traffic import set_traffic
from tasks.rollout.twins import Twins, plan_twins
from tests.unit.tasks.releases import RECORD
from tests.unit.tasks.rollout.shapes import backend, route, rule, service, tracked
from tests.unit.tasks.rollout.world import image, make_release

TESTERS = Testers()
NEW = {name: image(name, "b") for name in ("api", "proxy", "store", "web")}
PLACE = Environment(
    overlay="prod", namespace="shop", strategy=Strategy(canary=Canary(steps=(5, 100)))
)
API = Probe(path="/health", component="api")
WEB = replace(API, component="web")
VIA_SERVICE = replace(API, via="service")
PUBLIC = Probe(path="/")
JOB = Probe(job=ProbeJob(), component="api")


def release() -> Release:
    return make_release(images=tuple(NEW.values()))


def seen(*probes: Probe, replicas: int = 2, parts: tuple[Part, ...] = ()) -> Observed:
    """The api has a canary, with a proxy in its pods; the web does not change."""
    live, wanted = tracked("api", "api@1"), tracked("api", NEW["api"].reference)
    wanted["spec"]["template"]["spec"]["containers"].append(
        {"name": "proxy", "image": NEW["proxy"].reference}
    )
    live["spec"]["replicas"] = replicas
    twins = plan_twins((live,), (wanted,), release(), PLACE)
    return Observed(
        current=Stored(replace(RECORD, release=release(), state=RolloutState.STARTED)),
        previous=None,
        live={ref_of(live): live},
        leftovers=frozenset(),
        environment=replace(PLACE, probes=probes),
        environment_before=PLACE,
        twins=replace(twins, parts=parts),
    )


def told(steps: Iterator[ProbeRelease]) -> list[tuple[str, set[str] | None, set[Via]]]:
    return [
        (to.track, None if to.components is None else set(to.components), set(to.via))
        for to in (step.access for step in steps)
    ]


HAS_CANARY = {"api", "proxy"}
Moment = Callable[[Observed, str], Iterator[ProbeRelease]]


@pytest.mark.parametrize(
    ("moment", "probes", "expected"),
    [
        pytest.param(
            lambda now, since: probe_beside(now, since, TESTERS),
            (API, PUBLIC),
            [("canary", HAS_CANARY, {"pods", "service"})],
            id="beside: pods and their own Services",
        ),
        pytest.param(
            lambda now, since: probe_beside(now, since, None),
            (PUBLIC,),
            [("canary", HAS_CANARY, {"pods", "service", "route"})],
            id="beside, where no testers come in: the record is to say so",
        ),
        pytest.param(
            lambda now, since: probe_beside(now, since, TESTERS),
            (WEB, PUBLIC),
            [],
            id="beside: nothing of what has a canary is probed",
        ),
        pytest.param(
            lambda now, since: probe_route(now, since, TESTERS),
            (API, PUBLIC),
            [("canary", HAS_CANARY, {"route"})],
            id="the route, as testers see it",
        ),
        pytest.param(
            lambda now, since: probe_route(now, since, None),
            (API, PUBLIC),
            [],
            id="no route where no testers come in",
        ),
        pytest.param(
            probe_share,
            (API, VIA_SERVICE, PUBLIC),
            [("canary", HAS_CANARY, {"pods"})],
            id="a share: each pod",
        ),
        pytest.param(
            probe_promoted,
            (WEB, VIA_SERVICE),
            [("stable", None, {"pods"})],
            id="promoted: each stable pod, the unchanged too",
        ),
        pytest.param(probe_promoted, (VIA_SERVICE, JOB), [], id="promoted: Services wait"),
        pytest.param(
            probe_served,
            (JOB,),
            [("stable", None, {"service", "route"})],
            id="served: Services, Jobs and the route",
        ),
        pytest.param(probe_served, (API,), [], id="served: pods were asked before"),
    ],
)
def test_at_each_moment_those_are_asked_whom_nothing_but_the_release_can_answer_for(
    moment: Moment,
    probes: tuple[Probe, ...],
    expected: list[tuple[str, set[str] | None, set[Via]]],
) -> None:
    assert told(moment(seen(*probes), "mark")) == expected


def test_what_changes_in_place_is_asked_share_by_share() -> None:
    store = {**tracked("store", NEW["store"].reference), "kind": "StatefulSet"}
    now = seen(replace(API, component="store"), parts=(Part(store, "store"),))
    assert told(probe_share(now, "mark")) == [("stable", {"store"}, {"pods"})]


def test_a_component_that_is_switched_off_has_no_canary_to_be_asked() -> None:
    assert told(probe_beside(seen(API, replicas=0), "mark", TESTERS)) == []


def test_the_route_is_asked_with_what_leads_to_the_canary() -> None:
    (step,) = probe_route(seen(PUBLIC), "mark", Testers("X-New"))
    assert (step.access.testers, step.since) == (Testers("X-New"), "mark")


def routed(*objects: Object) -> tuple[Object, ...]:
    live = (tracked("api", "api@1"), service("api"), *objects)
    wanted = (tracked("api", NEW["api"].reference), *live[1:])
    return set_traffic(live, plan_twins(live, wanted, release(), PLACE), 0, TESTERS)


TAKEN = rule(backend("api"), matches=[{"headers": [{"name": "x-canary", "value": "me"}]}])


@pytest.mark.parametrize(
    ("objects", "url", "comes_in"),
    [
        pytest.param(
            routed(route(rule(backend("api")))), "https://shop.example.org/", True, id="in"
        ),
        pytest.param(
            routed(route(rule(backend("api")))), "https://other.org", False, id="elsewhere"
        ),
        pytest.param(routed(), "https://shop.example.org", False, id="a plain Service"),
        pytest.param(routed(route(TAKEN)), "https://shop.example.org", False, id="no room for it"),
        pytest.param(routed(route(rule(backend("api")))), None, False, id="no public address"),
    ],
)
def test_testers_come_in_where_a_rule_for_the_public_address_lets_them(
    objects: tuple[Object, ...],
    url: str | None,
    comes_in: bool,  # noqa: FBT001
) -> None:
    assert let_in(objects, TESTERS, url) == (TESTERS if comes_in else None)


@pytest.mark.parametrize(
    ("names", "comes_in"),
    [(["*.example.org"], True), (["*.other.org"], False), ([], True)],
    ids=["a name of many", "another name of many", "any name"],
)
def test_a_route_may_have_many_names_or_none(
    names: list[str],
    comes_in: bool,  # noqa: FBT001
) -> None:
    (_, thing) = routed(route(rule(backend("api"))))
    thing["spec"]["hostnames"] = names
    assert (let_in((thing,), TESTERS, "https://shop.example.org") is not None) is comes_in


def test_without_twins_nobody_is_asked_beside() -> None:
    now = replace(seen(API, PUBLIC), twins=Twins())
    assert told(probe_beside(now, "mark", None)) == []
    assert told(probe_share(now, "mark")) == []
