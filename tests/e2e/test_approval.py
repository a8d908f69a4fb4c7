"""Nothing gets into prod without a person who may, for exactly what they were shown."""

import getpass
import json
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING
from uuid import UUID

import pytest

from infra.cli import exits
from tasks.core.cluster_api import connect
from tasks.core.errors import ConfigError, GateClosed
from tasks.core.objects import Kind, Ref
from tests.e2e.shop import AUTHOR, PEOPLE

if TYPE_CHECKING:
    from infra.server.client import RunView
    from tests.e2e.pipeline_world import Pipeline
    from tests.e2e.shop import Shop

pytestmark = pytest.mark.e2e

DEMO = PEOPLE[0]


@pytest.fixture(scope="module")
def shop(pipeline: "Pipeline") -> "Iterator[Shop]":
    """An application whose first environment is prod already."""
    with pipeline.shop("prod") as made:
        yield made


@pytest.fixture(scope="module")
def other(pipeline: "Pipeline") -> "Iterator[Shop]":
    with pipeline.shop("prod") as made:
        yield made


@pytest.fixture(scope="module")
def waiting(pipeline: "Pipeline", shop: "Shop") -> "RunView":
    """The first run of the shop; each test leaves it waiting but the one that approves it."""
    return waits(pipeline.when_delivered(shop))


@pytest.fixture(scope="module")
def other_waiting(pipeline: "Pipeline", other: "Shop") -> "RunView":
    """The first run of the other shop; no test lets it pass."""
    return waits(pipeline.when_delivered(other))


def waits(view: "RunView") -> "RunView":
    assert view.state == "PAUSED", view.message
    return view


def plan_in(question: str) -> str:
    """Return the plan that an approver is asked about."""
    found = re.search(r"p-[0-9a-f]{12}", question)
    assert found, question
    return found[0]


def schedule_by_hand(pipeline: "Pipeline", run: UUID) -> None:
    """Do what anybody can who reaches Prefect's API."""
    asked = {"state": {"type": "SCHEDULED"}, "force": True}
    pipeline.runs.api.post(f"/flow_runs/{run}/set_state", asked)


class TestAnAnswerThatDoesNotCount:
    """The run goes on waiting and the next form begins with the reason."""

    def test_a_wrong_code(self, pipeline: "Pipeline", waiting: "RunView") -> None:
        waits(pipeline.when_answered(waiting.id, pipeline.answer(DEMO, code="000000")))
        assert f"wrong code of {DEMO}" in pipeline.runs.question(waiting.id)

    def test_somebody_who_is_no_approver(self, pipeline: "Pipeline", waiting: "RunView") -> None:
        form = {**pipeline.answer(DEMO), "approver": "mallory"}
        waits(pipeline.when_answered(waiting.id, form))
        assert "mallory is no approver of prod" in pipeline.runs.question(waiting.id)

    def test_the_author_of_the_commit(self, pipeline: "Pipeline", waiting: "RunView") -> None:
        waits(pipeline.when_answered(waiting.id, pipeline.answer(AUTHOR)))
        assert f"{AUTHOR} is the commit's author" in pipeline.runs.question(waiting.id)

    @pytest.mark.parametrize("form", [None, {}, {"approver": DEMO, "decision": "approve"}])
    def test_an_incomplete_form(
        self, pipeline: "Pipeline", waiting: "RunView", form: dict[str, str] | None
    ) -> None:
        result = pipeline.runs.api.post(f"/flow_runs/{waiting.id}/resume", {"run_input": form})
        assert result["status"] == "REJECT"
        waits(pipeline.runs.view(waiting.id))

    def test_another_decision_than_yes_or_no(
        self, pipeline: "Pipeline", waiting: "RunView"
    ) -> None:
        with pytest.raises(GateClosed, match="'maybe' is not one of"):
            pipeline.when_answered(waiting.id, pipeline.answer(decision="maybe"))
        waits(pipeline.runs.view(waiting.id))


def test_a_code_counts_once_in_all_runs(
    pipeline: "Pipeline", shop: "Shop", waiting: "RunView", other_waiting: "RunView"
) -> None:
    form = pipeline.answer(DEMO, code=pipeline.next_code(DEMO))
    done = pipeline.when_answered(waiting.id, form)
    waits(pipeline.when_answered(other_waiting.id, form))
    assert done.state == "COMPLETED", done.message
    assert shop.history("prod")[0].approved_by == (DEMO,)
    assert "was used already" in pipeline.runs.question(other_waiting.id)


