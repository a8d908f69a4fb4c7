import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.core.application import Environment
from tasks.core.objects import Object, ref_of
from tasks.core.references import references
from tasks.core.strategy import Canary, Rolling, Strategy
from tasks.core.tracks import CANARY, TRACK, canary_name
from tasks.rollout.components import component_of
from tasks.rollout.reach import labels_of, selects
from tasks.rollout.twins import Twins, plan_twins, why_rolling
from tests.unit.tasks.rollout.shapes import backend, placed, route, rule, service, tracked
from tests.unit.tasks.rollout.world import config_map, image, make_release

CANARIES = Strategy(canary=Canary(steps=(50,)))
NEW = {name: image(name, "b").reference for name in ("api", "web", "jobs")}
RELEASE = make_release(images=tuple(image(name, "b") for name in NEW))
ENVIRONMENT = Environment(overlay="prod", namespace="shop", strategy=CANARIES)

Objects = tuple[Object, ...]


def old(name: str, *, config: str = "") -> Object:
    return tracked(name, "registry/old@sha256:0", config=config)


def new(name: str, *, config: str = "") -> Object:
    return tracked(name, NEW[name], config=config)


def twins_of(before: Objects, wanted: Objects, environment: Environment = ENVIRONMENT) -> Twins:
    return plan_twins(before, wanted, RELEASE, environment)


def reason(before: Objects, wanted: Objects, environment: Environment = ENVIRONMENT) -> str | None:
    return why_rolling(before, wanted, RELEASE, environment)


def twinned(twins: Twins) -> list[str]:
    return [twin.canary["metadata"]["name"] for twin in twins.workloads]


def companions(twins: Twins) -> list[str]:
    return [str(ref_of(thing)) for thing in twins.companions]


def test_a_changed_deployment_gets_a_twin_that_selects_its_own_pods_only() -> None:
    (twin,) = twins_of((old("api"),), (new("api"),)).workloads
    assert str(twin.stable) == "Deployment/api"
    assert twin.component == "api"
    assert twin.canary["metadata"]["name"] == "api-canary"
    assert twin.canary["metadata"]["labels"] == {TRACK: CANARY}
    assert twin.canary["spec"]["selector"] == {"matchLabels": {"app": "api", TRACK: CANARY}}
    assert labels_of(twin.canary) == {"app": "api", TRACK: CANARY}
    assert "replicas" not in twin.canary["spec"]


def test_planning_changes_nothing_of_what_it_is_given() -> None:
    before, wanted = (old("api", config="settings"),), (new("api", config="settings"),)
    twins_of((*before, config_map("settings", a="1")), (*wanted, config_map("settings", a="2")))
    assert wanted == (new("api", config="settings"),)


def test_conditions_of_a_selector_are_kept() -> None:
    condition = {"key": "tier", "operator": "Exists"}
    stable = new("api")
    stable["spec"]["selector"] = {"matchExpressions": [condition]}
    (twin,) = twins_of((old("api"),), (stable,)).workloads
    wanted = {"matchExpressions": [condition], "matchLabels": {TRACK: CANARY}}
    assert twin.canary["spec"]["selector"] == wanted


UNTRACKED = placed(old("api"))
UNTRACKED["spec"]["template"]["metadata"] = {"labels": {"app": "api"}}
RECREATED = new("api")
RECREATED["spec"]["strategy"] = {"type": "Recreate"}
LABELLED = new("api")
LABELLED["spec"]["template"]["metadata"]["labels"]["app"] = "api2"
FOREIGN = tracked("cache", "redis@sha256:1")
SET = {**new("api"), "kind": "StatefulSet", "metadata": {"name": "db", "namespace": "shop"}}
ROLLING_WEB = Environment(
    overlay="prod",
    namespace="shop",
    strategy=CANARIES,
    strategies={"web": Strategy(rolling=Rolling())},
)
ROLLING = Environment(overlay="prod", namespace="shop", strategy=Strategy(rolling=Rolling()))
SPLIT = route(rule(backend("api", 20_000)))
WIDE = route(rule(*[backend("api")] * 9))


