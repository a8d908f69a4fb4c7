"""Events from outside over HTTP: a signed push is delivered, an alert takes a release back."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import httpx
import pytest

from infra.cli import apply
from infra.webhook.keys import Keys
from infra.webhook.model import Kept, State
from infra.webhook.settings import settings
from infra.webhook.stand_in import push, send
from infra.webhook.store import Store
from tasks.core.clock import SystemClock, utc_now

if TYPE_CHECKING:
    from infra.server.client import RunView
    from tests.e2e.pipeline_world import Pipeline
    from tests.e2e.shop import Shop

pytestmark = pytest.mark.e2e

PATIENCE = timedelta(minutes=2)
PROBE = "{ path: /, via: route, contains: Guestbook }"


@dataclass
class Outside:
    """GitHub and Alertmanager, as the receiver knows them, and a shop that it is told about."""

    pipeline: "Pipeline"
    shop: "Shop"
    secret: str

    def push(self, commit: str) -> int:
        """Send a push of a commit to main, as a delivery of its own."""
        name = apply.name_in(str(self.shop.repository))
        return send(push(name, commit, self.secret, pushed_at=1), settings())

    def alert(self) -> int:
        """Send what Alertmanager sends about the shop's dev."""
        labels = {
            "alertname": "ErrorBudgetBurnsFast",
            "application": self.shop.name,
            "environment": "dev",
            "severity": "critical",
            "slo": "availability",
        }
        message: dict[str, Any] = {
            "receiver": "slipway",
            "status": "firing",
            "alerts": [
                {
                    "status": "firing",
                    "labels": labels,
                    "annotations": {"summary": "half of all requests fail"},
                    "startsAt": utc_now().isoformat(),
                    "endsAt": "0001-01-01T00:00:00Z",
                    "generatorURL": "http://prometheus/graph",
                    "fingerprint": "c2bd2a9d1c1f0b8e",
                }
            ],
            "groupLabels": {"application": self.shop.name},
            "commonLabels": labels,
            "commonAnnotations": {},
            "externalURL": "http://alertmanager",
            "version": "4",
            "groupKey": "{}:{}",
            "truncatedAlerts": 0,
        }
        token = settings().alertmanager_token.read_text()
        body = json.dumps(message).encode()
        return httpx.post(
            f"{settings().url}/alertmanager",
            content=body,
            headers={"authorization": f"Bearer {token}"},
            trust_env=False,
            timeout=20,
        ).status_code

    def run(self, number: int) -> "RunView":
        """Wait for the run that the event started, and for its end."""
        self._until(lambda: self._delivered(number) is not None)
        kept = self._delivered(number)
        assert kept is not None
        named = self.pipeline.runs.named(kept.outcome.run)
        return self.pipeline.until_over(named.id)

    def events(self) -> list[Kept]:
        """Return the shop's events, oldest first."""
        store = Store(settings().store)
        try:
            every = store.newest(1000)
        finally:
            store.close()
        about = {apply.name_in(str(self.shop.repository)), f"dev/{self.shop.name}"}
        return [each for each in reversed(every) if each.event.subject in about]

    def _delivered(self, number: int) -> Kept | None:
        found = self.events()[number : number + 1]
        return next((each for each in found if each.outcome.state is not State.STORED), None)

    def _until(self, holds: Any) -> None:  # noqa: ANN401 a question
        clock = SystemClock()
        deadline = clock.now() + PATIENCE
        while not holds():
            assert clock.now() < deadline, self.events()
            clock.wait(timedelta(milliseconds=200))


@pytest.fixture(scope="module")
def outside(pipeline: "Pipeline") -> Iterator[Outside]:
    keys = Keys(settings().secrets)
    name = f"e2e-{uuid4().hex[:6]}"
    with pipeline.shop("dev") as shop:
        shop.given_change("slipway.yaml", PROBE, "{ path: /health, via: route }")
        applied = pipeline.slipway("apply", str(shop.repository))
        assert applied.code == 0, applied.stderr
        yield Outside(pipeline, shop, keys.add(name, utc_now()))
        pipeline.slipway("forget", str(shop.repository))
    keys.remove(name)


def test_a_push_is_delivered_once_though_the_receiver_is_killed(outside: Outside) -> None:
    commit = outside.shop.given_greeting("Welcome")
    assert outside.push(commit) == 202
    outside.pipeline.until_back(outside.pipeline.when_daemon_killed("receiver"))
    assert outside.push(commit) == 200
    view = outside.run(0)
    assert view.state == "COMPLETED", view.message
    assert [each.outcome.state for each in outside.events()] == [State.DELIVERED]
    assert [each.release.commit for each in outside.shop.history("dev")] == [commit]
    assert outside.shop.get("dev").status_code == 200


def test_a_release_that_burns_after_its_rollout_is_taken_back_by_an_alert_once(
    outside: Outside,
) -> None:
    words = "GREETING=Welcome"
    bad = outside.shop.given_change(
        "deploy/base/kustomization.yaml", words, f"{words}\n      - FAULTS=1"
    )
    assert outside.push(bad) == 202
    assert outside.run(1).state == "COMPLETED"
    assert outside.shop.get("dev").status_code == 500

    assert outside.alert() == 202
    view = outside.run(2)
    assert view.state == "COMPLETED", view.message
    assert outside.shop.get("dev").status_code == 200
    newest = outside.shop.history("dev")[0]
    assert (newest.number, newest.restores, newest.actor) == (3, 1, "guard")
    assert "half of all requests fail" in newest.reason

    assert outside.alert() == 202
    again = outside.run(3)
    assert again.state == "COMPLETED", again.message
    said = "ignore: rollout 3 has taken the release back"
    outside.pipeline.until_holds(again.id, lambda: said in outside.pipeline.log(again.id))
    assert [number for number, _ in outside.shop.states("dev")] == [1, 2, 3]

    assert outside.push(bad) == 200, "the same push again starts nothing"
    refused = outside.pipeline.when_delivered(outside.shop)
    assert "was taken back here before" in refused.message
