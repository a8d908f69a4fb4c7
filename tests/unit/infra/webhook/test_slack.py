"""POST /slack: only what Slack has signed within five minutes is stored, and once."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import quote, urlencode

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from infra.webhook.model import NotYet, Pressed
from infra.webhook.slack import sign
from infra.webhook.slack_door import SlackDoor
from tasks.core.errors import ConfigError, GateClosed, Unavailable
from tasks.core.slack import Button, Login
from tests.stand_ins.slack import (
    SIGNING_SECRET,
    StandIn,
    press,
    signed,
    standing_in,
    submission,
)
from tests.unit.infra.webhook.world import World, push

ASKED = Button("0000", "shop", "prod", "r-0123456789ab", "p-1", "approve")
UNHURRIED = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
FORM = "application/x-www-form-urlencoded"


@pytest.fixture(scope="module")
def slack() -> Iterator[StandIn]:
    with standing_in() as made:
        yield made


@pytest.fixture
def door(world: World, slack: StandIn) -> World:
    """A receiver whose machine is logged in."""
    world.receiver.slack = SlackDoor(lambda: slack.login)
    return world


def send(world: World, payload: dict[str, Any] | bytes, **headers: str) -> httpx.Response:
    body, sent = signed(payload, world.clock.now())
    return post(world, body, {**sent, **headers})


def post(world: World, body: bytes, headers: dict[str, str]) -> httpx.Response:
    encoded = {name.encode(): value.encode() for name, value in headers.items()}
    return world.client.post("/slack", content=body, headers=encoded)


def test_a_press_is_stored_before_it_is_thanked_for(door: World) -> None:
    answer = send(door, press(ASKED))
    assert (answer.status_code, answer.content) == (200, b"")
    (kept,) = door.store.waiting(10)
    assert kept.event.subject == "prod/shop"
    assert kept.event.facts == Pressed(ASKED, "U0ANA", door.clock.now(), "C1", "1700000000.000001")
    assert "hooks.slack.com" not in repr(kept), "the address that answers need no token for"


def test_what_slack_sends_again_is_the_same_press(door: World) -> None:
    send(door, press(ASKED))
    door.clock.wait(timedelta(seconds=5))
    again = send(door, press(ASKED), **{"x-slack-retry-num": "1"})
    assert again.status_code == 200
    assert len(door.states()) == 1
    send(door, press(ASKED, action_ts="1780000009.9"))
    assert len(door.states()) == 2, "pressed twice"


@pytest.mark.parametrize(
    ("minutes", "status"),
    [
        pytest.param(0, 200, id="just now"),
        pytest.param(5, 200, id="five minutes ago"),
        pytest.param(5.1, 401, id="longer ago"),
        pytest.param(-5, 200, id="five minutes ahead"),
        pytest.param(-5.1, 401, id="further ahead"),
    ],
)
def test_a_signature_counts_for_five_minutes(door: World, minutes: float, status: int) -> None:
    body, headers = signed(press(ASKED), door.clock.now() - timedelta(minutes=minutes))
    assert post(door, body, headers).status_code == status
    assert len(door.states()) == (status == 200)


BODY = urlencode({"payload": json.dumps(press(ASKED))}).encode()
STAMP = "x-slack-request-timestamp"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        pytest.param({"x-slack-signature": ""}, 401, id="no signature"),
        pytest.param({"x-slack-signature": "v0=é"}, 401, id="no ASCII"),
        pytest.param({"x-slack-signature": sign(BODY, "1", SIGNING_SECRET)}, 401, id="of then"),
        pytest.param({STAMP: ""}, 401, id="no instant"),
        pytest.param({STAMP: "now"}, 401, id="an instant that is no number"),
        pytest.param({STAMP: "-1"}, 401, id="an instant before the epoch"),
        pytest.param({STAMP: "9" * 400}, 401, id="an instant after the end of time"),
        pytest.param({STAMP: "٣٣"}, 401, id="digits of another script"),
        pytest.param({"content-type": "application/json"}, 415, id="another content type"),
    ],
)
def test_a_request_that_is_not_right_is_refused_without_a_word(
    door: World, headers: dict[str, str], status: int
) -> None:
    answer = send(door, press(ASKED), **headers)
    assert (answer.status_code, answer.content) == (status, b"")
    assert door.states() == []


def test_another_secret_and_another_body_are_refused(door: World) -> None:
    body, headers = signed(press(ASKED), door.clock.now(), "another secret, long enough")
    assert post(door, body, headers).status_code == 401
    body, headers = signed(press(ASKED), door.clock.now())
    assert post(door, body + b" ", headers).status_code == 401
    assert post(door, body[:-9], headers).status_code == 401
    assert door.states() == []


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(BODY[:-30], id="cut off"),
        pytest.param(b"payload=", id="empty"),
        pytest.param(BODY + b"&" + BODY, id="two payloads"),
        pytest.param(b"other=1", id="another field"),
        pytest.param(b"a=1&" * 50 + BODY, id="many fields"),
        pytest.param(b"payload=%FF%FE", id="no UTF-8"),
        pytest.param(b"payload=" + "é".encode(), id="not encoded"),
        pytest.param(b"payload=" + quote("[" * 100_000).encode(), id="100,000 brackets"),
        pytest.param(b"payload=[]", id="no mapping"),
        pytest.param(b"payload=" + quote('{"type":"block_actions"}').encode(), id="no actions"),
        pytest.param(BODY.replace(b"U0ANA", b"%5Cud800"), id="half a character"),
    ],
)
def test_a_signed_body_that_is_no_payload_is_refused(door: World, body: bytes) -> None:
    now = door.clock.now()
    stamp = str(int(now.timestamp()))
    sent = {"content-type": FORM, STAMP: stamp}
    signature = {"x-slack-signature": sign(body, stamp, SIGNING_SECRET)}
    assert post(door, body, sent | signature).status_code == 400
    assert door.states() == []


@given(
    st.binary(max_size=300),
    st.text(st.characters(min_codepoint=33, max_codepoint=255), max_size=80),
    st.text(st.characters(min_codepoint=33, max_codepoint=255), max_size=20),
)
@UNHURRIED
def test_nothing_unsigned_ever_changes_anything(
    door: World, body: bytes, signature: str, stamp: str
) -> None:
    now = str(int(door.clock.now().timestamp()))
    for instant in (stamp, now):
        sent = {"content-type": FORM, STAMP: instant, "x-slack-signature": signature}
        assert 400 <= post(door, body, sent).status_code < 500
    assert door.states() == []


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(st.sampled_from(sorted(press(ASKED))), _JSON)
@UNHURRIED
def test_a_signed_press_of_any_shape_is_stored_or_refused(
    door: World, key: str, value: object
) -> None:
    before = len(door.states())
    status = send(door, {**press(ASKED), key: value}).status_code
    assert status in {200, 400}
    assert len(door.states()) - before in ({0, 1} if status == 200 else {0})


def test_what_has_nothing_to_do_with_us_is_acknowledged_and_ignored(door: World) -> None:
    stranger = press(ASKED)
    stranger["actions"][0]["value"] = "a button of another app's"
    for payload in (stranger, {"type": "shortcut", "user": {"id": "U1"}}):
        assert send(door, payload).status_code == 200
    door.courier.deliver()
    assert door.states() == [("ignored", "nothing of ours was pressed")] * 2


def test_where_nobody_has_logged_in_there_is_no_door(world: World) -> None:
    world.receiver.slack = SlackDoor(lambda: None)
    assert send(world, press(ASKED)).status_code == 404


def test_a_login_that_cannot_be_read_lets_nobody_in(world: World) -> None:
    def damaged() -> Login:
        raise ConfigError("is damaged")

    world.receiver.slack = SlackDoor(damaged)
    assert send(world, press(ASKED)).status_code == 503


def test_words_are_asked_for_in_a_dialogue_and_come_back_with_it(
    door: World, slack: StandIn
) -> None:
    wordy = replace(ASKED, comment=True)
    heard = len(slack.calls)
    assert send(door, press(wordy)).status_code == 200
    assert door.states() == [], "nothing is decided yet"
    opened = awaited(slack, heard)
    assert opened["method"] == "views.open"
    assert opened["trigger_id"] == press(wordy)["trigger_id"]
    assert send(door, submission(opened["view"], " looked\nat it ")).status_code == 200
    (kept,) = door.store.waiting(10)
    assert isinstance(kept.event.facts, Pressed)
    assert (kept.event.facts.asked, kept.event.facts.comment) == (wordy, "looked at it")
    assert send(door, submission(opened["view"], "another")).status_code == 200
    assert len(door.states()) == 1, "a dialogue is sent off once"


def awaited(slack: StandIn, heard: int) -> dict[str, Any]:
    """Return the call after so many as soon as it has come."""
    while len(calls := slack.calls) <= heard:
        pass
    return calls[heard]


def test_an_answer_goes_on_in_its_turn_and_waits_for_prefect(door: World) -> None:
    answered: list[Pressed] = []
    faults: list[Exception] = [Unavailable("is away"), GateClosed("does not wait any more")]

    def answerer(pressed: Pressed) -> str:
        if faults:
            raise faults.pop(0)
        answered.append(pressed)
        return "ana said approve in Slack"

    door.courier.answerer = answerer
    send(door, press(ASKED))
    with pytest.raises(Unavailable):
        door.courier.deliver()
    assert door.states() == [("stored", "")]
    door.courier.deliver()
    assert door.states() == [("refused", "does not wait any more")]
    send(door, press(ASKED, action_ts="2"))
    door.courier.deliver()
    assert door.states()[-1] == ("delivered", "ana said approve in Slack")
    assert [each.user for each in answered] == ["U0ANA"]


def test_a_press_that_has_to_wait_is_overtaken_by_everything(door: World) -> None:
    tries: list[str] = []

    def answerer(pressed: Pressed) -> str:
        tries.append(pressed.user)
        if len(tries) < 4:
            raise NotYet("the cluster does not answer")
        return "ana said approve in Slack"

    door.courier.answerer = answerer
    send(door, press(ASKED))
    door.send(push())
    assert door.courier.deliver() == 1
    assert [state for state, _ in door.states()] == ["stored", "delivered"]
    tried_at: list[float] = []
    for second in range(10):
        before = len(tries)
        door.courier.deliver()
        tried_at += [second] * (len(tries) - before)
        door.clock.wait(timedelta(seconds=1))
    assert tried_at == [1, 3, 7], "a longer pause each time"
    assert door.states()[0] == ("delivered", "ana said approve in Slack")


def test_of_several_presses_that_wait_one_is_tried_at_a_time(door: World) -> None:
    tries: list[str] = []

    def answerer(pressed: Pressed) -> str:
        tries.append(pressed.message)
        raise NotYet("the cluster does not answer")

    door.courier.answerer = answerer
    for number in range(3):
        send(door, press(ASKED, action_ts=str(number)))
    door.courier.deliver()
    assert len(tries) == 3
    door.clock.wait(timedelta(seconds=1))
    for count in (4, 5, 6, 6):
        door.courier.deliver()
        assert len(tries) == count


def test_a_fault_of_our_own_ends_a_press_and_nothing_else(door: World) -> None:
    def answerer(_pressed: Pressed) -> str:
        raise KeyError("state")

    door.courier.answerer = answerer
    send(door, press(ASKED))
    door.send(push())
    door.courier.deliver()
    assert door.states()[0] == ("refused", "a fault of Slipway's own, KeyError")
    assert door.states()[1][0] == "delivered"
