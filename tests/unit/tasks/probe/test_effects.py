from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest

from tasks.core.access import Access
from tasks.core.application import Environment
from tasks.core.cluster import Answer, Scope
from tasks.core.cluster_fake import FakeCluster
from tasks.core.errors import Unavailable
from tasks.core.model import Outcome, Verdict
from tasks.core.objects import Object
from tasks.core.probes import Grpc, Probe, ProbeJob, Tcp
from tasks.core.strategy import Testers
from tasks.core.target import Target
from tasks.core.tracks import TRACK
from tasks.probe.effects import Probing, probe_release
from tests.unit.tasks.rollout.world import deployment, image, make_release

API, STORE = image("api"), image("store")
RELEASE = make_release(deployment("api", API.reference), images=(API, STORE))
PROBE = Probe(path="/health", component="api", passes=3, deadline=timedelta(seconds=5))
TARGET = Target("kubeconfig", "ctx", "r", "b", "d")


def pod(name: str, track: str = "stable") -> Object:
    container = {"name": "api", "image": API.reference, "ports": [{"containerPort": 8080}]}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "shop", "labels": {TRACK: track, "app": "api"}},
        "spec": {"containers": [container]},
        "status": {"conditions": [{"type": "Ready", "status": "True"}]},
    }


def service(name: str, selector: dict[str, str]) -> Object:
    metadata = {"name": name, "namespace": "shop"}
    ports = [{"port": 80, "targetPort": 8080}, {"port": 81, "targetPort": 9090}]
    spec = {"selector": selector, "ports": ports}
    return {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec}


@dataclass
class World:
    """Pods of the shop and what they answer."""

    pods: tuple[str, ...] = ("one", "two")
    canaries: tuple[str, ...] = ()
    services: dict[str, dict[str, str]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    cluster: FakeCluster = field(default_factory=FakeCluster)

    def when_probing(
        self,
        answer: Callable[[str, int], Answer],
        *probes: Probe,
        ago: timedelta = timedelta(0),
        **about: Any,  # noqa: ANN401 fields of Access
    ) -> Verdict:
        self.cluster.answer = lambda thing, path: self._answer(thing, path, answer)
        space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}
        self.cluster.apply(space)
        for name in self.pods:
            self.cluster.create(pod(name))
        for name in self.canaries:
            self.cluster.create(pod(name, "canary"))
        for name, selector in self.services.items():
            self.cluster.create(service(name, selector))
        self.before = dict(self.cluster.objects)
        self.cluster.said["two/api"] = ("cannot reach the database",)
        environment = Environment(overlay="prod", namespace="shop", probes=probes or (PROBE,))
        began = self.cluster.clock.now() - ago
        probing = Probing(environment, TARGET, RELEASE, began, Access(**about))
        return probe_release(probing, self.cluster, self.cluster.clock)

    def _answer(self, thing: Object, path: str, answer: Callable[[str, int], Answer]) -> Answer:
        name = thing["metadata"]["name"]
        self.asked.append(f"{name} {path}")
        return answer(name, self.asked.count(f"{name} {path}"))


def test_every_pod_is_asked_until_it_has_passed_often_enough() -> None:
    world = World()
    verdict = world.when_probing(lambda _pod, _times: Answer(200, "ok", 0.1))
    assert verdict.outcome is Outcome.PASSED
    assert world.asked == ["one /health", "two /health"] * 3
    assert world.cluster.objects == world.before


def test_a_fault_starts_the_count_again() -> None:
    world = World(pods=("one",))
    bad, good = Answer(500, "no", 0.1), Answer(200, "ok", 0.1)
    verdict = world.when_probing(lambda _pod, times: bad if times == 3 else good)
    assert verdict.outcome is Outcome.PASSED
    assert len(world.asked) == 6


def test_a_pod_that_does_not_pass_in_time_is_named_with_its_last_words() -> None:
    world = World()
    bad, good = Answer(500, "no", 0.1), Answer(200, "ok", 0.1)
    verdict = world.when_probing(lambda name, _times: bad if name == "two" else good)
    assert verdict.outcome is Outcome.FAILED
    assert verdict.reason == "pod two: GET /health: expected 200, got 500 (no) (for 5s)"
    assert verdict.evidence == ("log two/api: cannot reach the database",)
    assert world.cluster.clock.waits == [timedelta(milliseconds=250)] * 20


