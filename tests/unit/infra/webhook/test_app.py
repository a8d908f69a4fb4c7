import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from infra.webhook.limits import Allowance, Body, Intake, source_of
from infra.webhook.signature import sign
from tests.unit.infra.webhook.world import ONE, SECRET, TWO, World, alert, push

PUSH = json.dumps(push()).encode()
DEEP = b"[" * 100_000


def test_a_signed_push_is_stored_before_it_is_answered(world: World) -> None:
    assert world.send(push()).status_code == 202
    (kept,) = world.store.waiting(10)
    event = kept.event
    assert (event.source, event.name, event.subject, event.ref) == (
        "github",
        "push",
        "acme/shop",
        "refs/heads/main",
    )


def test_what_comes_again_is_answered_and_kept_once(world: World) -> None:
    assert world.send(push(), delivery="d-1").status_code == 202
    assert world.send(push(), delivery="d-1").status_code == 200
    assert world.send(push(), delivery="d-2").status_code == 200, "the same content"
    assert len(world.states()) == 1


def test_a_branch_that_is_pushed_back_and_forth_is_seen_each_time(world: World) -> None:
    for number, (before, after) in enumerate([(ONE, TWO), (TWO, ONE), (ONE, TWO)]):
        payload = push(after, before=before)
        payload["repository"]["pushed_at"] += number
        assert world.send(payload, delivery=f"d-{number}").status_code == 202
    assert len(world.states()) == 3


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        pytest.param({"x-hub-signature-256": ""}, 401, id="no signature"),
        pytest.param({"x-hub-signature-256": sign(PUSH, "another")}, 401, id="another secret"),
        pytest.param({"x-hub-signature-256": sign(PUSH + b" ", SECRET)}, 401, id="another body"),
        pytest.param({"x-hub-signature-256": sign(PUSH, SECRET)[7:]}, 401, id="without its prefix"),
        pytest.param({"x-hub-signature-256": "sha256=é"}, 401, id="no ASCII"),
        pytest.param({"content-type": "text/plain"}, 415, id="another content type"),
        pytest.param({"x-github-event": ""}, 400, id="no event"),
        pytest.param({"x-github-event": "pull_request"}, 400, id="the event of another payload"),
        pytest.param({"x-github-delivery": ""}, 400, id="no delivery"),
        pytest.param({"x-github-delivery": "a b"}, 400, id="no word for a delivery"),
    ],
)
def test_a_request_that_is_not_right_is_refused_without_a_word(
    world: World, headers: dict[str, str], status: int
) -> None:
    answer = world.send(PUSH, **headers)
    assert (answer.status_code, answer.content) == (status, b"")
    assert world.states() == []


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(PUSH[:-10], id="cut off"),
        pytest.param(b"[]", id="no mapping"),
        pytest.param(DEEP, id="a hundred thousand brackets"),
        pytest.param(b'{"a":' * 100_000, id="a hundred thousand mappings"),
        pytest.param(PUSH.replace(b"acme/shop", b"acme\xff"), id="no UTF-8"),
        pytest.param(json.dumps(push()).encode("utf-16"), id="UTF-16"),
        pytest.param(PUSH.replace(b"acme/shop", b"\\ud800"), id="half a character"),
        pytest.param(json.dumps({**push(), "ref": 7}).encode(), id="a number for a ref"),
    ],
)
def test_a_signed_body_that_is_no_payload_is_refused(world: World, body: bytes) -> None:
    assert world.send(body).status_code == 400
    assert world.states() == []


@given(
    st.binary(max_size=300),
    st.text(st.characters(min_codepoint=33, max_codepoint=255), max_size=80),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_nothing_unsigned_ever_changes_anything(world: World, body: bytes, header: str) -> None:
    answer = world.send(body, **{"x-hub-signature-256": header})
    assert 400 <= answer.status_code < 500
    assert world.states() == []


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(st.sampled_from(sorted(push())), _JSON)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_a_signed_push_of_any_shape_is_stored_or_refused(
    world: World, key: str, value: object
) -> None:
    before = len(world.states())
    answer = world.send({**push(), key: value}, delivery=f"d-{before}")
    assert answer.status_code in {200, 202, 400}
    assert len(world.states()) - before == (answer.status_code == 202)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("GET", "/github"),
        ("POST", "/github/"),
        ("POST", "/slack"),
        ("PUT", "/metrics"),
        ("GET", "/healthz/"),
    ],
)
def test_anything_else_is_not_there(world: World, method: str, path: str) -> None:
    answer = world.client.request(method, path)
    assert (answer.status_code, answer.content) == (404, b"")


