from datetime import timedelta

import pytest

from tasks.core.cluster import Answer
from tasks.core.model import Digest, ReleasedImage
from tasks.core.objects import Object
from tasks.core.probes import Grpc, Probe, ProbeJob, Tcp
from tasks.core.tracks import TRACK, Track
from tasks.probe.decide import (
    Spent,
    Streak,
    belongs_to,
    container_of,
    describe,
    has_failed,
    is_asked,
    is_late,
    judge,
    leads_to,
    port_of,
    service_port,
    target_port,
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
    ("selector", "is_its", "tracks"),
    [
        pytest.param({"app": "api"}, True, ["stable"], id="to both tracks, if there are two"),
        pytest.param({"app": "api", TRACK: "canary"}, True, ["canary"], id="to the canary"),
        pytest.param({"app": "api", TRACK: "stable"}, True, ["stable"], id="to the stable pods"),
        pytest.param({"app": "web"}, False, ["stable"], id="of another component"),
        pytest.param({}, False, ["stable"], id="endpoints that a person writes"),
    ],
)
def test_a_service_belongs_to_pods_whichever_track_it_sends_to_now(
    selector: dict[str, str],
    is_its: bool,  # noqa: FBT001
    tracks: list[Track],
) -> None:
    labels = {"app": "api", "team": "x", TRACK: "canary"}
    service = {"spec": {"selector": selector}}
    assert belongs_to(service, [{"metadata": {"labels": labels}}]) is is_its
    both: tuple[Track, ...] = ("stable", "canary")
    assert [track for track in both if leads_to(service, track)] == tracks


PORTS = [{"port": 80, "targetPort": "web"}, {"port": 81, "targetPort": 9090}, {"port": 82}]


@pytest.mark.parametrize(
    ("number", "target"),
    [
        pytest.param(None, 8080, id="the first port, by its name in the pod"),
        pytest.param(81, 9090, id="by number"),
        pytest.param(82, 82, id="the same on both sides"),
    ],
)
def test_a_port_of_a_service_leads_to_one_of_a_container(number: int | None, target: int) -> None:
    port = service_port({"spec": {"ports": PORTS}}, number)
    assert port is not None
    container = {"ports": [{"name": "web", "containerPort": 8080}]}
    assert target_port(port, container) == target


def test_a_port_that_a_service_does_not_have_leads_nowhere() -> None:
    assert service_port({"spec": {"ports": PORTS}}, 443) is None
    assert service_port({"spec": {}}, None) is None
    assert target_port({"port": 80, "targetPort": "gone"}, {}) is None


SERIES = Probe(path="/", passes=3, deadline=timedelta(seconds=60))


def spent(since_mark: int, here: int) -> Spent:
    return Spent(timedelta(seconds=since_mark), timedelta(seconds=here))


@pytest.mark.parametrize(
    ("probe", "streak", "time", "fails"),
    [
        pytest.param(SERIES, Streak(0, "no", 99), spent(59, 59), False, id="there is time"),
        pytest.param(SERIES, Streak(0, "no", 99), spent(60, 60), True, id="the time is over"),
        pytest.param(
            SERIES,
            Streak(0, "no", 99),
            spent(600, 9),
            False,
            id="it was the time of another process",
        ),
        pytest.param(
            SERIES, Streak(0, "no", 2), spent(600, 30), False, id="no whole series was made here"
        ),
        pytest.param(SERIES, Streak(0, "no", 3), spent(600, 10), True, id="one was, and fails"),
        pytest.param(
            SERIES, Streak(2, "", 99), spent(600, 600), False, id="a series that passes is let end"
        ),
        pytest.param(
            Probe(job=ProbeJob()), Streak(0, "no", 1), spent(1, 1), True, id="a Job has one try"
        ),
        pytest.param(
            Probe(path="/", passes=1, deadline=timedelta(seconds=2)),
            Streak(0, "no", 1),
            spent(2, 2),
            True,
            id="a deadline shorter than what a process has of its own",
        ),
    ],
)
def test_nobody_fails_before_time_and_tries_are_over(
    probe: Probe,
    streak: Streak,
    time: Spent,
    fails: bool,  # noqa: FBT001
) -> None:
    assert has_failed(probe, streak, time) is fails


def test_who_finds_nobody_to_ask_looks_for_a_while_in_every_process() -> None:
    assert not is_late(SERIES, spent(600, 9))
    assert is_late(SERIES, spent(600, 10))


def test_a_long_body_is_shown_in_part() -> None:
    fault = judge(PROBE, Answer(500, "x" * 1000, 0.1))
    assert fault is not None
    assert len(fault) < 250


def test_a_fault_ends_a_streak() -> None:
    assert Streak().after(None).after(None) == Streak(2, "", 2)
    assert Streak(2, "", 2).after("late") == Streak(0, "late", 3)


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


@pytest.mark.parametrize("phase", ["Failed", "Succeeded"])
def test_a_pod_that_has_ended_is_asked_nothing(phase: str) -> None:
    conditions = [{"type": "Ready", "status": "True"}]  # an evicted pod's may be old
    assert not is_asked({**pod(), "status": {"phase": phase, "conditions": conditions}}, "stable")


@pytest.mark.parametrize(
    ("probe", "way"),
    [
        pytest.param(Probe(path="/", component="api"), "pods", id="each pod"),
        pytest.param(Probe(path="/", component="api", via="service"), "service", id="its Service"),
        pytest.param(Probe(path="/", component="api", via="route"), "route", id="the address"),
        pytest.param(Probe(path="/"), "route", id="nobody's"),
        pytest.param(Probe(job=ProbeJob(), component="api"), "service", id="a component's Job"),
        pytest.param(Probe(job=ProbeJob(image="smoke")), "route", id="a Job of nobody's"),
    ],
)
def test_a_probe_goes_one_way(probe: Probe, way: str) -> None:
    assert probe.way == way


@pytest.mark.parametrize(
    ("probe", "among"),
    [
        pytest.param(Probe(path="/", component="api"), True, id="of the component, by this way"),
        pytest.param(Probe(path="/", component="web"), False, id="of another component"),
        pytest.param(Probe(path="/", component="api", via="service"), False, id="by another way"),
        pytest.param(Probe(path="/"), True, id="of no component"),
    ],
)
def test_a_probe_is_sent_now_or_left_for_another_moment(
    probe: Probe,
    among: bool,  # noqa: FBT001
) -> None:
    assert probe.is_among(frozenset({"api"}), frozenset({"pods", "route"})) is among
