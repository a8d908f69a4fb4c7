"""Canaries as `deliver` brings them: judged by what users meet, and held at gates for people."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import httpx
import pytest

if TYPE_CHECKING:
    from infra.server.client import RunView
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


class TestJudgedByItsUsers:
    @pytest.fixture(scope="class")
    def shop(self, pipeline: "Pipeline") -> "Iterator[Shop]":
        with pipeline.shop("dev") as made:
            made.given_change("slipway.yaml", ROLLING, JUDGED)
            view = pipeline.when_delivered(made)
            assert view.state == "COMPLETED", view.message
            yield made

    def test_a_good_release_passes_on_evidence(self, pipeline: "Pipeline", shop: "Shop") -> None:
        shop.given_greeting("Welcome")
        with users(shop, "dev") as seen:
            view = pipeline.when_delivered(shop)
        assert view.state == "COMPLETED", view.message
        assert set(seen) == {200}
        verdicts = shop.history("dev")[0].verdicts
        assert any("availability" in each.reason for each in verdicts), verdicts
        assert "<h1>Welcome</h1>" in shop.get("dev").text
        then_no_canary_is_left(shop, "dev")

    def test_a_release_that_fails_users_is_taken_back(
        self, pipeline: "Pipeline", shop: "Shop"
    ) -> None:
        last = shop.history("dev")[0]
        bad = "GREETING=Bad\n      - FAULTS=0.3"
        shop.given_change(CONFIG, "GREETING=Welcome", bad)
        with users(shop, "dev") as seen:
            view = pipeline.when_delivered(shop)
            before = seen[500]
            assert [shop.get("dev").status_code for _ in range(20)] == [200] * 20
        assert view.state == "FAILED"
        record = shop.history("dev")[0]
        assert (record.state.value, record.number) == ("restored", last.number + 1)
        assert "availability" in record.reason
        assert set(seen) <= {200, 500}, "nothing failed that a bad release did not answer"
        assert seen[500] == before, "nobody meets it any more"
        assert shop.config("dev") == {"Welcome"}
        then_no_canary_is_left(shop, "dev")


class TestHeldAtAGate:
    @pytest.fixture(scope="class")
    def shop(self, pipeline: "Pipeline") -> "Iterator[Shop]":
        with pipeline.shop("prod") as made:
            made.given_change("slipway.yaml", ROLLING, GATED)
            made.given_change("slipway.yaml", "expires: 24h", "expires: 40s")
            # nothing but people decides here
            text = (made.repository / "slipway.yaml").read_text()
            (made.repository / "slipway.yaml").write_text(text[: text.index("slos:")])
            made.given_commit("Judge by people")
            view = pipeline.when_approved(pipeline.when_delivered(made).id)
            assert view.state == "COMPLETED", view.message
            yield made

    def at_the_gate(self, pipeline: "Pipeline", shop: "Shop", words: str) -> "RunView":
        """Deliver another release as far as its gate."""
        shop.given_greeting(words)
        asked = pipeline.when_delivered(shop)
        held = pipeline.when_approved(asked.id)
        assert held.state == "PAUSED", held.message
        assert "the canary has 50 % of the traffic" in pipeline.runs.question(held.id)
        names = {each["metadata"]["name"] for each in shop.objects("prod", "Deployment", "apps/v1")}
        assert names == {"guestbook", "guestbook-canary"}
        return held

    def test_nobody_answers_and_the_canary_goes_back(
        self, pipeline: "Pipeline", shop: "Shop"
    ) -> None:
        last = shop.history("prod")[0]
        held = self.at_the_gate(pipeline, shop, "Silence")
        pipeline.until_holds(held.id, lambda: shop.history("prod")[0].state.value != "started")
        record = shop.history("prod")[0]
        assert record.number == last.number + 1
        assert record.state.value == "restored", record.reason
        assert "at a gate" in record.reason
        then_no_canary_is_left(shop, "prod")
        assert shop.config("prod") == {"Guestbook"}

    def test_a_person_says_no(self, pipeline: "Pipeline", shop: "Shop") -> None:
        held = self.at_the_gate(pipeline, shop, "Refused")
        with users(shop, "prod") as seen:
            ended = pipeline.when_answered(held.id, pipeline.answer(decision="reject"))
        assert ended.state == "FAILED"
        assert shop.history("prod")[0].state.value == "restored"
        assert set(seen) == {200}
        then_no_canary_is_left(shop, "prod")

    def test_a_newer_release_takes_the_place_of_one_that_is_held(
        self, pipeline: "Pipeline", shop: "Shop"
    ) -> None:
        older = self.at_the_gate(pipeline, shop, "Older")
        shop.given_greeting("Newer")
        with users(shop, "prod") as seen:
            asked = pipeline.when_delivered(shop)
        assert asked.state == "PAUSED", asked.message
        assert pipeline.runs.view(older.id).state == "CANCELLED"
        assert shop.history("prod")[0].state.value == "superseded"
        assert set(seen) == {200}
        then_no_canary_is_left(shop, "prod")
        held = pipeline.when_approved(asked.id)
        done = pipeline.when_approved(held.id)
        assert done.state == "COMPLETED", done.message
        assert "<h1>Newer</h1>" in shop.get("prod").text

    def test_a_person_opens_it(self, pipeline: "Pipeline", shop: "Shop") -> None:
        held = self.at_the_gate(pipeline, shop, "Opened")
        with users(shop, "prod") as seen:
            ended = pipeline.when_approved(held.id)
        assert ended.state == "COMPLETED", ended.message
        assert shop.history("prod")[0].state.value == "succeeded"
        assert set(seen) == {200}
        assert "<h1>Opened</h1>" in shop.get("prod").text
        then_no_canary_is_left(shop, "prod")
