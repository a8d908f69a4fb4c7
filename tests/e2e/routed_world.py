"""The small application behind an HTTPRoute, with users and testers who ask it all the time."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import httpx

from tasks.core.clock import Clock
from tasks.core.cluster import Cluster
from tasks.core.http import authorities
from tasks.core.model import Outcome, Release, Verdict
from tasks.core.record import Record, RolloutState
from tasks.core.watching import Reading, Watch
from tasks.rollout.unjudged import unjudged
from tests.e2e.rollout_world import World, world

__all__ = [
    "ROUTED",
    "Load",
    "given_live",
    "host_of",
    "judged_worse",
    "routed_world",
    "then_nothing_is_left_of_the_canary",
    "version",
]

TESTER = {"X-Canary": "always"}
SETTLING = timedelta(seconds=1.5)
"""Contour and Envoy know of a change of a route by then."""
NOTING = timedelta(seconds=1)
"""A change of the traffic is in the record by then; users notice it before that."""
ROUTED = """\
apiVersion: v1
kind: Service
metadata: {{name: api}}
spec: {{selector: {{app: api}}, ports: [{{port: 80, targetPort: 8080}}]}}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {{name: api}}
spec:
  parentRefs: [{{name: lab, namespace: slipway-lab}}]
  hostnames: [{host}]
  rules:
    - matches: [{{path: {{type: PathPrefix, value: /}}}}]
      backendRefs: [{{name: api, port: 80}}]
"""


@contextmanager
def routed_world(tmp: Path) -> Iterator[World]:
    """Give the application a namespace and a public route, and take them away afterwards."""
    with world(tmp) as made:
        made.extra = ROUTED.format(host=host_of(made))
        made.drain = 3
        made.deadline = timedelta(seconds=90)
        yield made


def version(shop: World, number: int, **files: str) -> Release:
    return shop.release({"health": "ok", "version": str(number), **files})


def host_of(shop: World) -> str:
    return f"{shop.namespace}.localhost"


@dataclass
class Load:
    """Requests through the ingress, one after the other, by a user and by a tester."""

    shop: World
    answers: list[tuple[datetime, bool, str]] = field(default_factory=list)

    @contextmanager
    def running(self) -> Iterator["Load"]:
        stopped = threading.Event()
        threads = [
            threading.Thread(target=self._send, args=(stopped, is_tester), daemon=True)
            for is_tester in (False, True)
        ]
        for thread in threads:
            thread.start()
        try:
            yield self
        finally:
            stopped.set()
            for thread in threads:
                thread.join()

    def _send(self, stopped: threading.Event, is_tester: bool) -> None:  # noqa: FBT001 a fact
        headers = {"Host": host_of(self.shop)} | (TESTER if is_tester else {})
        with client_of(self.shop) as client:
            while not stopped.wait(0.02):
                at = self.shop.clock.now()
                self.answers.append((at, is_tester, self._ask(client, headers)))

    def _ask(self, client: httpx.Client, headers: dict[str, str]) -> str:
        try:
            answer = client.get(f"http://{self.shop.target.ingress}/version", headers=headers)
        except httpx.HTTPError as error:
            return repr(error)
        return answer.text.strip() if answer.is_success else f"status {answer.status_code}"

    def seen(self, since: datetime, until: datetime, *, tester: bool) -> Counter[str]:
        """Count the versions that answered between two changes of the traffic."""
        return Counter(
            said
            for at, is_tester, said in self.answers
            if since + SETTLING <= at < until - NOTING and is_tester == tester
        )

    def failures(self, record: Record) -> list[str]:
        """Say when in a rollout which requests got no answer from a version."""
        return [
            f"{at} tester={is_tester}: {said}, after "
            + next((each.what for each in reversed(record.moments) if each.at < at), "nothing")
            for at, is_tester, said in self.answers
            if said not in {"1", "2", "3"}
        ]


def judged_worse(_cluster: Cluster, clock: Clock, watch: Watch) -> Iterator[Reading]:
    """Judge as one who sees errors as soon as users meet the release."""
    for reading in unjudged(_cluster, clock, watch):
        failed = Reading(Verdict(Outcome.FAILED, "20 % of the requests failed"), decided=True)
        yield failed if watch.share > 0 else reading


def client_of(shop: World) -> httpx.Client:
    """Return a client that never meets OpenSSL: a fork made meanwhile would wait for its lock."""
    trusted = authorities(f"http://{shop.target.ingress}")
    return httpx.Client(trust_env=False, timeout=10, verify=trusted)


def given_live(shop: World) -> None:
    assert shop.roll_out(version(shop, 1)).state is RolloutState.SUCCEEDED
    with client_of(shop) as client:
        load = Load(shop)
        until = shop.clock.now() + timedelta(seconds=30)
        while load._ask(client, {"Host": host_of(shop)}) != "1" and shop.clock.now() < until:
            shop.clock.wait(timedelta(seconds=0.2))


def then_nothing_is_left_of_the_canary(shop: World) -> None:
    assert set(shop.objects("apps/v1", "Deployment")) == {"api", "web"}
    assert set(shop.objects("v1", "Service")) == {"api"}
    (route,) = shop.objects("gateway.networking.k8s.io/v1", "HTTPRoute").values()
    (rule,) = route["spec"]["rules"]
    assert [each["name"] for each in rule["backendRefs"]] == ["api"]