def test_a_component_without_a_pod_fails_in_time() -> None:
    verdict = World(pods=()).when_probing(lambda _pod, _times: Answer(200, "ok", 0.1))
    assert verdict == Verdict(Outcome.FAILED, "GET /health: no pod of component api is ready")


GOOD = Answer(200, "ok", 0.1)
BOTH_SERVICES = {
    "api": {"app": "api", TRACK: "stable"},
    "api-canary": {"app": "api", TRACK: "canary"},
}
VIA_SERVICE = replace(PROBE, via="service", passes=1)


@pytest.mark.parametrize(
    ("track", "services", "asked"),
    [
        pytest.param("stable", BOTH_SERVICES, ["api /health"], id="in place"),
        pytest.param("canary", BOTH_SERVICES, ["api-canary /health"], id="beside the stable one"),
    ],
)
def test_a_service_is_asked_where_it_leads_to_the_release(
    track: str, services: dict[str, dict[str, str]], asked: list[str]
) -> None:
    world = World(canaries=("new",), services=services)
    verdict = world.when_probing(lambda _name, _times: GOOD, VIA_SERVICE, track=track)
    assert verdict.outcome is Outcome.PASSED
    assert world.asked == asked


@pytest.mark.parametrize(
    ("track", "selector"),
    [
        pytest.param("canary", {"app": "api", TRACK: "stable"}, id="it has not come yet"),
        pytest.param("canary", {"app": "api"}, id="stable pods answer too"),
        pytest.param("stable", {"app": "api", TRACK: "canary"}, id="it is with the canary still"),
    ],
)
@pytest.mark.parametrize("asks", [{"path": "/health"}, {"path": None, "job": ProbeJob()}])
def test_a_service_that_leads_elsewhere_is_not_asked_and_nobody_fails_for_it(
    track: str, selector: dict[str, str], asks: dict[str, Any]
) -> None:
    world = World(canaries=("new",), services={"api": selector})
    probe = replace(VIA_SERVICE, **asks)
    verdict = world.when_probing(lambda _name, _times: GOOD, PROBE, probe, track=track)
    assert verdict.outcome is Outcome.PASSED
    said = f"not asked: Service api does not lead to the {track}"
    assert verdict.reason.startswith(f"{len(world.asked) // 3} probed, all passed; ")
    assert verdict.reason.endswith(said)
    assert not [each for each in world.asked if each.startswith("api")]


def test_a_release_that_no_service_leads_to_fails_in_time() -> None:
    verdict = World().when_probing(lambda _name, _times: GOOD, VIA_SERVICE)
    words = "GET /health: no Service leads to a ready pod of component api"
    assert verdict == Verdict(Outcome.FAILED, words, ("log two/api: cannot reach the database",))


def test_a_service_that_fails_shows_what_the_pods_behind_it_say() -> None:
    world = World(pods=("two",), services={"api": {"app": "api"}})
    verdict = world.when_probing(lambda _name, _times: Answer(500, "no", 0.1), VIA_SERVICE)
    assert verdict.reason == "service api: GET /health: expected 200, got 500 (no) (for 5s)"
    assert verdict.evidence == ("log two/api: cannot reach the database",)


@pytest.mark.parametrize(
    ("asks", "port"),
    [
        pytest.param({"tcp": Tcp()}, 8080, id="the port that the Service names"),
        pytest.param({"grpc": Grpc(port=81)}, 9090, id="another port of the Service"),
    ],
)
def test_what_is_no_http_is_asked_of_each_pod_behind_a_service(
    asks: dict[str, Any], port: int
) -> None:
    world, dialled = World(services={"api": {"app": "api"}}), []

    def dial(thing: Object, number: int) -> Any:  # noqa: ANN401 it never returns
        dialled.append((thing["metadata"]["name"], number))
        raise Unavailable("connection refused")

    world.cluster.dial = dial
    verdict = world.when_probing(
        lambda _name, _times: GOOD, replace(VIA_SERVICE, path=None, **asks)
    )
    assert verdict.reason.startswith("service api, pod one: ")
    assert dialled[:2] == [("one", port), ("two", port)]


def test_a_component_that_has_no_canary_is_not_waited_for() -> None:
    world = World(canaries=("new",))
    verdict = world.when_probing(
        lambda _name, _times: GOOD,
        PROBE,
        replace(PROBE, component="store"),
        track="canary",
        components=frozenset({"api"}),
    )
    assert verdict == Verdict(
        Outcome.PASSED, "1 probed, all passed", ("pod new: GET /health passed 3 times",)
    )


