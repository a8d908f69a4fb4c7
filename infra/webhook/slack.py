"""Slack's interactivity: buttons that were pressed, and dialogues that were sent off.

Source: docs.slack.dev, Verifying requests from Slack; Handling user interaction in your Slack apps;
block_actions and view payloads.
"""

import hmac
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from http import HTTPStatus
from urllib.parse import parse_qs

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from infra.webhook.model import Event, Nothing, Pressed, Refused
from tasks.core.slack import COMMENT, Button

__all__ = ["Dialogue", "Headers", "dialogue_view", "is_slacks", "read_request", "sign"]

WINDOW = timedelta(minutes=5)
"""What is older may be somebody's copy."""
LONGEST_NUMBER = 11
MOST_FIELDS = 10
LONGEST_COMMENT = 1000
KNOWN = ("block_actions", "view_submission")
FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Headers:
    """What comes beside a body: its type, X-Slack-Request-Timestamp and X-Slack-Signature."""

    content_type: str
    timestamp: str
    signature: str

    @property
    def signed_at(self) -> datetime | None:
        """The instant that is part of the signature; None where it is no number of seconds."""
        text = self.timestamp
        if not (text.isascii() and text.isdigit() and len(text) <= LONGEST_NUMBER):
            return None
        return datetime.fromtimestamp(int(text), UTC)


@dataclass(frozen=True, slots=True)
class Dialogue:
    """Somebody pressed a button that needs words: Slack shows a dialogue to whom it has told us.

    Attributes:
        trigger: lets us open one, for three seconds.
        place: channel and message of the button.
    """

    trigger: str
    asked: Button
    place: tuple[str, str]


class _Theirs(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class _Id(_Theirs):
    id: str = Field(min_length=1, max_length=64)


class _Container(_Theirs):
    channel_id: str = Field(default="", max_length=64)
    message_ts: str = Field(default="", max_length=64)


class _Action(_Theirs):
    action_ts: str = Field(min_length=1, max_length=64)
    value: str = Field(default="", max_length=2000)


class _Actions(_Theirs):
    user: _Id
    container: _Container = _Container()
    trigger_id: str = ""
    actions: tuple[_Action, ...] = Field(max_length=25)


class _Input(_Theirs):
    value: str | None = Field(default=None, max_length=3000)


class _State(_Theirs):
    values: dict[str, dict[str, _Input]] = {}


class _View(_Theirs):
    id: str = Field(min_length=1, max_length=64)
    callback_id: str = ""
    private_metadata: str = Field(default="", max_length=3000)
    state: _State = _State()


class _Submission(_Theirs):
    user: _Id
    view: _View


class _Payload(_Theirs):
    type: str = Field(min_length=1, max_length=64)


class _Metadata(_Theirs):
    asked: str
    place: tuple[str, str]


def sign(body: bytes, timestamp: str, secret: str) -> str:
    """Return the header X-Slack-Signature of a body: version 0, over the raw bytes."""
    signed = b"v0:" + timestamp.encode() + b":" + body
    return "v0=" + hmac.new(secret.encode(), signed, sha256).hexdigest()


def is_slacks(body: bytes, headers: Headers, secret: str, now: datetime) -> bool:
    """Say whether Slack has signed a body, within five minutes of now.

    Own code, not slack_sdk's: that raises on a timestamp that is no number, on a body that is no
    UTF-8 and on a signature that is no ASCII.
    """
    at = headers.signed_at
    if at is None or not secret or abs(now - at) > WINDOW:
        return False
    expected = sign(body, headers.timestamp, secret).encode()
    return hmac.compare_digest(expected, headers.signature.encode("utf-8", "replace"))


def read_request(body: bytes, headers: Headers) -> tuple[tuple[Event, ...], Dialogue | None]:
    """Read what somebody did in Slack; the signature has been found right.

    Returns:
        What is to be stored, and the dialogue to open where words are needed first.

    Raises:
        Refused: it is none of Slack's payloads.
    """
    if headers.content_type.partition(";")[0].strip().lower() != FORM:
        raise Refused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "content type")
    payload = _payload(body)
    signed_at = headers.signed_at or datetime.fromtimestamp(0, UTC)
    try:
        match _Payload.model_validate_json(payload).type:
            case "block_actions":
                return _actions(_Actions.model_validate_json(payload), signed_at)
            case "view_submission":
                return (_submission(_Submission.model_validate_json(payload), signed_at),), None
            case other:
                return (_nothing(other, payload),), None
    except ValidationError as error:
        raise Refused(HTTPStatus.BAD_REQUEST, "payload") from error


