"""Whatever comes in, it is refused or known, and changes nothing that it should not."""

import json
import socket
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from infra.webhook.alertmanager import read_alerts
from infra.webhook.decide import decide
from infra.webhook.github import KNOWN, read_event
from infra.webhook.limits import Body
from infra.webhook.model import Refused
from infra.webhook.serving import Limits
from infra.webhook.signature import sign
from tasks.core.clock import FakeClock
from tasks.core.triggers import Trigger
from tests.unit.infra.webhook.world import ONE, SECRET, TWO, World, alert, push, repository

PUSH = json.dumps(push()).encode()
NOON = FakeClock().now()
SHARED = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from([10**400, -(2**63) - 1, "\0", "0" * 40, "refs/heads/", "--", "../../x"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)

# --- what is not signed


@given(st.integers(0, len(PUSH) - 1))
@SHARED
def test_a_push_that_is_cut_off_is_refused_signed_or_not(world: World, length: int) -> None:
    assert world.send(PUSH[:length]).status_code == 400, "somebody who knows the secret"
    cut = world.send(PUSH[:length], **{"x-hub-signature-256": sign(PUSH, SECRET)})
    assert cut.status_code == 401
    assert world.states() == []


@given(st.integers(0, len(PUSH) - 1), st.integers(1, 255))
@SHARED
def test_one_changed_byte_is_enough_to_be_refused(world: World, place: int, change: int) -> None:
    changed = bytearray(PUSH)
    changed[place] ^= change
    signature = {"x-hub-signature-256": sign(PUSH, SECRET)}
    assert world.send(bytes(changed), **signature).status_code == 401
    assert world.states() == []


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32", "cp037", "latin-1"])
def test_a_payload_in_another_encoding_is_refused(world: World, encoding: str) -> None:
    text = PUSH.decode().replace("Sell more", "Verkäufe")
    assert world.send(text.encode(encoding)).status_code == 400
    assert world.states() == []


@pytest.mark.parametrize(
    "request_text",
    [
        pytest.param(b"POST /github HTTP/1.1\r\ncontent-length: -1\r\n\r\n", id="less than none"),
        pytest.param(b"POST /github HTTP/1.1\r\ncontent-length: 1e3\r\n\r\n", id="no number"),
        pytest.param(
            b"POST /github HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n"
            b"transfer-encoding: chunked\r\n\r\n0\r\n\r\n",
            id="two lengths",
        ),
        pytest.param(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", id="TLS where there is none"),
        pytest.param(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", id="HTTP/2"),
        pytest.param(b"POST /github\r\n\r\n", id="no version"),
        pytest.param(b"\0" * 100, id="zeros"),
    ],
)
def test_what_is_no_request_is_refused(world: World, request_text: bytes) -> None:
    with _connected(world) as raw:
        raw.sendall(request_text)
        assert b" 2" not in _all_of(raw)[:12]
    assert world.states() == []


# --- what is signed, and yet not what GitHub would send


@given(st.sampled_from([*KNOWN, "issues", "x"]), st.dictionaries(st.text(), JSON) | JSON)
@settings(max_examples=300)
def test_any_json_is_read_or_refused(name: str, payload: object) -> None:
    _read(name, payload)


_ONE_OF_EACH: dict[str, dict[str, Any]] = {
    "push": push(),
    "release": {"action": "published", "release": {"id": 7, "tag_name": "v1", "draft": False}},
    "workflow_run": {
        "action": "completed",
        "workflow_run": {"id": 8, "head_sha": ONE, "head_branch": "main", "conclusion": "success"},
    },
    "deployment": {
        "action": "created",
        "deployment": {"id": 9, "sha": ONE, "environment": "dev"},
    },
    "pull_request": {
        "action": "opened",
        "number": 3,
        "pull_request": {"head": {"ref": "x", "sha": ONE}, "base": {"ref": "main", "sha": TWO}},
    },
}


@given(st.data())
@settings(max_examples=500)
def test_a_payload_with_anything_in_one_place_is_read_or_refused(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(_ONE_OF_EACH)))
    payload = {"repository": push()["repository"], **_ONE_OF_EACH[name]}
    inner = data.draw(st.sampled_from(sorted(payload)))
    if isinstance(payload[inner], dict) and data.draw(st.booleans()):
        key = data.draw(st.sampled_from(sorted(payload[inner])))
        payload[inner] = {**payload[inner], key: data.draw(JSON)}
    else:
        payload[inner] = data.draw(JSON)
    _read(name, payload)


def _read(name: str, payload: object) -> None:
    """See that a payload is refused in the one way, or read and then decided."""
    body = json.dumps(payload).encode()
    rules = (Trigger("push"), Trigger("release"), Trigger("workflow_run"), Trigger("deployment"))
    try:
        event = read_event(name, "d-1", body)
    except Refused as refused:
        assert refused.status == 400  # noqa: PT017 most are no error
        return
    decide(event, repository(*rules))


@pytest.mark.parametrize(
    "number",
    [
        pytest.param("9" * 5_000, id="five thousand digits"),
        pytest.param("-" + "9" * 400, id="four hundred, below zero"),
        pytest.param("1e999", id="more than a float holds"),
        pytest.param("1e-999", id="less than a float holds"),
        pytest.param("NaN", id="not a number"),
        pytest.param("-Infinity", id="infinite"),
    ],
)
@pytest.mark.parametrize("place", ["pushed_at", "somewhere"])
def test_a_number_of_any_size_is_stored_or_refused(world: World, number: str, place: str) -> None:
    whole = PUSH.replace(b'"pushed_at": 1780000000', f'"{place}": {number}'.encode())
    assert whole != PUSH
    answer = world.send(whole)
    assert answer.status_code in {202, 400}
    assert len(world.states()) == (answer.status_code == 202)
    world.courier.deliver()


@given(st.integers(0, 400))
@example(100_000)
@SHARED
def test_json_of_any_depth_is_stored_or_refused(world: World, depth: int) -> None:
    deep = b'{"a":' * depth + b"[" * depth + b"]" * depth + b"}" * depth
    body = PUSH[:-1] + b', "deep": ' + (deep or b"0") + b"}"
    known = len(world.states())
    answer = world.send(body, delivery=f"d-{depth}")
    assert answer.status_code in {200, 202, 400}
    assert len(world.states()) == known + (answer.status_code == 202)


def test_a_key_that_is_said_twice_is_read_as_everything_else_reads_it(world: World) -> None:
    twice = PUSH[:-1] + b', "ref": "refs/heads/other"}'
    assert world.send(twice).status_code == 202
    (kept,) = world.store.waiting(10)
    assert kept.event.ref == json.loads(twice)["ref"]


# --- what was there before


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), max_size=12))
@SHARED
def test_only_a_new_delivery_of_something_new_is_kept(
    world: World, sent: list[tuple[int, int]]
) -> None:
    before = len(world.states())
    deliveries: set[int] = set()
    bodies: set[int] = set()
    for delivery, body in sent:
        new = delivery not in deliveries and body not in bodies
        payload = push(before=f"{before + 1:040x}", after=f"{body:040x}")
        answer = world.send(payload, delivery=f"d-{before}-{delivery}")
        assert answer.status_code == (202 if new else 200)
        if new:
            deliveries.add(delivery)
            bodies.add(body)
    assert len(world.states()) == before + len(bodies)