PUBLIC = Probe(path="/", via="route", passes=1, deadline=timedelta(seconds=1))


def test_a_public_route_without_a_way_for_testers_says_nothing_about_the_canary() -> None:
    world = World(canaries=("new",))
    verdict = world.when_probing(lambda _name, _times: GOOD, PROBE, PUBLIC, track="canary")
    assert verdict.outcome is Outcome.PASSED
    why = "GET / not asked: no rule of a route leads testers to the canary"
    assert verdict.reason == f"1 probed, all passed; {why}"


def test_a_public_route_with_a_way_for_testers_is_asked_and_shows_the_pods_behind() -> None:
    world = World(canaries=("new",))
    world.cluster.said["new/api"] = ("no such page",)
    verdict = world.when_probing(
        lambda _name, _times: GOOD,
        PROBE,
        PUBLIC,
        track="canary",
        via=frozenset({"route"}),
        testers=Testers(),
    )
    assert world.asked == []
    assert verdict.outcome is Outcome.FAILED
    assert verdict.reason.startswith("route None: GET /: expected 200, got no answer")
    assert verdict.evidence == ("log new/api: no such page",)


HOUR = timedelta(hours=1)


def test_a_process_that_comes_after_the_deadline_asks_a_whole_series() -> None:
    world = World(pods=("one",))
    verdict = world.when_probing(lambda _name, _times: GOOD, ago=HOUR)
    assert verdict.outcome is Outcome.PASSED
    assert len(world.asked) == 3


def test_a_process_that_comes_after_the_deadline_forgives_a_first_fault() -> None:
    world = World(pods=("one",))
    verdict = world.when_probing(
        lambda _name, times: Answer(500, "", 0.1) if times == 1 else GOOD, ago=HOUR
    )
    assert verdict.outcome is Outcome.PASSED


def test_a_process_that_comes_after_the_deadline_waits_a_while_for_a_pod() -> None:
    world = World(pods=())
    probe = replace(PROBE, deadline=timedelta(minutes=1))
    verdict = world.when_probing(lambda _name, _times: GOOD, probe, ago=HOUR)
    assert verdict.outcome is Outcome.FAILED
    assert sum(world.cluster.clock.waits, timedelta()) == timedelta(seconds=10)


@pytest.mark.parametrize("jump", [HOUR, -HOUR])
def test_a_jump_of_the_wall_clock_neither_fails_nor_prolongs(jump: timedelta) -> None:
    world = World(pods=("one",))

    def answer(_name: str, times: int) -> Answer:
        if times == 2:
            world.cluster.clock.jump(jump)
        return Answer(500, "no", 0.1)

    verdict = world.when_probing(answer)
    assert verdict.reason == "pod one: GET /health: expected 200, got 500 (no) (for 5s)"
    assert len(world.cluster.clock.waits) == 20


def test_a_series_that_passes_at_the_deadline_is_let_end() -> None:
    world = World(pods=("one",))
    verdict = world.when_probing(
        lambda _name, times: Answer(500, "no", 0.1) if times < 20 else GOOD
    )
    assert verdict.outcome is Outcome.PASSED
    assert len(world.cluster.clock.waits) == 21


def test_a_cluster_that_is_away_at_the_deadline_says_nothing_about_the_release() -> None:
    world = World(pods=("one",))

    class Away(FakeCluster):
        def find(self, scope: Scope) -> tuple[Object, ...]:
            if self.clock.elapsed() > timedelta(seconds=4.9):
                raise Unavailable("connection refused")
            return super().find(scope)

    world.cluster = Away()
    with pytest.raises(Unavailable):
        world.when_probing(lambda _name, _times: Answer(None, "no answer", 1.0))


def test_only_the_canary_is_asked_while_it_is_beside_the_stable_one() -> None:
    world = World(canaries=("new",))
    assert world.when_probing(lambda _name, _times: GOOD, track="canary").outcome is Outcome.PASSED
    assert world.asked == ["new /health"] * 3