@pytest.mark.parametrize(
    ("before", "wanted", "names"),
    [
        pytest.param((), (new("api"),), [], id="nothing at a first rollout"),
        pytest.param((old("api"),), (old("api"),), [], id="nothing where nothing changes"),
        pytest.param((old("web"),), (old("web"), new("api")), [], id="not what is new"),
        pytest.param((old("web"), old("api")), (old("web"),), [], id="not what goes away"),
        pytest.param(
            (old("api"), old("web")), (new("api"), new("web")), ["api", "web"], id="all that change"
        ),
        pytest.param((old("api"), old("web")), (new("api"), old("web")), ["api"], id="only those"),
        pytest.param(
            (old("cache"), FOREIGN), (old("cache"), FOREIGN), [], id="not what runs others' images"
        ),
        pytest.param((UNTRACKED,), (new("api"),), [], id="not beside pods without a track"),
        pytest.param((old("api"),), (RECREATED,), [], id="not what may not run twice"),
        pytest.param(
            (old("jobs"),), (new("jobs"),), ["jobs"], id="workers without any Service too"
        ),
    ],
)
def test_what_is_twinned(before: Objects, wanted: Objects, names: list[str]) -> None:
    assert twinned(twins_of(before, wanted)) == [f"{name}-canary" for name in names]


def test_a_component_whose_own_strategy_is_rolling_is_not_twinned() -> None:
    before, wanted = (old("api"), old("web")), (new("api"), new("web"))
    assert twinned(twins_of(before, wanted, ROLLING_WEB)) == ["api-canary"]
    assert reason(before, wanted, ROLLING_WEB) is None


TOGETHER = service("all", selector={"part": "shop"})


def together(thing: Object) -> Object:
    thing["spec"]["template"]["metadata"]["labels"]["part"] = "shop"
    return thing


def test_what_is_behind_the_same_service_is_twinned_with_what_changes() -> None:
    same_web = together(tracked("web", NEW["web"]))
    before = (together(old("api")), same_web, TOGETHER)
    wanted = (together(new("api")), same_web, TOGETHER)
    assert twinned(twins_of(before, wanted)) == ["api-canary", "web-canary"]


def test_services_hold_together_what_they_share_over_several_corners() -> None:
    chain = [together(tracked(name, NEW[name])) for name in ("web", "jobs")]
    chain[1]["spec"]["template"]["metadata"]["labels"]["app"] = "api"
    before = (old("api"), *chain, TOGETHER, service("api"))
    wanted = (new("api"), *chain, TOGETHER, service("api"))
    names = ["api-canary", "jobs-canary", "web-canary"]
    assert twinned(twins_of(before, wanted)) == names


@pytest.mark.parametrize(
    ("before", "wanted", "words"),
    [
        pytest.param((), (new("api"),), "first rollout", id="a first rollout"),
        pytest.param((UNTRACKED,), (new("api"),), "did not label its pods", id="older pods"),
        pytest.param((old("api"),), (RECREATED,), "two versions", id="a strategy Recreate"),
        pytest.param(
            (old("api"), old("web"), tracked("api-canary", "x@y")),
            (new("api"), old("web"), tracked("api-canary", "x@y")),
            "doubled as api-canary",
            id="a name that is taken",
        ),
        pytest.param(
            (old("api"), SET, service("api")),
            (new("api"), SET, service("api")),
            "StatefulSet/db is behind the same Service and no Deployment",
            id="a StatefulSet behind the same Service",
        ),
        pytest.param(
            (old("api"), service("api")),
            (LABELLED, service("api", selector={"app": "api2"})),
            "Service/api does not send to the pods of both releases",
            id="pods that the live Service would not know",
        ),
        pytest.param(
            (old("api"), service("api"), SPLIT),
            (new("api"), service("api"), SPLIT),
            "HTTPRoute/shop has a weight above 10000",
            id="weights that leave no room for percents",
        ),
        pytest.param(
            (old("api"), service("api"), WIDE),
            (new("api"), service("api"), WIDE),
            "HTTPRoute/shop has a rule with 9 backendRefs",
            id="backends that leave no room for as many more",
        ),
    ],
)
def test_why_something_is_rolled_out_in_place(before: Objects, wanted: Objects, words: str) -> None:
    assert twins_of(before, wanted) == Twins()
    assert words in (reason(before, wanted) or "")


