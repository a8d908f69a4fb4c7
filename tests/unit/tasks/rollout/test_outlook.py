import pytest

from tasks.core.application import Environment
from tasks.core.model import Target
from tasks.core.objects import Object
from tasks.core.strategy import Canary, CanaryStep, Rolling, Strategy
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
