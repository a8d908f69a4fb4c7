from datetime import timedelta

import pytest

from tasks.core import strategy as strategies
from tasks.core.application import Environment
from tasks.core.cluster import Answer
from tasks.core.model import Digest, ReleasedImage
from tasks.core.objects import Object
from tasks.core.probes import Grpc, Probe, ProbeJob, Tcp
from tasks.core.sample import Track
from tasks.core.strategy import BlueGreen, Canary, Rolling, Strategy
from tasks.core.tracks import TRACK
from tasks.probe.decide import (
    Streak,
    container_of,
    describe,
    headers_for,
    is_asked,
    judge,
    leads_to,
    port_of,
)

PROBE = Probe(path="/health", contains="ok", within=timedelta(seconds=1))


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        pytest.param(Answer(200, "all ok", 0.1), None, id="as expected"),
        pytest.param(
            Answer(500, "oh\n  no", 0.1), "expected 200, got 500 (oh no)", id="another status"
        ),
        pytest.param(
            Answer(200, "bad", 0.1), "expected 'ok' in the body, got bad", id="another body"
        ),
        pytest.param(
            Answer(200, "ok", 2.5), "expected an answer within 1s, got it after 2.5s", id="late"
        ),
        pytest.param(
            Answer(None, "no route to host", 0.1),
            "expected 200, got no route to host",
            id="no answer",
        ),
    ],
)
def test_an_answer_passes_or_says_what_was_expected(answer: Answer, fault: str | None) -> None:
    assert judge(PROBE, answer) == fault


JSON = Probe(path="/health", json={"$.status": "ok", "$.checks[*].up": True})
COMMAND = Probe(command=("check",), contains="fine")
GRPC = Probe(grpc=Grpc(service="orders"))


@pytest.mark.parametrize(
    ("probe", "answer", "fault"),
    [
        pytest.param(
            JSON,
            Answer(200, '{"status": "ok", "checks": [{"up": true}, {"up": true}]}', 0.1),
            None,
            id="every value at the path is as expected",
        ),
        pytest.param(
            JSON,
            Answer(200, '{"status": "ok", "checks": [{"up": true}, {"up": 1}]}', 0.1),
            "expected true at $.checks[*].up, got true, 1",
            id="a number is no truth",
        ),
        pytest.param(
            JSON,
            Answer(200, '{"state": "ok"}', 0.1),
            'expected "ok" at $.status, got nothing',
            id="nothing at the path",
        ),
        pytest.param(
            JSON, Answer(200, "ok", 0.1), "expected JSON in the body, got ok", id="no JSON"
        ),
        pytest.param(COMMAND, Answer(0, "all fine", 0.1), None, id="a command that ends well"),
        pytest.param(
            COMMAND,
            Answer(3, "no table", 0.1),
            "expected exit status 0, got 3 (no table)",
            id="a command that ends badly",
        ),
        pytest.param(
            COMMAND,
            Answer(0, "hm", 0.1),
            "expected 'fine' in the output, got hm",
            id="a command that prints something else",
        ),
        pytest.param(GRPC, Answer(1, "SERVING", 0.1), None, id="a gRPC server that serves"),
        pytest.param(
            GRPC,
            Answer(2, "NOT_SERVING", 0.1),
            "expected SERVING, got NOT_SERVING",
            id="a gRPC server that does not",
        ),
        pytest.param(
            Probe(tcp=Tcp()),
            Answer(None, "connection refused", 0.1),
            "expected a connection, got connection refused",
            id="a port that nobody listens on",
        ),
        pytest.param(Probe(job=ProbeJob()), Answer(0, "", 30), None, id="a Job takes its time"),
    ],
)
def test_each_kind_of_probe_says_what_it_expected(
    probe: Probe, answer: Answer, fault: str | None
) -> None:
    assert judge(probe, answer) == fault


@pytest.mark.parametrize(
    ("probe", "words"),
    [
        pytest.param(PROBE, "GET /health", id="http"),
        pytest.param(Probe(tcp=Tcp()), "TCP connection", id="tcp"),
        pytest.param(Probe(grpc=Grpc()), "gRPC health of the server", id="grpc"),
        pytest.param(GRPC, "gRPC health of orders", id="a service of grpc"),
        pytest.param(Probe(command=("/check", "-q")), "command /check -q", id="command"),
        pytest.param(Probe(job=ProbeJob(image="smoke:1")), "job smoke:1", id="job"),
    ],
)
def test_a_probe_says_what_it_asks(probe: Probe, words: str) -> None:
    assert describe(probe) == words


