"""A receiver with a store of its own, payloads, and a Prefect that remembers what it started."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from infra.webhook.app import Receiver
from infra.webhook.courier import Courier
from infra.webhook.keys import Keys
from infra.webhook.limits import Allowance
from infra.webhook.metrics import Metrics
from infra.webhook.model import Repository, Start
from infra.webhook.serving import Limits, Server, configured
from infra.webhook.signature import sign
from infra.webhook.store import Store
from infra.webhook.tls import Tls
from tasks.core.application import Application, Component, Environment
from tasks.core.clock import FakeClock
from tasks.core.errors import SlipwayError
from tasks.core.previews import Previews
from tasks.core.triggers import Trigger

SECRET = "the secret of the tests"
TOKEN = "the token of the tests"
ZERO, ONE, TWO = "0" * 40, "1" * 40, "2" * 40


def application(*triggers: Trigger, previews: Previews | None = None) -> Application:
    return Application(
        application="shop",
        components={"web": Component(context=".")},
        environments={
            name: Environment(name, f"shop-{name}", prometheus="http://prometheus.example")
            for name in ("dev", "staging", "prod")
        },
        triggers=triggers or None,
        previews=previews,
    )


def repository(*triggers: Trigger, previews: Previews | None = None) -> Repository:
    described = application(*triggers, previews=previews)
    return Repository("acme/shop", "https://git.example/acme/shop.git", described)


def push(commit: str = ONE, ref: str = "refs/heads/main", **more: object) -> dict[str, Any]:
    """Return a push as GitHub describes it."""
    head = {
        "id": commit,
        "message": "Sell more",
        "added": ["api/new.py"],
        "modified": ["README.md"],
    }
    return {
        "ref": ref,
        "before": TWO,
        "after": commit,
        "created": False,
        "deleted": False,
        "forced": False,
        "head_commit": head,
        "commits": [head],
        "repository": {
            "full_name": "acme/shop",
            "default_branch": "main",
            "pushed_at": 1780000000,
            "clone_url": "https://evil.example/acme/shop.git",
        },
        **more,
    }


def alert(name: str = "SlowBurn", status: str = "firing", **labels: str) -> dict[str, Any]:
    """Return a message of Alertmanager's, version 4."""
    return {
        "version": "4",
        "groupKey": "{}:{}",
        "truncatedAlerts": 0,
        "status": status,
        "receiver": "slipway",
        "groupLabels": {},
        "commonLabels": {},
        "commonAnnotations": {},
        "externalURL": "http://alertmanager",
        "alerts": [
            {
                "status": status,
                "labels": {
                    "alertname": name,
                    "application": "shop",
                    "environment": "prod",
                    **labels,
                },
                "annotations": {"summary": "it burns"},
                "startsAt": "2026-01-01T00:00:00.5Z",
                "endsAt": "0001-01-01T00:00:00Z",
                "generatorURL": "http://prometheus",
                "fingerprint": "7e2e5a1b",
            }
        ],
    }


@dataclass
class Prefect:
    """Creates runs once for each key; fails while it is told to, kills the courier likewise."""

    runs: dict[str, Start] = field(default_factory=dict)
    asked: int = 0
    fault: SlipwayError | None = None
    kills: bool = False

    def start(self, start: Start, key: str) -> str:
        self.asked += 1
        if self.fault:
            raise self.fault
        self.runs.setdefault(key, start)
        if self.kills:
            raise KeyboardInterrupt
        return f"run-{list(self.runs).index(key) + 1}"


@dataclass
class World:
    """What a test does with a receiver whose courier works when it is told to."""

    folder: Path
    clock: FakeClock = field(default_factory=FakeClock)
    prefect: Prefect = field(default_factory=Prefect)

    def __post_init__(self) -> None:
        self.store = Store(self.folder / "events.sqlite")
        keys = Keys(self.folder / "secrets.json")
        keys.add("one", self.clock.now(), SECRET)
        patient = Allowance(fine=0)
        self.receiver = Receiver(self.store, keys, TOKEN, clock=self.clock, allowance=patient)
        self.courier = Courier(self.store, self.prefect.start, Metrics(), clock=self.clock)
        self.client = httpx.Client(trust_env=False, timeout=20)

    @contextmanager
    def serving(self, tls: Tls | None = None, limits: Limits | None = None) -> Iterator[Server]:
        """Listen on a port that is free, as the receiver's own process does."""
        server = Server(configured(self.receiver, limits), tls)
        with socket.create_server(("127.0.0.1", 0)) as listening, self.client:
            self.client.base_url = f"http://127.0.0.1:{listening.getsockname()[1]}"
            thread = threading.Thread(target=server.run, args=([listening],))
            thread.start()
            try:
                yield server
            finally:
                server.should_exit = True
                thread.join()

    def send(
        self, payload: object, event: str = "push", delivery: str = "d-1", **headers: str
    ) -> httpx.Response:
        """Send a signed payload; bytes are sent as they are."""
        body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        sent = {
            "content-type": "application/json",
            "x-github-event": event,
            "x-github-delivery": delivery,
            "x-hub-signature-256": sign(body, SECRET),
            **headers,
        }
        encoded = {name.encode(): value.encode() for name, value in sent.items()}
        return self.client.post("/github", content=body, headers=encoded)

    def send_alert(self, payload: object, token: str = TOKEN) -> httpx.Response:
        return self.client.post(
            "/alertmanager", json=payload, headers={"authorization": f"Bearer {token}"}
        )

    def states(self) -> list[tuple[str, str]]:
        """Return state and reason of each event, oldest first."""
        kept = reversed(self.store.newest(1000))
        return [(each.outcome.state.value, each.outcome.reason) for each in kept]
