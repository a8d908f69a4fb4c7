"""Canaries on the lab, behind an HTTPRoute and under load."""

import multiprocessing
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import httpx
import pytest

from tasks.core.clock import Clock
from tasks.core.cluster import Cluster, Scope
from tasks.core.cluster_api import connect
from tasks.core.model import Outcome, Record, Release, RolloutState, Verdict
from tasks.core.objects import Kind
from tasks.core.strategy import Canary, CanaryStep, Strategy
from tasks.core.watching import Reading, Watch
from tasks.rollout import marks
from tasks.rollout.history import history
from tasks.rollout.model import By
from tasks.rollout.records import decode
from tests.e2e.rollout_world import World, world

pytestmark = pytest.mark.e2e

TESTER = {"X-Canary": "always"}
SETTLING = timedelta(seconds=1.5)
"""Contour and Envoy know of a change of a route by then."""
LADDER = Canary(
    steps=(
        CanaryStep(0, wait=timedelta(seconds=4)),
        CanaryStep(30, wait=timedelta(seconds=8)),
        CanaryStep(100),
    ),
    bake=timedelta(seconds=3),
)

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


@pytest.fixture
def shop(tmp_path: Path, lab: object) -> Iterator[World]:
    del lab  # it has to be up, and says where it is in its state folder
    with world(tmp_path) as made:
        made.strategy = Strategy(canary=LADDER)
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
        with httpx.Client(trust_env=False, timeout=10) as client:
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
            if since + SETTLING <= at < until and is_tester == tester
        )

    def failures(self, record: Record) -> list[str]:
        """Say when in a rollout which requests got no answer from a version."""
        return [
            f"{at} tester={is_tester}: {said}, after "
            + next((each.what for each in reversed(record.moments) if each.at < at), "nothing")
            for at, is_tester, said in self.answers
            if said not in {"1", "2"}
        ]


def given_live(shop: World) -> None:
    assert shop.roll_out(version(shop, 1)).state is RolloutState.SUCCEEDED
    with httpx.Client(trust_env=False, timeout=10) as client:
        load = Load(shop)
        until = shop.clock.now() + timedelta(seconds=30)
        while load._ask(client, {"Host": host_of(shop)}) != "1" and shop.clock.now() < until:
            shop.clock.wait(timedelta(seconds=0.2))


def shares(record: Record) -> dict[int, datetime]:
    """Return when each share of the traffic began."""
    return {each.share: each.at for each in record.moments if each.share is not None}


def generation(shop: World) -> int:
    return int(shop.objects("apps/v1", "Deployment")["api"]["metadata"]["generation"])


def then_nothing_is_left_of_the_canary(shop: World) -> None:
    assert set(shop.objects("apps/v1", "Deployment")) == {"api", "web"}
    assert set(shop.objects("v1", "Service")) == {"api"}
    (route,) = shop.objects("gateway.networking.k8s.io/v1", "HTTPRoute").values()
    (rule,) = route["spec"]["rules"]
    assert [each["name"] for each in rule["backendRefs"]] == ["api"]


def test_a_canary_takes_exact_shares_and_the_stable_place_without_a_failed_request(
    shop: World,
) -> None:
    given_live(shop)
    with Load(shop).running() as load:
        record = shop.roll_out(version(shop, 2))
    assert record.state is RolloutState.SUCCEEDED, record.reason
    at = shares(record)
    assert load.failures(record) == []
    before = load.seen(at[0], at[30], tester=False)
    assert set(before) == {"1"}
    invited = next(each.at for each in record.moments if each.what == "testers may come")
    testers = load.seen(invited, at[30], tester=True)
    assert set(testers) == {"2"}
    mixed = load.seen(at[30], at[100], tester=False)
    assert 0.2 < mixed["2"] / mixed.total() < 0.4, mixed
    assert record.finished_at is not None
    after = load.seen(at[100], record.finished_at, tester=False)
    assert set(after) == {"2"}
    then_nothing_is_left_of_the_canary(shop)


def worse(_cluster: Cluster, clock: Clock, watch: Watch) -> Iterator[Reading]:
    """Judge as one who sees errors as soon as users meet the release."""
    while True:
        clock.wait(timedelta(seconds=1))
        outcome = Outcome.FAILED if watch.share > 0 else Outcome.PASSED
        yield Reading(Verdict(outcome, "20 % of the requests failed"), decided=True)


def test_a_release_that_hurts_goes_back_by_traffic_alone(shop: World) -> None:
    given_live(shop)
    before = generation(shop)
    shop.judge = worse
    with Load(shop).running() as load:
        record = shop.roll_out(version(shop, 2))
        shop.clock.wait(timedelta(seconds=2))
    assert record.state is RolloutState.RESTORED
    assert "it was never touched" in record.reason
    assert generation(shop) == before
    assert load.failures(record) == []
    then_nothing_is_left_of_the_canary(shop)


def test_a_canary_that_fails_its_probe_gets_no_user(shop: World) -> None:
    given_live(shop)
    before = generation(shop)
    with Load(shop).running() as load:
        record = shop.roll_out(shop.release({"version": "2"}))
    assert record.state is RolloutState.RESTORED
    assert "GET /health: expected 200, got 404" in record.reason
    assert {said for _, is_tester, said in load.answers if not is_tester} == {"1"}
    assert generation(shop) == before
    then_nothing_is_left_of_the_canary(shop)


def test_killed_in_the_middle_of_the_ladder_it_goes_on_where_it_was(shop: World) -> None:
    given_live(shop)
    second = version(shop, 2)
    process = multiprocessing.get_context("fork").Process(target=run_alone, args=(shop, second))
    process.start()
    secrets = Scope((Kind("v1", "Secret"),), shop.namespace, name="slipway-rollout-2")
    for found in shop.cluster.watch(secrets, shop.clock.now() + timedelta(minutes=1)):
        if found and decode(found[0]).progress.has(marks.shifted(1)):
            break
    process.kill()
    process.join()
    left = history(shop.place, shop.cluster)[0]
    with Load(shop).running() as load:
        record = shop.roll_out(second, By(run="run-killed"))
    assert (left.state, record.state) == (RolloutState.STARTED, RolloutState.SUCCEEDED)
    assert (record.number, record.started_at) == (2, left.started_at)
    assert record.moments[: len(left.moments)] == left.moments
    assert load.failures(record) == []
    then_nothing_is_left_of_the_canary(shop)


def run_alone(shop: World, release: Release) -> None:
    """Roll out in a process of its own, with its own connections."""
    with connect(shop.target) as cluster:
        shop.cluster = cluster
        shop.roll_out(release, By(run="run-killed"))
