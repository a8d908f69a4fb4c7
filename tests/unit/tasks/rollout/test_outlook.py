from dataclasses import replace

import pytest

from tasks.core.application import Environment
from tasks.core.objects import Object, ref_of
from tasks.core.strategy import Canary, CanaryStep, Rolling, Strategy, Testers
from tasks.core.target import Target
from tasks.core.tracks import STABLE, TRACK
from tasks.rollout.footprint import added
from tasks.rollout.model import Place
from tasks.rollout.outlook import Outlook, look_ahead
from tests.unit.tasks.rollout.shapes import backend, route, rule, service, tracked
from tests.unit.tasks.rollout.world import image, make_release

CANARY = Strategy(canary=Canary(steps=(CanaryStep(5, gate=True), 50)))
NEW = {name: image(name, "b") for name in ("api", "store")}


def ahead(*rest: Object, strategy: Strategy = CANARY, replicas: int = 3) -> Outlook:
    def objects(make: str) -> tuple[Object, ...]:
        reference = {name: each.reference if make else "x@y" for name, each in NEW.items()}
        api = tracked("api", reference["api"])
        api["spec"]["replicas"] = replicas
        store = [
            {**tracked("store", reference["store"]), "kind": "StatefulSet"}
            for each in rest
            if each["kind"] == "StatefulSet"
        ]
        return (api, *store, *(each for each in rest if each["kind"] != "StatefulSet"))

    environment = Environment(overlay="prod", namespace="shop", strategy=strategy)
    place = Place("shop", "prod", environment, Target("kubeconfig", "ctx", "r", "b", "d"))
    release = make_release(images=tuple(NEW.values()))
    return look_ahead(objects(""), objects("new"), release, place)


STEPS = "5 % and a person's yes, 50 %, 100 %"


@pytest.mark.parametrize(
    ("outlook", "how"),
    [
        pytest.param(ahead(), f"canary beside api: {STEPS} of the traffic", id="beside"),
        pytest.param(
            ahead({"kind": "StatefulSet"}),
            f"canary beside api and store in place: {STEPS} of the traffic",
            id="beside and in place",
        ),
        pytest.param(
            ahead(strategy=Strategy(rolling=Rolling())), "rolling update in place", id="rolling"
        ),
    ],
)
def test_a_plan_says_how_a_release_comes_in(outlook: Outlook, how: str) -> None:
    assert outlook.how.startswith(how)


@pytest.mark.parametrize(
    ("outlook", "shares"),
    [
        pytest.param(ahead(service("api")), "25 %, 50 %, 100 %", id="a plain Service"),
        pytest.param(ahead(), "25 %, 50 %, 50 %", id="workers without a Service"),
    ],
)
def test_a_plan_says_which_shares_whole_pods_really_give(outlook: Outlook, shares: str) -> None:
    (said,) = outlook.warnings()
    assert said.startswith("api gets its share by the count of its pods")
    assert f": {shares} of its requests beside 3 stable pods" in said


@pytest.mark.parametrize(
    "outlook",
    [
        pytest.param(ahead(service("api"), route(rule(backend("api")))), id="a route has weights"),
        pytest.param(ahead(service("api"), replicas=19), id="the pods give it exactly"),
        pytest.param(ahead(service("api"), replicas=0), id="it is switched off"),
    ],
)
def test_nothing_is_said_of_shares_where(outlook: Outlook) -> None:
    assert list(outlook.warnings()) == []


def api(make: str, replicas: int = 4, surge: int = 1) -> Object:
    made = tracked("api", NEW["api"].reference if make else "x@y")
    made["spec"] |= {"replicas": replicas, "strategy": {"rollingUpdate": {"maxSurge": surge}}}
    return made


def ladder(*steps: int, standby: bool = True) -> Strategy:
    return Strategy(canary=Canary(steps=steps, standby=standby))


