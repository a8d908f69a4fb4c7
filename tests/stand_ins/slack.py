"""Slack as it is over HTTP, in a process of its own: its Web API, and presses as it signs them."""

import json
import multiprocessing
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from multiprocessing.connection import Connection
from typing import Any
from urllib.parse import urlencode

import httpx
from slack_sdk.signature import SignatureVerifier

from tasks.core.slack import Button, Login

__all__ = [
    "LIMITED",
    "SIGNING_SECRET",
    "TOKEN",
    "StandIn",
    "fault_in",
    "press",
    "says",
    "signed",
    "standing_in",
    "submission",
]

SIGNING_SECRET, TOKEN = "8f742231b10e8888abcd99yyyzzz85a5", "xoxb-token-of-the-tests"
Json = dict[str, Any]


@dataclass
class _Workspace:
    """What the process of the stand-in remembers."""

    faults: list[Json] = field(default_factory=list)
    calls: list[Json] = field(default_factory=list)
    messages: dict[str, Json] = field(default_factory=dict)

    def serve(self, method: str, told: Json) -> Json:
        fault = fault_in(told) if method in ("chat.postMessage", "chat.update") else None
        if fault is not None:
            return {"ok": False, "error": fault}
        match method:
            case "chat.postMessage":
                ts = f"1700000000.{len(self.messages) + 1:06}"
                self.messages[ts] = told
                return {"ok": True, "channel": told["channel"], "ts": ts}
            case "chat.update" if told["ts"] in self.messages:
                self.messages[told["ts"]] |= told
                return {"ok": True, "channel": told["channel"], "ts": told["ts"]}
            case "chat.update":
                return {"ok": False, "error": "message_not_found"}
            case "chat.postEphemeral" | "views.open":
                return {"ok": True}
            case _:
                return {"ok": True, "user": "slipway", "team": "Acme", "url": "https://acme.x/"}


def fault_in(told: Json) -> str | None:
    """docs.slack.dev, Block Kit: 50 blocks, 3,000 characters a text, 2,000 a button's value."""
    if not str(told.get("channel", "")).startswith("C"):
        return "channel_not_found"
    blocks = told.get("blocks", [])
    texts = [each["text"]["text"] for each in blocks if "text" in each]
    buttons = [each for block in blocks for each in block.get("elements", []) if "value" in each]
    fits = (
        len(blocks) <= 50
        and all(0 < len(text) <= 3000 for text in texts)
        and all(len(each["value"]) <= 2000 for each in buttons)
    )
    return None if fits else "invalid_blocks"


def _play(pipe: Connection) -> None:
    workspace = _Workspace()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            method, told = self.path.rpartition("/")[2], json.loads(body or b"{}")
            if method == "_faults":
                workspace.faults = told["faults"]
                return self._say(200, {})
            if method == "_told":
                return self._say(200, {"calls": workspace.calls, "messages": workspace.messages})
            workspace.calls.append({"method": method, **told})
            if workspace.faults and (fault := workspace.faults.pop(0)):
                return self._say(fault["status"], fault["answer"], fault.get("headers", {}))
            if self.headers["authorization"] != f"Bearer {TOKEN}":
                return self._say(200, {"ok": False, "error": "invalid_auth"})
            return self._say(200, workspace.serve(method, told))

        def _say(self, status: int, answer: Json, headers: dict[str, str] | None = None) -> None:
            self.send_response(status)
            for name, value in {"content-type": "application/json", **(headers or {})}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(json.dumps(answer).encode())

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        pipe.send(server.server_port)
        server.serve_forever(poll_interval=0.01)


@dataclass(frozen=True)
class StandIn:
    """What a test sees of it."""

    api: str

    @property
    def login(self) -> Login:
        return Login(TOKEN, SIGNING_SECRET, self.api)

    def fails(self, *faults: Json | None) -> None:
        """Let the next calls fail one after the other; None lets one through."""
        self._ask("_faults", {"faults": faults})

    @property
    def calls(self) -> list[Json]:
        return list(self._ask("_told")["calls"])

    @property
    def messages(self) -> dict[str, Json]:
        return dict(self._ask("_told")["messages"])

    def methods(self) -> list[str]:
        return [each["method"] for each in self.calls]

    def _ask(self, path: str, told: Json | None = None) -> Json:
        answer = httpx.post(f"{self.api}{path}", json=told or {}, trust_env=False, timeout=20)
        return dict(answer.json())


LIMITED = {
    "status": 429,
    "answer": {"ok": False, "error": "ratelimited"},
    "headers": {"Retry-After": "30"},
}


def says(error: str) -> Json:
    return {"status": 200, "answer": {"ok": False, "error": error}}


@contextmanager
def standing_in() -> Iterator[StandIn]:
    """Let it live for as long as a block runs."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_play, args=(theirs,))
    process.start()
    try:
        yield StandIn(f"http://127.0.0.1:{ours.recv()}/api/")
    finally:
        process.kill()
        process.join()
        process.close()
        ours.close()
        theirs.close()


def press(asked: Button, user: str = "U0ANA", action_ts: str = "1780000000.1") -> Json:
    """Return what Slack sends when somebody presses one of our buttons.

    Source: docs.slack.dev, block_actions payloads.
    """
    return {
        "type": "block_actions",
        "api_app_id": "A1",
        "team": {"id": "T1", "domain": "acme"},
        "user": {"id": user, "username": "ana", "team_id": "T1"},
        "trigger_id": "12321423423.333649436676.d8c1bb837935619ccad0f624c448ffb3",
        "container": {"type": "message", "message_ts": "1700000000.000001", "channel_id": "C1"},
        "channel": {"id": "C1", "name": "releases"},
        "response_url": "https://hooks.slack.com/actions/secret",
        "state": {"values": {}},
        "actions": [
            {
                "type": "button",
                "action_id": f"slipway_{asked.choice}",
                "block_id": "b",
                "value": asked.text(),
                "action_ts": action_ts,
            }
        ],
    }


def submission(view: Json, comment: str, user: str = "U0ANA") -> Json:
    """Return what Slack sends when somebody sends a dialogue of ours off."""
    (block,) = [each for each in view["blocks"] if each["type"] == "input"]
    values = {block["block_id"]: {block["element"]["action_id"]: {"value": comment}}}
    kept = {key: view[key] for key in ("callback_id", "private_metadata")}
    return {
        "type": "view_submission",
        "user": {"id": user},
        "view": {"id": "V1", **kept, "state": {"values": values}},
    }


def signed(
    payload: Json | bytes, at: datetime, secret: str = SIGNING_SECRET, **headers: str
) -> tuple[bytes, dict[str, str]]:
    """Return body and headers as Slack sends them, signed by Slack's own library."""
    body = (
        payload
        if isinstance(payload, bytes)
        else urlencode({"payload": json.dumps(payload)}).encode()
    )
    stamp = str(int(at.timestamp()))
    signature = SignatureVerifier(secret).generate_signature(timestamp=stamp, body=body)
    return body, {
        "content-type": "application/x-www-form-urlencoded",
        "x-slack-request-timestamp": stamp,
        "x-slack-signature": signature or "",
        **headers,
    }
