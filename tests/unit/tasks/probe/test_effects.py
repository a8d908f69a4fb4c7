import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tasks.core.application import Environment
from tasks.core.cluster import Answer
from tasks.core.cluster_fake import FakeCluster
from tasks.core.model import Outcome, Target, Verdict
from tasks.core.objects import Object
from tasks.core.probes import Probe, ProbeJob, Tcp
from tasks.core.sample import Track
from tasks.core.tracks import TRACK
from tasks.probe.ask import request_route
from tasks.probe.effects import Probing, probe_release
from tests.unit.tasks.rollout.world import deployment, image, make_release

API = image("api")
RELEASE = make_release(deployment("api", API.reference), images=(API,))
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
    spec = {"selector": selector, "ports": [{"port": 80}]}
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
        self, answer: Callable[[str, int], Answer], *probes: Probe, track: Track = "stable"
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
        began = self.cluster.clock.now()
        probing = Probing(environment, TARGET, RELEASE, began, track)
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
        pytest.param("canary", {"api": BOTH_SERVICES["api"]}, [], id="not reached by a Service"),
    ],
)
def test_a_service_is_asked_where_it_leads_to_the_release(
    track: Track, services: dict[str, dict[str, str]], asked: list[str]
) -> None:
    world = World(canaries=("new",), services=services)
    verdict = world.when_probing(lambda _name, _times: GOOD, VIA_SERVICE, track=track)
    assert verdict.outcome is Outcome.PASSED
    assert world.asked == asked


def test_a_release_that_no_service_leads_to_fails_in_time() -> None:
    verdict = World().when_probing(lambda _name, _times: GOOD, VIA_SERVICE)
    words = "GET /health: no Service leads to a ready pod of component api"
    assert verdict == Verdict(Outcome.FAILED, words)


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


def test_a_job_that_ends_badly_shows_its_last_words() -> None:
    world = World()
    world.cluster.controllers.append(Jobs([3]))
    verdict = world.when_probing(lambda _name, _times: GOOD, JOB)
    assert verdict.outcome is Outcome.FAILED
    assert verdict.reason.startswith("job: job smoke: expected exit status 0, got 3 (log ")
    assert "no such table" in verdict.reason
    assert world.cluster.objects == world.before


PUBLIC = Probe(path="/?a=b", via="route")


@contextmanager
def server() -> Iterator[tuple[str, list[str]]]:
    """Serve the Host header, path and X-Canary of each request; an ingress in small."""
    seen: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append(f"{self.headers['Host']} {self.path} {self.headers['X-Canary']}")
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"MyFin")

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 its own name
            del format, args

    serving = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=serving.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"127.0.0.1:{serving.server_address[1]}", seen
    finally:
        serving.shutdown()
        thread.join()
        serving.server_close()


def test_the_route_is_asked_through_the_ingress_under_its_public_name() -> None:
    environment = Environment(overlay="prod", namespace="shop", url="http://shop.example:8443")
    with server() as (address, seen):
        target = Target("kubeconfig", "ctx", "r", "b", "d", ingress=address)
        answer = request_route(environment, target, PUBLIC, {"X-Canary": "always"})
    assert (answer.status, answer.text) == (200, "MyFin")
    assert seen == ["shop.example:8443 /?a=b always"]


def test_a_route_that_nobody_serves_says_so() -> None:
    environment = Environment(overlay="prod", namespace="shop", url="http://shop.example")
    target = Target("kubeconfig", "ctx", "r", "b", "d", ingress="127.0.0.1:9")
    answer = request_route(environment, target, Probe(path="/", via="route"), {})
    assert answer.status is None
    assert answer.text.startswith("no answer")