@pytest.mark.parametrize(
    ("outlook", "wanted", "pods"),
    [
        pytest.param(
            ahead(service("api"), strategy=ladder(25, 100), replicas=4),
            api("new"),
            5,
            id="all of the canary beside stable pods that change",
        ),
        pytest.param(
            ahead(service("api"), strategy=ladder(75, 100), replicas=4),
            api("new"),
            12,
            id="a share by the count of pods takes more",
        ),
        pytest.param(
            ahead(service("api"), strategy=ladder(100, standby=False), replicas=4),
            api("new"),
            4,
            id="none of the stable pods that rest is replaced",
        ),
        pytest.param(
            ahead(service("api"), strategy=ladder(100, standby=False), replicas=4),
            api("new", replicas=6),
            6,
            id="they may come back as more",
        ),
        pytest.param(
            ahead(service("api"), strategy=Strategy(rolling=Rolling()), replicas=4),
            api("new"),
            1,
            id="in place",
        ),
    ],
)
def test_what_runs_together_is_what_there_has_to_be_room_for(
    outlook: Outlook, wanted: Object, pods: int
) -> None:
    assert added(each.amounts for each in outlook.needs(wanted, api("")))["pods"] == pods


def test_a_canary_needs_room_for_its_own_objects() -> None:
    outlook = ahead(service("api"), route(rule(backend("api"))))
    needs = [*outlook.needs(api("new"), api("")), *outlook.companions()]
    counts = added(each.amounts for each in needs if each.pod is None)
    assert counts["count/deployments.apps"] == 1
    assert counts["count/replicasets.apps"] == 2
    assert counts["services"] == 1


def test_without_standby_a_plan_says_what_a_rollback_costs() -> None:
    outlook = ahead(service("api"), strategy=ladder(100, standby=False), replicas=4)
    (said,) = outlook.warnings()
    assert said == (
        "standby is off: during the bake the stable pods (4 of api) are scaled down, and a "
        "rollback has to start them again: up to 10m in which the new release goes on answering; "
        "before and after the bake both have all their pods"
    )


def test_how_many_pods_there_are_an_autoscaler_may_have_said() -> None:
    live = api("", replicas=19)
    outlook = replace(ahead(service("api")), live={ref_of(live): live})
    assert list(outlook.warnings()) == []


NODES = [
    {"metadata": {"name": name}, "status": {"conditions": [{"type": "Ready", "status": "True"}]}}
    for name in ("one", "two", "three")
]


def alone(thing: Object, **labels: str) -> Object:
    """Let a workload's pods refuse the company of their like."""
    wish = {"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": labels}}
    away = {"requiredDuringSchedulingIgnoredDuringExecution": [wish]}
    thing["spec"]["template"]["spec"]["affinity"] = {"podAntiAffinity": away}
    return thing


IN_PLACE = Strategy(rolling=Rolling())


@pytest.mark.parametrize(
    ("strategy", "wanted", "live", "together"),
    [
        pytest.param(
            CANARY,
            alone(api("new", 2, 0), app="api"),
            api("", 2),
            4,
            id="the canary refuses the stable pods",
        ),
        pytest.param(
            CANARY,
            alone(api("new", 3, 1), app="api", **{TRACK: STABLE}),
            api("", 3),
            4,
            id="it does not mind them: the surge alone",
        ),
        pytest.param(IN_PLACE, alone(api("new", 4), app="api"), None, 4, id="a first rollout"),
        pytest.param(
            IN_PLACE, alone(api("new", 3), app="web"), api("", 3), None, id="they do not mind"
        ),
        pytest.param(
            IN_PLACE,
            alone(api("new", 4), app="api"),
            alone(api("new", 4), app="api"),
            None,
            id="nothing changes",
        ),
    ],
)
def test_pods_that_refuse_to_share_a_node_are_counted_together(
    strategy: Strategy, wanted: Object, live: Object | None, together: int | None
) -> None:
    said = ahead(service("api"), strategy=strategy).crowding(wanted, live, NODES)
    assert (said is None) if together is None else f"{together} run together" in str(said)


def test_testers_come_in_to_every_component_alike_and_a_plan_says_whose_word_counts() -> None:
    outlook = replace(ahead(service("api"), replicas=19), overruled=(Testers(header="X-Mine"),))
    assert list(outlook.warnings()) == [
        "testers come in by X-Canary to every component; X-Mine does not count"
    ]