@pytest.mark.parametrize(
    ("before", "wanted"),
    [
        pytest.param((), (new("api"),), id="at a first rollout"),
        pytest.param((UNTRACKED,), (new("api"),), id="over older pods"),
    ],
)
def test_nobody_asks_why_where_rolling_was_wanted(before: Objects, wanted: Objects) -> None:
    assert reason(before, wanted, ROLLING) is None


def test_nothing_is_said_where_everything_has_its_twin() -> None:
    assert reason((old("api"),), (new("api"),)) is None


def named(kind: str, name: str, value: str) -> Object:
    return {**placed(config_map(name, a=value)), "kind": kind}


@pytest.mark.parametrize(
    ("rest", "changed", "taken"),
    [
        pytest.param(
            named("ConfigMap", "api-canary", "1"),
            (named("ConfigMap", "api", "1"), named("ConfigMap", "api", "2")),
            "ConfigMap",
            id="a ConfigMap",
        ),
        pytest.param(
            named("Secret", "api-canary", "1"),
            (named("Secret", "api", "1"), named("Secret", "api", "2")),
            "Secret",
            id="a Secret",
        ),
        pytest.param(
            service("api-canary"),
            (route(rule(backend("api"))), route(rule(backend("api")))),
            "Service",
            id="a Service",
        ),
    ],
)
def test_what_the_release_has_already_is_never_overwritten_by_a_copy(
    rest: Object, changed: tuple[Object, Object], taken: str
) -> None:
    reads = everywhere("api", taken) if taken != "Service" else new("api")
    before = (old("api"), service("api"), rest, changed[0])
    wanted = (reads, service("api"), rest, changed[1])
    words = f"{taken}/api would be doubled as api-canary, which is in the release already"
    assert twins_of(before, wanted) == Twins()
    assert reason(before, wanted) == f"without a canary: {words}"


@pytest.mark.parametrize("kind", ["ConfigMap", "Secret", "Service"])
def test_a_name_is_free_for_a_copy_that_is_not_made(kind: str) -> None:
    taken = service("api-canary") if kind == "Service" else named(kind, "api-canary", "1")
    before, wanted = (old("api"), service("api"), taken), (new("api"), service("api"), taken)
    assert twinned(twins_of(before, wanted)) == ["api-canary"]


def leading(target: int | str, port: int = 80, *more: int) -> Object:
    """Return the Service of api with ports that lead somewhere else."""
    ports = [{"port": port, "targetPort": target}, *({"port": each} for each in more)]
    return service("api", ports=ports)


def listening(thing: Object, **names: int) -> Object:
    (container,) = thing["spec"]["template"]["spec"]["containers"]
    container["ports"] = [{"name": name, "containerPort": port} for name, port in names.items()]
    return thing


ROUTED = route(rule(backend("api")))
ELSEWHERE = route(rule(backend("api", port=8080)))
NOWHERE = "Service/api leads its port 80 to where the new pods of Deployment/api do not listen"


@pytest.mark.parametrize(
    ("before", "wanted", "words"),
    [
        pytest.param((leading(8080),), (leading(9090),), NOWHERE, id="a number changes"),
        pytest.param((leading("http"),), (leading("web"),), NOWHERE, id="a name changes"),
        pytest.param((leading(80),), (leading(81, 81),), NOWHERE, id="the port changes with it"),
        pytest.param((leading(9090),), (service("web"),), NOWHERE, id="the Service goes"),
        pytest.param(
            (leading("http"), ROUTED),
            (leading("http", 8080), ELSEWHERE),
            "HTTPRoute/shop asks Service/api for port 80, which it does not have any more",
            id="a route asks for a port that goes",
        ),
    ],
)
def test_ports_that_the_live_traffic_would_miss_keep_a_release_in_place(
    before: Objects, wanted: Objects, words: str
) -> None:
    stable, changed = listening(old("api"), http=8080), listening(new("api"), web=9091)
    assert twins_of((stable, *before), (changed, *wanted)) == Twins()
    assert reason((stable, *before), (changed, *wanted)) == f"without a canary: {words}"