def dialogue_view(dialogue: Dialogue) -> dict[str, object]:
    """Return what asks for a comment; it carries to Slack and back what it is about."""
    asked = dialogue.asked
    label = "Why" if asked.choice == "reject" else "What you have looked at"
    field = {"type": "plain_text_input", "action_id": COMMENT, "multiline": True}
    about = f"{asked.choice} {asked.release} of {asked.application} in {asked.environment}"
    return {
        "type": "modal",
        "callback_id": COMMENT,
        "private_metadata": json.dumps({"asked": asked.text(), "place": dialogue.place}),
        "title": _words("Slipway"),
        "submit": _words(asked.choice.capitalize()),
        "close": _words("Cancel"),
        "blocks": [
            {"type": "section", "text": _words(f"{about}, plan {asked.plan}")},
            {
                "type": "input",
                "block_id": COMMENT,
                "label": _words(label),
                "element": {**field, "min_length": 1, "max_length": LONGEST_COMMENT},
            },
        ],
    }


def _words(text: str) -> dict[str, str]:
    return {"type": "plain_text", "text": text}


def _payload(body: bytes) -> str:
    try:
        fields = parse_qs(
            body.decode("ascii"),
            strict_parsing=True,
            errors="strict",
            max_num_fields=MOST_FIELDS,
        )
        (payload,) = fields["payload"]
    except (ValueError, KeyError) as error:
        raise Refused(HTTPStatus.BAD_REQUEST, "form") from error
    return payload


def _actions(message: _Actions, signed_at: datetime) -> tuple[tuple[Event, ...], Dialogue | None]:
    place = (message.container.channel_id, message.container.message_ts)
    read = [(action, Button.read(action.value)) for action in message.actions]
    ours = [(action, asked) for action, asked in read if asked is not None]
    if not ours:
        return (_nothing("block_actions", message.model_dump_json()),), None
    action, asked = ours[0]
    if asked.comment:
        return (), Dialogue(message.trigger_id, asked, place)
    pressed = _pressed(asked, message.user.id, signed_at, place)
    return (_event("block_actions", f"{message.user.id}-{action.action_ts}", pressed),), None


def _submission(sent: _Submission, signed_at: datetime) -> Event:
    view = sent.view
    if view.callback_id != COMMENT:
        return _nothing("view_submission", sent.model_dump_json())
    carried = _Metadata.model_validate_json(view.private_metadata)
    asked = Button.read(carried.asked)
    if asked is None:
        raise Refused(HTTPStatus.BAD_REQUEST, "payload")
    comment = view.state.values.get(COMMENT, {}).get(COMMENT, _Input()).value or ""
    pressed = _pressed(asked, sent.user.id, signed_at, carried.place, comment)
    return _event("view_submission", f"{sent.user.id}-{view.id}", pressed)


def _pressed(
    asked: Button, user: str, signed_at: datetime, place: tuple[str, str], comment: str = ""
) -> Pressed:
    channel, message = place
    return Pressed(asked, user, signed_at, channel, message, " ".join(comment.split()))


def _event(name: str, delivery: str, pressed: Pressed) -> Event:
    asked = pressed.asked
    # without the instant: what Slack sends again is signed anew
    said = json.dumps([delivery, asked.text(), pressed.user, pressed.message, pressed.comment])
    content = sha256(said.encode()).hexdigest()
    subject = f"{asked.environment}/{asked.application}"
    return Event("slack", name, delivery, content, subject, asked.release, pressed)


def _nothing(name: str, payload: str) -> Event:
    content = sha256(payload.encode()).hexdigest()
    facts = Nothing("nothing of ours was pressed")
    return Event("slack", "other" if name not in KNOWN else name, content, content, "", "", facts)
