import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tasks.core.application import Environment
from tasks.core.cluster import Answer
from tasks.core.cluster_fake import FakeCluster
from tasks.core.model import Outcome, Target, Verdict
from tasks.core.objects import Object
from tasks.core.probes import Probe
from tasks.probe.effects import Probing, probe_release, request_route
from tests.unit.tasks.rollout.world import deployment, image, make_release

API = image("api")
RELEASE = make_release(deployment("api", API.reference), images=(API,))
PROBE = Probe(path="/health", component="api", passes=3, deadline=timedelta(seconds=5))
TARGET = Target("kubeconfig", "ctx", "r", "b", "d")


def pod(name: str) -> Object:
    container = {"name": "api", "image": API.reference, "ports": [{"containerPort": 8080}]}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "shop"},
        "spec": {"containers": [container]},
        "status": {"conditions": [{"type": "Ready", "status": "True"}]},
    }


@dataclass
class World:
    """Pods of the shop and what they answer."""

    pods: tuple[str, ...] = ("one", "two")
    asked: list[str] = field(default_factory=list)

    def when_probing(self, answer: Callable[[str, int], Answer], *probes: Probe) -> Verdict:
        self.cluster = FakeCluster(answer=lambda thing, path: self._answer(thing, path, answer))
        space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}
        self.cluster.apply(space)
        for name in self.pods:
            self.cluster.create(pod(name))
        self.before = dict(self.cluster.objects)
        self.cluster.said["two/api"] = ("cannot reach the database",)
        environment = Environment(overlay="prod", namespace="shop", probes=probes or (PROBE,))
        began = self.cluster.clock.now()
        probing = Probing(environment, TARGET, RELEASE, began)
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
    assert verdict == Verdict(Outcome.FAILED, "probe /health: no pod of component api is ready")


@contextmanager
def server() -> Iterator[tuple[str, list[str]]]:
    """Serve the Host header and path of each request; an ingress in small."""
    seen: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append(f"{self.headers['Host']} {self.path}")
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
        answer = request_route(environment, target, Probe(path="/?a=b", via="route"))
    assert (answer.status, answer.text) == (200, "MyFin")
    assert seen == ["shop.example:8443 /?a=b"]


def test_a_route_that_nobody_serves_says_so() -> None:
    environment = Environment(overlay="prod", namespace="shop", url="http://shop.example")
    target = Target("kubeconfig", "ctx", "r", "b", "d", ingress="127.0.0.1:9")
    answer = request_route(environment, target, Probe(path="/", via="route"))
    assert answer.status is None
    assert answer.text.startswith("no answer")