@pytest.mark.parametrize(
    ("selector", "leads"),
    [
        pytest.param({"app": "api"}, True, id="both tracks"),
        pytest.param({"app": "api", TRACK: "canary"}, True, id="this track"),
        pytest.param({"app": "api", TRACK: "stable"}, False, id="the other track"),
        pytest.param({}, False, id="endpoints that a person writes"),
    ],
)
def test_a_service_leads_to_the_pods_that_it_selects(
    selector: dict[str, str],
    leads: bool,  # noqa: FBT001
) -> None:
    labels = {"app": "api", "team": "x", TRACK: "canary"}
    service = {"spec": {"selector": selector}}
    assert leads_to(service, [{"metadata": {"labels": labels}}]) is leads


@pytest.mark.parametrize(
    ("strategy", "track", "headers"),
    [
        pytest.param(
            Strategy(canary=Canary(steps=(5, 100))), "canary", {"X-Canary": "always"}, id="canary"
        ),
        pytest.param(
            Strategy(blueGreen=BlueGreen(testers=strategies.Testers(header="X-New"))),
            "canary",
            {"X-New": "always"},
            id="a header of the user's",
        ),
        pytest.param(Strategy(canary=Canary(steps=(5, 100))), "stable", {}, id="promoted"),
        pytest.param(Strategy(rolling=Rolling()), "canary", {}, id="no testers"),
    ],
)
def test_testers_are_led_to_the_canary(
    strategy: Strategy, track: Track, headers: dict[str, str]
) -> None:
    environment = Environment(overlay="prod", namespace="shop", strategy=strategy)
    assert headers_for(environment, track) == headers


def test_a_long_body_is_shown_in_part() -> None:
    fault = judge(PROBE, Answer(500, "x" * 1000, 0.1))
    assert fault is not None
    assert len(fault) < 250


def test_a_fault_ends_a_streak() -> None:
    assert Streak().after(None).after(None) == Streak(2, "")
    assert Streak(2, "").after("late") == Streak(0, "late")


def pod(**container: object) -> Object:
    both = [{"name": "proxy", "image": "proxy@1"}, {"name": "api", "image": "api@1", **container}]
    spec = {"containers": both}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": spec}


@pytest.mark.parametrize(
    ("container", "port"),
    [
        pytest.param({"ports": [{"containerPort": 3001}]}, 3001, id="declared"),
        pytest.param({"readinessProbe": {"httpGet": {"port": 8080}}}, 8080, id="probed"),
        pytest.param(
            {"readinessProbe": {"httpGet": {"port": "http"}}}, None, id="a name that nothing has"
        ),
        pytest.param({}, None, id="none"),
    ],
)
def test_the_port_is_that_of_the_container_with_the_image(
    container: Object, port: int | None
) -> None:
    image = ReleasedImage("api", "api", Digest("1"))
    found = container_of(pod(**container), image)
    assert found is not None
    assert (found["name"], port_of(found, image)) == ("api", port)


def test_the_port_of_slipway_yaml_goes_before_the_first_of_the_container() -> None:
    several = [{"containerPort": 9090, "name": "metrics"}, {"containerPort": 3001}]
    image = ReleasedImage("api", "api", Digest("1"), port=3001)
    assert port_of({"ports": several}, image) == 3001


def test_a_pod_with_another_image_is_not_asked() -> None:
    other = ReleasedImage("api", "api", Digest("2"))
    assert container_of(pod(ports=[{"containerPort": 1}]), other) is None


@pytest.mark.parametrize(
    ("status", "metadata", "tracks"),
    [
        pytest.param("True", {}, ["stable"], id="ready"),
        pytest.param("False", {}, [], id="not ready"),
        pytest.param("True", {"deletionTimestamp": "now"}, [], id="on its way out"),
        pytest.param("True", {"labels": {TRACK: "stable"}}, ["stable"], id="stable"),
        pytest.param("True", {"labels": {TRACK: "canary"}}, ["canary"], id="canary"),
    ],
)
def test_only_pods_of_the_track_that_get_traffic_are_asked(
    status: str, metadata: Object, tracks: list[Track]
) -> None:
    thing = {**pod(), "status": {"conditions": [{"type": "Ready", "status": status}]}}
    asked = {**thing, "metadata": {"name": "p", **metadata}}
    both: tuple[Track, ...] = ("stable", "canary")
    assert [track for track in both if is_asked(asked, track)] == tracks
