"""Every kind of probe against real pods; nothing of ours is left behind."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from tasks.core.cluster import Scope
from tasks.core.model import Outcome, ReleasedImage, Verdict
from tasks.core.objects import Kind, Object
from tasks.core.probes import Grpc, Probe, ProbeJob, Tcp
from tasks.probe.decide import is_asked
from tasks.probe.effects import Probing, probe_release
from tests.e2e.rollout_world import World, digest_of, world
from tests.unit.tasks.rollout.world import make_release

pytestmark = pytest.mark.e2e

GRPC_SERVER = """
const {createServer, constants} = require("node:http2");
createServer().on("stream", (stream) => {
  const parts = [];
  stream.on("data", (part) => parts.push(part));
  stream.on("end", () => {
    const state = Buffer.concat(parts).includes("orders") ? 1 : 2;
    stream.respond({"content-type": "application/grpc"}, {waitForTrailers: true});
    stream.on("wantTrailers", () => stream.sendTrailers({"grpc-status": "0"}));
    stream.end(Buffer.from([0, 0, 0, 0, 2, 8, state]));
  });
}).listen(50051, "0.0.0.0");
"""
WEB_SERVER = 'echo \'{"status": "ok"}\' > /tmp/health; httpd -f -p 8080 -h /tmp'
SECONDS = timedelta(seconds=5)
ASKED = Probe(component="web", within=SECONDS, deadline=timedelta(seconds=60), passes=1)
ORDERS = replace(ASKED, component="orders")
PROBES = (
    replace(ASKED, path="/health", json={"$.status": "ok"}),
    replace(ASKED, path="/health", via="service"),
    replace(ASKED, tcp=Tcp(), within=timedelta(seconds=1)),
    replace(ASKED, tcp=Tcp(), via="service", within=timedelta(seconds=1)),
    replace(ASKED, command=("grep", "ok", "/tmp/health"), contains="status"),
    replace(ASKED, job=ProbeJob(command=("sh", "-c", "wget -qO- http://$SLIPWAY_SERVICE/health"))),
    replace(ORDERS, grpc=Grpc(port=50051, service="orders")),
)
LATE = replace(ASKED, deadline=timedelta(seconds=4))
FAILING = (
    (replace(LATE, path="/none"), "GET /none: expected 200, got 404"),
    (replace(LATE, tcp=Tcp(port=1)), "expected a connection, got error forward"),
    (replace(LATE, command=("false",)), "expected exit status 0, got 1"),
    (replace(LATE, component="orders", grpc=Grpc(port=50051)), "got NOT_SERVING"),
    (replace(ASKED, job=ProbeJob(command=("sh", "-c", "echo no table; exit 4"))), "no table"),
)


@pytest.fixture
def shop(tmp_path: Path, lab: object) -> Iterator[World]:
    del lab  # it has to be up
    with world(tmp_path) as made:
        made.cluster.apply(_namespace(made.namespace))
        yield made


def test_each_kind_of_probe_passes_and_fails_and_leaves_nothing_behind(shop: World) -> None:
    images = (released(shop, "web", "busybox:1.36"), released(shop, "orders", "node:22"))
    given_pods(shop, images)
    before = names(shop)
    passed = when_probing(shop, images, *PROBES)
    assert passed == replace(passed, outcome=Outcome.PASSED, reason="7 probed, all passed")

    for probe, words in FAILING:
        failed = when_probing(shop, images, probe)
        assert (failed.outcome, words in failed.reason) == (Outcome.FAILED, True), failed
    assert then_only(shop, before)


def when_probing(shop: World, images: tuple[ReleasedImage, ...], *probes: Probe) -> Verdict:
    environment = replace(shop.place.environment, probes=probes)
    release = make_release(images=images)
    probing = Probing(environment, shop.target, release, shop.clock.now())
    return probe_release(probing, shop.cluster, shop.clock)


def then_only(shop: World, before: set[str]) -> bool:
    """Say whether the namespace comes to hold what it held before; pods need a moment to go."""
    until = shop.clock.now() + timedelta(seconds=30)
    pods = Scope((Kind("v1", "Pod"),), shop.namespace)
    return any(names(shop) == before for _ in shop.cluster.watch(pods, until))


def names(shop: World) -> set[str]:
    kinds = (Kind("v1", "Pod"), Kind("batch/v1", "Job"), Kind("v1", "Secret"))
    found = shop.cluster.find(Scope(kinds, shop.namespace))
    return {f"{thing['kind']}/{thing['metadata']['name']}" for thing in found}


def given_pods(shop: World, images: tuple[ReleasedImage, ...]) -> None:
    web, orders = images
    shop.cluster.create(pod(shop, web, ["sh", "-c", WEB_SERVER], 8080))
    shop.cluster.create(pod(shop, orders, ["node", "-e", GRPC_SERVER], 50051))
    service: Object = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "web", "namespace": shop.namespace},
        "spec": {"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": 8080}]},
    }
    shop.cluster.create(service)
    pods = Scope((Kind("v1", "Pod"),), shop.namespace)
    for seen in shop.cluster.watch(pods, shop.clock.now() + timedelta(seconds=60)):
        if len([each for each in seen if is_asked(each, "stable")]) == len(images):
            return


def pod(shop: World, image: ReleasedImage, command: list[str], port: int) -> Object:
    container = {
        "name": image.component,
        "image": image.reference,
        "command": command,
        "ports": [{"containerPort": port}],
        "readinessProbe": {"tcpSocket": {"port": port}, "periodSeconds": 1},
    }
    labels = {"app": image.component}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": image.component, "namespace": shop.namespace, "labels": labels},
        "spec": {"containers": [container], "terminationGracePeriodSeconds": 0},
    }


def released(shop: World, component: str, image: str) -> ReleasedImage:
    """Return a base image of the lab as if it were a component's."""
    repository = f"{shop.target.registry}/library/{image.partition(':')[0]}"
    return ReleasedImage(component, repository, digest_of(shop.target, image))


def _namespace(name: str) -> Object:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