def test_a_body_over_the_limit_is_refused_announced_or_not(world: World) -> None:
    world.receiver.body = Body(most_bytes=1000)
    assert world.send(b"x" * 1001).status_code == 413
    unannounced = iter([b"x" * 600, b"x" * 600])
    headers = {"content-type": "application/json", "x-hub-signature-256": sign(b"", "any")}
    assert world.client.post("/github", content=unannounced, headers=headers).status_code == 413


def test_there_is_a_limit_to_what_is_read_at_once(world: World) -> None:
    world.receiver.intake = Intake(most_bytes=100)
    assert world.send(push()).status_code == 503
    world.receiver.intake.most_bytes = 100_000
    assert world.send(push()).status_code == 202, "what was held is given back"


def test_one_sender_does_not_fill_the_room_of_all(world: World) -> None:
    world.receiver.intake = Intake(most_from_one=100)
    assert world.send(push()).status_code == 503
    assert world.receiver.intake.most_bytes > 100


@pytest.mark.parametrize("header", ["", "sha256=", "sha256=0", f"sha1={'0' * 64}", "0" * 64])
def test_nothing_is_read_of_what_nobody_can_have_signed(world: World, header: str) -> None:
    world.receiver.body = Body(most_bytes=0)  # whatever is read is too much
    assert world.send(push(), **{"x-hub-signature-256": header}).status_code == 401
    assert world.send(push()).status_code == 413


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("fe80::1%eth0", "fe80::"),
        ("", ""),
    ],
)
def test_who_has_a_network_of_addresses_is_one_sender(host: str, expected: str) -> None:
    assert source_of(host) == expected


def test_a_source_pays_for_what_is_refused(world: World) -> None:
    world.receiver.allowance = Allowance(rate=0.0, burst=5, fine=1)
    bad = {"x-hub-signature-256": "sha256=0"}
    assert [world.send(PUSH, **bad).status_code for _ in range(4)] == [401, 401, 401, 429]
    assert world.send(push()).status_code == 429


def test_a_secret_counts_as_soon_as_it_is_there_and_no_longer(world: World) -> None:
    keys = world.receiver.keys
    keys.add("new", world.clock.now(), "another secret of the tests")
    signed = {"x-hub-signature-256": sign(PUSH, "another secret of the tests")}
    assert world.send(PUSH, **signed).status_code == 202
    keys.remove("new")
    assert world.send(PUSH, **signed).status_code == 401
    keys.remove("one")
    assert world.send(PUSH).status_code == 401, "without any secret nobody comes in"


def test_alerts_need_the_token_and_are_kept_by_environment(world: World) -> None:
    assert world.send_alert(alert(), token="guessed").status_code == 401
    two = alert()
    two["alerts"] += alert(environment="dev")["alerts"]
    assert world.send_alert(two).status_code == 202
    assert [each.event.subject for each in world.store.waiting(10)] == ["prod/shop", "dev/shop"]
    assert world.send_alert({"alerts": 7}).status_code == 400


def test_the_receiver_says_how_it_is(world: World) -> None:
    world.send(push())
    world.send(b"{}", event="issues", delivery="d-2")
    world.send(PUSH, **{"x-hub-signature-256": "sha256=0"})
    world.clock.wait(world.receiver.body.within)
    text = world.client.get("/metrics").text
    for line in (
        'slipway_webhook_stored_total{door="github",event="push",new="true"} 1.0',
        'slipway_webhook_stored_total{door="github",event="other",new="true"} 1.0',
        'slipway_webhook_refused_total{door="github",reason="signature"} 1.0',
        "slipway_webhook_waiting 2.0",
        "slipway_webhook_lag_seconds 10.0",
    ):
        assert line in text
    assert world.client.get("/healthz").status_code == 200
    assert world.client.get("/readyz").status_code == 200