@pytest.mark.parametrize(
    ("before", "wanted"),
    [
        pytest.param((leading(8080),), (leading(8080, 80, 9090),), id="a port is added"),
        pytest.param((leading("http"),), (leading("http"),), id="a name leads on"),
        pytest.param((leading("web"),), (leading(9091),), id="a name becomes its number"),
        pytest.param((leading(9091),), (leading("web"),), id="a number becomes its name"),
        pytest.param((leading(8080),), (leading(8080, 81),), id="another port leads there"),
        pytest.param((leading(9091),), (leading(9090, 81),), id="a port goes and pods listen on"),
        pytest.param((leading(8080), ROUTED), (leading(9090), ROUTED), id="a route has its own"),
    ],
)
def test_ports_are_no_obstacle_where(before: Objects, wanted: Objects) -> None:
    stable, changed = listening(old("api"), http=8080), listening(new("api"), web=9091)
    assert reason((stable, *before), (changed, *wanted)) is None
    assert twinned(twins_of((stable, *before), (changed, *wanted))) == ["api-canary"]


def everywhere(name: str, kind: str) -> Object:
    """A Deployment that reads one ConfigMap, or Secret, in every way that there is."""
    by, key, volume, of_volume = {
        "ConfigMap": ("configMapRef", "configMapKeyRef", "configMap", "name"),
        "Secret": ("secretRef", "secretKeyRef", "secret", "secretName"),
    }[kind]
    made = new("api")
    pod = made["spec"]["template"]["spec"]
    value_from = {key: {"name": name, "key": "a"}}
    pod["containers"].append({"name": "two", "env": [{"name": "A", "valueFrom": value_from}]})
    pod["initContainers"] = [{"name": "first", "envFrom": [{by: {"name": name}}]}]
    pod["volumes"] = [
        {"name": "plain", volume: {of_volume: name, "items": [{"key": "a", "path": "a"}]}},
        {"name": "many", "projected": {"sources": [{volume: {"name": name}}]}},
        {"name": "empty", "emptyDir": {}},
    ]
    return made


@pytest.mark.parametrize("kind", ["ConfigMap", "Secret"])
def test_configuration_that_changes_under_its_name_is_copied_for_the_canary(kind: str) -> None:
    one, two = ({**placed(config_map("settings", a=value)), "kind": kind} for value in ("1", "2"))
    before, wanted = (old("api"), one), (everywhere("settings", kind), two)
    twins = twins_of(before, wanted)
    assert references(twins.workloads[0].canary) == {(kind, "settings-canary")}
    assert companions(twins) == [f"{kind}/settings-canary"]
    assert twins.companions[0]["data"] == {"a": "2"}
    assert twins.companions[0]["metadata"]["labels"][TRACK] == CANARY


@pytest.mark.parametrize(
    ("before", "wanted"),
    [
        pytest.param((config_map("settings", a="1"),), (config_map("settings", a="1"),), id="same"),
        pytest.param((), (config_map("settings", a="1"),), id="new"),
        pytest.param((config_map("settings", a="1"),), (), id="not in the release"),
        pytest.param((config_map("other", a="1"),), (config_map("other", a="2"),), id="not read"),
    ],
)
def test_configuration_is_read_where_it_is_when_it_is_the(before: Objects, wanted: Objects) -> None:
    one, two = old("api", config="settings"), new("api", config="settings")
    twins = twins_of((one, *map(placed, before)), (two, *map(placed, wanted)))
    assert companions(twins) == []
    assert references(twins.workloads[0].canary) == {("ConfigMap", "settings")}


def test_a_routed_service_gets_a_canary_without_what_gives_it_addresses() -> None:
    ports = [{"name": "http", "port": 80, "targetPort": "http", "nodePort": 30080}]
    live = service(
        "api", ports=ports, type="LoadBalancer", clusterIP="10.0.0.1", sessionAffinity="ClientIP"
    )
    before, wanted = (old("api"), live, route(rule(backend("api")))), (new("api"), live)
    (made,) = twins_of(before, wanted).companions
    assert made["metadata"]["name"] == "api-canary"
    assert made["spec"] == {
        "ports": [{"name": "http", "port": 80, "targetPort": "http"}],
        "selector": {"app": "api", TRACK: CANARY},
        "sessionAffinity": "ClientIP",
    }


