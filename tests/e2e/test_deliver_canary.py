"""Canaries as `deliver` brings them: judged by what users meet, and held at gates for people."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import httpx
import pytest

from flows.clearing import CLEARED

if TYPE_CHECKING:
    from infra.server.client import RunView
    from tasks.core.record import Record
    from tests.e2e.pipeline_world import Pipeline
    from tests.e2e.shop import Shop

pytestmark = pytest.mark.e2e

ROLLING = "strategy: { rolling: { deadline: 3m } }"
JUDGED = "strategy: { canary: { steps: [50, 100], bake: 5s } }"
GATED = "strategy: { canary: { steps: [{ share: 50, gate: true }, 100], bake: 5s } }"
CONFIG = "deploy/base/kustomization.yaml"


@contextmanager
def users(shop: "Shop", environment: str) -> Iterator[Counter[int]]:
    """Ask the public address all the time; give how often each status came, 0 for none."""
    stopped, seen = threading.Event(), Counter[int]()

    def ask() -> None:
        while not stopped.wait(0.05):
            try:
                seen[shop.get(environment).status_code] += 1
            except httpx.HTTPError:
                seen[0] += 1

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    try:
        yield seen
    finally:
        stopped.set()
        thread.join()


def then_no_canary_is_left(shop: "Shop", environment: str) -> None:
    (deployment,) = shop.objects(environment, "Deployment", "apps/v1")
    assert deployment["metadata"]["name"] == "guestbook"


def has_half(record: "Record", number: int) -> bool:
    """Say whether a rollout is the newest and its canary answers half of the requests."""
    return record.number == number and 50 in [moment.share for moment in record.moments]


@pytest.fixture(scope="module")
def judged(pipeline: "Pipeline") -> "Iterator[Shop]":
    with pipeline.shop("dev") as made:
        made.given_change("slipway.yaml", ROLLING, JUDGED)
        made = made.given_least_rights("dev")  # noqa: PLW2901 the same, with fewer rights
        view = pipeline.when_delivered(made)
        assert view.state == "COMPLETED", view.message
        yield made


@pytest.fixture(scope="module")
def gated(pipeline: "Pipeline") -> "Iterator[Shop]":
    with pipeline.shop("prod") as made:
        made.given_change("slipway.yaml", ROLLING, GATED)
        # nothing but people decides here
        text = (made.repository / "slipway.yaml").read_text()
        (made.repository / "slipway.yaml").write_text(text[: text.index("slos:")])
        made.given_commit("Judge by people")
        view = pipeline.when_approved(pipeline.when_delivered(made).id)
        assert view.state == "COMPLETED", view.message
        yield made


class TestJudgedByItsUsers:
    def test_a_good_release_passes_on_evidence(self, pipeline: "Pipeline", judged: "Shop") -> None:
        judged.given_greeting("Welcome")
        with users(judged, "dev") as seen:
            view = pipeline.when_delivered(judged)
        assert view.state == "COMPLETED", view.message
        assert set(seen) == {200}
        verdicts = judged.history("dev")[0].verdicts
        assert any("availability" in each.reason for each in verdicts), verdicts
        assert "<h1>Welcome</h1>" in judged.get("dev").text
        then_no_canary_is_left(judged, "dev")

    def test_one_that_is_cancelled_in_the_middle_goes_back_and_can_be_delivered_again(
        self, pipeline: "Pipeline", judged: "Shop"
    ) -> None:
        last, words = judged.history("dev")[0], judged.config("dev")
        judged.given_greeting("Cancelled")
        run = pipeline.when_started(judged)
        # nobody uses it, so the share waits for evidence
        pipeline.until_holds(run, lambda: has_half(judged.history("dev")[0], last.number + 1))
        pipeline.runs.cancel(run)
        with users(judged, "dev") as seen:
            view = pipeline.until(run, lambda view: view.word == CLEARED)
        record = judged.history("dev")[0]
        assert (record.number, record.state.value) == (last.number + 1, "superseded")
        assert record.reason.startswith("cancelled by a person; ")
        assert record.reason in view.message
        (lease,) = judged.objects("dev", "Lease", "coordination.k8s.io/v1")
        assert not lease["spec"]["holderIdentity"]
        assert set(seen) == {200}
        assert judged.config("dev") == words
        then_no_canary_is_left(judged, "dev")
        with users(judged, "dev"):
            view = pipeline.when_delivered(judged)
        assert view.state == "COMPLETED", view.message
        assert "<h1>Cancelled</h1>" in judged.get("dev").text

    def test_a_release_that_fails_users_is_taken_back(
        self, pipeline: "Pipeline", judged: "Shop"
    ) -> None:
        last = judged.history("dev")[0]
        bad = "GREETING=Bad\n      - FAULTS=0.3"
        judged.given_change(CONFIG, "GREETING=Cancelled", bad)
        with users(judged, "dev") as seen:
            view = pipeline.when_delivered(judged)
            before = seen[500]
            assert [judged.get("dev").status_code for _ in range(20)] == [200] * 20
        assert view.state == "FAILED"
        record = judged.history("dev")[0]
        assert (record.state.value, record.number) == ("restored", last.number + 1)
        assert "availability" in record.reason
        assert set(seen) <= {200, 500}, "nothing failed that a bad release did not answer"
        assert seen[500] == before, "nobody meets it any more"
        assert judged.config("dev") == {"Cancelled"}
        then_no_canary_is_left(judged, "dev")


class TestHeldAtAGate:
    def at_the_gate(self, pipeline: "Pipeline", gated: "Shop", words: str) -> "RunView":
        """Deliver another release as far as its gate."""
        gated.given_greeting(words)
        asked = pipeline.when_delivered(gated)
        held = pipeline.when_approved(asked.id)
        assert held.state == "PAUSED", held.message
        assert "the canary has 50 % of the traffic" in pipeline.runs.question(held.id)
        names = {
            each["metadata"]["name"] for each in gated.objects("prod", "Deployment", "apps/v1")
        }
        assert names == {"guestbook", "guestbook-canary"}
        return held

    def test_a_person_says_no(self, pipeline: "Pipeline", gated: "Shop") -> None:
        held = self.at_the_gate(pipeline, gated, "Refused")
        with users(gated, "prod") as seen:
            ended = pipeline.when_answered(held.id, pipeline.answer(decision="reject"))
        assert ended.state == "FAILED"
        assert gated.history("prod")[0].state.value == "restored"
        assert set(seen) == {200}
        then_no_canary_is_left(gated, "prod")

    @pytest.mark.soak
    def test_a_newer_release_takes_the_place_of_one_that_is_held(
        self, pipeline: "Pipeline", gated: "Shop"
    ) -> None:
        older = self.at_the_gate(pipeline, gated, "Older")
        gated.given_greeting("Newer")
        with users(gated, "prod") as seen:
            asked = pipeline.when_delivered(gated)
        assert asked.state == "PAUSED", asked.message
        assert pipeline.runs.view(older.id).state == "CANCELLED"
        assert gated.history("prod")[0].state.value == "superseded"
        assert set(seen) == {200}
        then_no_canary_is_left(gated, "prod")
        held = pipeline.when_approved(asked.id)
        done = pipeline.when_approved(held.id)
        assert done.state == "COMPLETED", done.message
        assert "<h1>Newer</h1>" in gated.get("prod").text

    def test_a_person_opens_it(self, pipeline: "Pipeline", gated: "Shop") -> None:
        held = self.at_the_gate(pipeline, gated, "Opened")
        with users(gated, "prod") as seen:
            ended = pipeline.when_approved(held.id)
        assert ended.state == "COMPLETED", ended.message
        assert gated.history("prod")[0].state.value == "succeeded"
        assert set(seen) == {200}
        assert "<h1>Opened</h1>" in gated.get("prod").text
        then_no_canary_is_left(gated, "prod")