def test_a_run_set_going_by_hand_gets_nowhere(
    pipeline: "Pipeline", other: "Shop", other_waiting: "RunView"
) -> None:
    schedule_by_hand(pipeline, other_waiting.id)
    pipeline.until_over(other_waiting.id)
    assert other.history("prod") == ()


def test_another_cluster_than_the_one_that_was_shown_is_asked_about_again(
    pipeline: "Pipeline", shop: "Shop"
) -> None:
    shop.given_greeting("Hello")
    asked = waits(pipeline.when_delivered(shop))
    first = plan_in(pipeline.runs.question(asked.id))
    shop.delete("prod", "HTTPRoute", "gateway.networking.k8s.io/v1")
    waits(pipeline.when_approved(asked.id))
    second = pipeline.runs.question(asked.id)
    assert plan_in(second) != first
    assert "HTTPRoute/guestbook was deleted by somebody" in second
    assert shop.states("prod") == [(1, "succeeded")]
    done = pipeline.when_approved(asked.id)
    assert done.state == "COMPLETED", done.message
    assert "Hello" in shop.get("prod").text

    schedule_by_hand(pipeline, done.id)
    assert pipeline.until_over(done.id).state == "COMPLETED"
    assert shop.states("prod") == [(1, "succeeded"), (2, "succeeded")]


def test_a_rollback_by_hand_asks_one_approver(pipeline: "Pipeline", shop: "Shop") -> None:
    first = shop.history("prod")[-1].release.id
    words = ("rollback", "prod", "-a", str(shop.repository), "--reason", "they suffer")
    form = pipeline.answer()
    wrong = pipeline.slipway(
        *words, "--to", first, "--as", form["approver"], "--json", SLIPWAY_CODE="000000"
    )
    assert wrong.code == exits.GATE, wrong.stderr
    asked = UUID(json.loads(wrong.stdout)["id"])
    question = pipeline.runs.question(asked)
    assert f"wrong code of {form['approver']}" in question
    assert re.search(r"### Changes: .*\d changed", question), question
    assert shop.states("prod")[-1] == (2, "succeeded")
    done = pipeline.when_answered(asked, pipeline.answer(form["approver"]))
    assert done.state == "COMPLETED", done.message
    newest = shop.history("prod")[0]
    assert (newest.restores, newest.approved_by) == (1, (form["approver"],))
    assert newest.actor == getpass.getuser()


def test_every_answer_stands_in_a_trail_that_nobody_can_change_unseen(
    pipeline: "Pipeline", shop: "Shop"
) -> None:
    words = ("audit", "prod", "-a", str(shop.repository))
    assert pipeline.slipway(*words, "--verify").code == exits.OK
    [trail] = json.loads(pipeline.slipway(*words, "--json").stdout)
    deeds = [each["deed"] for each in trail["entries"]]
    told = {(deed["act"], deed["proof"]) for deed in deeds}
    assert told - {("answer refused", "totp")} == {
        ("answer refused", "none"),
        ("approved", "totp"),
        ("rolled back", "totp"),
    }
    assert any(deed["origin"].endswith("(slipway)") for deed in deeds), "answered by the command"
    assert len({deed["key"] for deed in deeds}) == len(deeds)
    approved = next(each for each in reversed(shop.history("prod")) if each.approved_by)
    assert approved.trail.partition(":")[2] in {each["sha256"] for each in trail["entries"]}

    newest = f"slipway-audit-{len(deeds):06}"
    place = shop.place("prod")
    with connect(place.target) as cluster:
        kept = cluster.read(Ref(Kind("v1", "ConfigMap"), place.namespace, newest))
        assert kept is not None
        with pytest.raises(ConfigError, match="immutable"):
            cluster.replace({**kept, "data": {}})
        cluster.delete(Ref(Kind("v1", "ConfigMap"), place.namespace, "slipway-audit-000002"))
    broken = pipeline.slipway(*words, "--verify")
    assert (broken.code, "entry 2 is missing" in broken.stdout) == (exits.NO, True)