def test_a_command_runs_in_each_pod_and_its_exit_status_decides() -> None:
    world, ran = World(), []

    def run(thing: Object, words: tuple[str, ...]) -> Answer:
        ran.append((thing["metadata"]["name"], *words))
        return Answer(int(thing["metadata"]["name"] == "two"), "no table", 0.1)

    world.cluster.run = run
    probe = replace(PROBE, path=None, command=("check", "-q"), passes=1)
    verdict = world.when_probing(lambda _name, _times: GOOD, probe)
    words = "pod two: command check -q: expected exit status 0, got 1 (no table) (for 5s)"
    assert verdict == Verdict(Outcome.FAILED, words, ("log two/api: cannot reach the database",))
    assert ran[:2] == [("one", "check", "-q"), ("two", "check", "-q")]


def test_a_port_that_refuses_is_no_connection() -> None:
    probe = replace(PROBE, path=None, tcp=Tcp(port=3306))
    verdict = World(pods=("one",)).when_probing(lambda _name, _times: GOOD, probe)
    words = "pod one: TCP connection: expected a connection, got not found (for 5s)"
    assert verdict.reason == words


@dataclass
class Jobs:
    """What the Job controller and the kubelet do: a pod for each Job, with an end."""

    exit_codes: list[int]
    specs: list[Object] = field(default_factory=list)

    def __call__(self, cluster: FakeCluster, thing: Object) -> None:
        if thing["kind"] != "Job":
            return
        self.specs.append(thing["spec"])
        template, metadata = thing["spec"]["template"], thing["metadata"]
        owner = [{"uid": metadata["uid"]}]
        ended = {"state": {"terminated": {"exitCode": self.exit_codes.pop(0)}}}
        cluster.said[f"{metadata['name']}-x/probe"] = ("no such table",)
        cluster.create(
            {
                "apiVersion": "v1",
                "kind": "Pod",
                "metadata": {
                    "name": f"{metadata['name']}-x",
                    "namespace": metadata["namespace"],
                    "labels": template["metadata"]["labels"],
                    "ownerReferences": owner,
                },
                "spec": template["spec"],
                "status": {"containerStatuses": [ended]},
            }
        )


JOB = Probe(job=ProbeJob(command=("smoke",)), component="api", deadline=timedelta(seconds=5))


def test_a_job_that_ends_well_passes_and_leaves_nothing_behind() -> None:
    jobs, world = Jobs([0]), World(services={"api": {"app": "api"}})
    world.cluster.controllers.append(jobs)
    verdict = world.when_probing(lambda _name, _times: GOOD, JOB)
    assert verdict == Verdict(
        Outcome.PASSED, "1 probed, all passed", ("job: job smoke passed 1 times",)
    )
    (container,) = jobs.specs[-1]["template"]["spec"]["containers"]
    assert (container["image"], container["command"]) == (API.reference, ["smoke"])
    given = {each["name"]: each["value"] for each in container["env"]}
    assert given == {"SLIPWAY_RELEASE": RELEASE.id, "SLIPWAY_SERVICE": "api"}
    assert world.cluster.objects == world.before


def test_a_job_has_its_whole_deadline_whenever_it_starts() -> None:
    jobs, world = Jobs([0]), World()
    world.cluster.controllers.append(jobs)
    verdict = world.when_probing(lambda _name, _times: GOOD, JOB, ago=HOUR)
    assert verdict.outcome is Outcome.PASSED
    assert jobs.specs[-1]["activeDeadlineSeconds"] == 5


def test_a_job_of_no_component_learns_the_address_and_how_testers_come_in() -> None:
    jobs, world = Jobs([0]), World(canaries=("new",))
    world.cluster.controllers.append(jobs)
    job = replace(JOB, component=None, job=ProbeJob(image="smoke"))
    world.when_probing(
        lambda _name, _times: GOOD, job, track="canary", testers=Testers(header="X-New")
    )
    (container,) = jobs.specs[-1]["template"]["spec"]["containers"]
    given = {each["name"]: each["value"] for each in container["env"]}
    assert given == {"SLIPWAY_RELEASE": RELEASE.id, "SLIPWAY_HEADER": "X-New: always"}


def test_a_job_that_ends_badly_shows_its_last_words() -> None:
    world = World()
    world.cluster.controllers.append(Jobs([3]))
    verdict = world.when_probing(lambda _name, _times: GOOD, JOB)
    assert verdict.outcome is Outcome.FAILED
    assert verdict.reason.startswith("job: job smoke: expected exit status 0, got 3 (log ")
    assert "no such table" in verdict.reason
    assert world.cluster.objects == world.before