def test_a_delivery_that_is_known_says_nothing_new_with_another_body(world: World) -> None:
    world.send(push(ONE), delivery="d-1")
    world.courier.deliver()
    assert world.send(push(TWO), delivery="d-1").status_code == 200
    assert world.courier.deliver() == 0
    assert [start.parameters["revision"] for start in world.prefect.runs.values()] == [ONE]


def test_clocks_that_disagree_change_nothing(world: World) -> None:
    world.clock.jumped = timedelta(days=-400)
    assert world.send(push()).status_code == 202
    world.clock.jumped = timedelta(days=400)
    assert world.send(push(), delivery="d-2").status_code == 200, "replayed two years later"
    late, early = push(TWO), push(ONE)
    late["repository"]["pushed_at"], early["repository"]["pushed_at"] = 2**40, -1
    assert world.send(early, delivery="d-3").status_code == 202
    assert world.send(late, delivery="d-4").status_code == 202
    assert world.client.get("/metrics").status_code == 200
    world.courier.deliver()
    assert len(world.prefect.runs) == 2, "one says itself that it is older than the first"


# --- Alertmanager's


@given(st.data())
@settings(max_examples=300)
def test_alerts_with_anything_in_one_place_are_read_or_refused(data: st.DataObject) -> None:
    message = alert(slo="availability", severity="critical")
    (found,) = message["alerts"]
    where = data.draw(st.sampled_from([message, found, found["labels"], found["annotations"]]))
    where[data.draw(st.sampled_from(sorted(where)))] = data.draw(JSON)
    try:
        events = read_alerts(json.dumps(message).encode(), NOON)
    except Refused as refused:
        assert refused.status == 400  # noqa: PT017 most are no error
        return
    for event in events:
        decide(event, repository())