def test_a_plain_service_and_a_route_to_others_need_no_canary_of_their_own() -> None:
    elsewhere = route(rule(backend("api", namespace="other"), backend("api", kind="Bucket")))
    before, wanted = (old("api"), service("api"), elsewhere), (new("api"), service("api"))
    assert companions(twins_of(before, wanted)) == []


def test_a_service_that_the_new_release_routes_for_the_first_time_needs_no_canary_yet() -> None:
    before, wanted = (old("api"), service("api")), (new("api"), service("api"), ROUTED)
    assert companions(twins_of(before, wanted)) == []


def set_of(kind: str, image: str, *, config: str = "") -> Object:
    return {**tracked("jobs", image, config=config), "kind": kind}


@pytest.mark.parametrize("kind", ["StatefulSet", "DaemonSet"])
def test_what_has_no_twin_goes_share_by_share_where_it_is(kind: str) -> None:
    wanted = set_of(kind, NEW["jobs"])
    twins = twins_of((set_of(kind, "x@y"), old("api")), (wanted, new("api")))
    assert twins.climb
    assert [(part.workload, part.component) for part in twins.parts] == [(wanted, "jobs")]
    assert twinned(twins) == ["api-canary"]


SETTINGS = [placed(config_map("settings", a=value)) for value in "12"]


@pytest.mark.parametrize(
    ("before", "wanted", "environment"),
    [
        pytest.param(
            (set_of("StatefulSet", NEW["jobs"]),),
            (set_of("StatefulSet", NEW["jobs"]),),
            ENVIRONMENT,
            id="does not change",
        ),
        pytest.param((), (set_of("StatefulSet", NEW["jobs"]),), ENVIRONMENT, id="is new"),
        pytest.param(
            (set_of("StatefulSet", "x@y"),),
            (set_of("StatefulSet", "x@z"),),
            ENVIRONMENT,
            id="runs others' images",
        ),
        pytest.param(
            (set_of("StatefulSet", "x@y"),),
            (set_of("StatefulSet", NEW["jobs"]),),
            ROLLING,
            id="is to be rolled out at once",
        ),
        pytest.param(
            (set_of("StatefulSet", "x@y", config="settings"), SETTINGS[0]),
            (set_of("StatefulSet", NEW["jobs"], config="settings"), SETTINGS[1]),
            ENVIRONMENT,
            id="reads what comes with the promotion",
        ),
    ],
)
def test_a_stateful_set_waits_for_the_promotion_where_it(
    before: Objects, wanted: Objects, environment: Environment
) -> None:
    assert twins_of(before, wanted, environment).parts == ()


def test_the_component_is_that_of_a_server_before_that_of_what_prepares_it() -> None:
    made = new("api")
    made["spec"]["template"]["spec"]["initContainers"] = [{"name": "a", "image": NEW["web"]}]
    assert component_of(made, RELEASE) == "api"
    assert component_of(FOREIGN, RELEASE) is None


@given(st.from_regex(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?", fullmatch=True))
def test_a_canary_has_a_name_that_leaves_room_for_those_of_its_pods(name: str) -> None:
    made = canary_name(name)
    assert made.endswith("-canary")
    assert len(made) <= 46
    assert ".-" not in made.removeprefix(name)
    assert made == f"{name}-canary" or len(name) > 39
    assert made != canary_name(f"{name}0")


@given(st.sets(st.sampled_from(sorted(NEW))), st.sets(st.sampled_from(sorted(NEW))))
def test_everything_that_a_service_of_twins_sends_to_is_twinned(
    changed: set[str], joined: set[str]
) -> None:
    def world(make: set[str]) -> Objects:
        workloads = [tracked(name, NEW[name] if name in make else "x@y") for name in NEW]
        for thing in workloads:
            if thing["metadata"]["name"] in joined:
                together(thing)
        return (*workloads, TOGETHER, *(service(name) for name in NEW))

    before, wanted = world(set(NEW) - changed), world(set(NEW))
    twins = twins_of(before, wanted)
    names = {twin.stable.name for twin in twins.workloads}
    assert names == changed | (joined if joined & changed else set())
    for twin in twins.workloads:
        assert selects(service(twin.stable.name), labels_of(twin.canary))
