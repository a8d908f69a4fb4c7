from datetime import timedelta

import pytest

from tasks.core.cluster import Answer
from tasks.core.model import Digest, ReleasedImage
from tasks.core.objects import Object
from tasks.core.probes import Probe
from tasks.core.sample import Track
from tasks.probe.decide import TRACK, Port, Streak, is_asked, judge, port_of

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
        pytest.param({"ports": [{"containerPort": 3001}]}, Port("api", 3001), id="declared"),
        pytest.param(
            {"readinessProbe": {"httpGet": {"port": 8080}}},
            Port("api", 8080),
            id="probed",
        ),
        pytest.param(
            {"readinessProbe": {"httpGet": {"port": "http"}}}, None, id="a name that nothing has"
        ),
        pytest.param({}, None, id="none"),
    ],
)
def test_the_port_is_that_of_the_container_with_the_image(
    container: Object, port: Port | None
) -> None:
    image = ReleasedImage("api", "api", Digest("1"))
    assert port_of(pod(**container), image) == port


def test_the_port_of_slipway_yaml_goes_before_the_first_of_the_container() -> None:
    several = [{"containerPort": 9090, "name": "metrics"}, {"containerPort": 3001}]
    image = ReleasedImage("api", "api", Digest("1"), port=3001)
    assert port_of(pod(ports=several), image) == Port("api", 3001)


def test_a_pod_with_another_image_is_not_asked() -> None:
    other = ReleasedImage("api", "api", Digest("2"))
    assert port_of(pod(ports=[{"containerPort": 1}]), other) is None


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