@pytest.mark.parametrize(
    ("started", "status"),
    [
        pytest.param("9999-12-31T23:59:59Z", 202, id="in the last year there is"),
        pytest.param("0001-01-01T00:00:00Z", 202, id="in the first"),
        pytest.param("0001-01-01T00:00:00+14:00", 202, id="before there were years"),
        pytest.param("2026-01-01T00:00:00", 400, id="nobody knows where"),
        pytest.param("yesterday", 400, id="in words"),
    ],
)
def test_an_alert_began_whenever_its_sender_says(world: World, started: str, status: int) -> None:
    message = alert(slo="availability", severity="critical")
    message["alerts"][0]["startsAt"] = started
    assert world.send_alert(message).status_code == status
    world.courier.deliver()
    assert len(world.prefect.runs) == (status == 202)


# --- who takes his time


@pytest.fixture
def impatient(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    world.store.register(repository())
    with world.serving(limits=Limits(head_within=0.05)):
        yield world
    world.store.close()


def test_one_source_does_not_take_the_places_of_others(tmp_path: Path) -> None:
    world = World(tmp_path)
    with world.serving(limits=Limits(most_from_one=2)), _connected(world), _connected(world):
        with _connected(world) as third:
            assert _all_of(third) == b""
        assert _is_answered(world, "127.0.0.2")
        counted = b'slipway_webhook_refused_total{door="connection",reason="too many"} 1.0'
        assert counted in world.receiver.metrics.text((0, None), world.clock.now())
    world.store.close()


@pytest.mark.parametrize("said", [b"", b"POST /git", b"POST /github HTTP/1.1\r\nhost: x\r\n"])
def test_a_head_that_never_ends_is_not_waited_for(impatient: World, said: bytes) -> None:
    with _connected(impatient) as slow:
        slow.sendall(said)
        assert impatient.send(push()).status_code == 202
        assert _all_of(slow) == b""


def test_a_second_request_on_a_connection_has_its_own_time(impatient: World) -> None:
    with _connected(impatient) as slow:
        slow.sendall(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\nGET /hea")
        answer = _all_of(slow)
        assert answer.startswith(b"HTTP/1.1 200 OK")
        assert answer.count(b"HTTP/1.1") == 1


def test_a_body_that_never_ends_does_not_hold_up_others(world: World) -> None:
    world.receiver.body = Body(within=timedelta(seconds=0.2))
    with _connected(world) as slow:
        slow.sendall(
            b"POST /github HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
            b"x-hub-signature-256: sha256=%b\r\ncontent-length: 1000\r\n\r\n{" % (b"0" * 64)
        )
        assert world.send(push()).status_code == 202
        assert _all_of(slow).startswith(b"HTTP/1.1 408 ")
    assert len(world.states()) == 1


def test_a_body_of_the_largest_size_does_not_hold_up_others(world: World) -> None:
    huge = json.dumps({"zen": "x" * (Body().most_bytes - 100)}).encode()
    answers: list[int] = []
    sending = threading.Thread(
        target=lambda: answers.append(world.send(huge, event="ping", delivery="h").status_code)
    )
    sending.start()
    for number in range(20):
        payload = push(f"{number:040x}")
        assert world.send(payload, delivery=f"d-{number}").status_code == 202
    sending.join()
    assert answers == [202]


def _connected(world: World, source: str = "127.0.0.1") -> socket.socket:
    place = world.client.base_url
    address = place.host, place.port or 0
    return socket.create_connection(address, timeout=20, source_address=(source, 0))


def _is_answered(world: World, source: str) -> bool:
    with _connected(world, source) as one:
        one.sendall(b"GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
        return _all_of(one).startswith(b"HTTP/1.1 200 ")


def _all_of(connection: socket.socket) -> bytes:
    """Return what is sent until the other side hangs up."""
    said = b""
    while part := connection.recv(65536):
        said += part
    return said
