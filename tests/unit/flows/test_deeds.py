"""What a run says to the audit trail."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from flows.deeds import Provenance, answered, overridden, taken_back
from flows.origin import origin_in, tag_of
from tasks.approval.model import Answer, Choice, Decision, Means, Request, Ruling
from tasks.audit import Act, Proof
from tasks.core.errors import Conflict, Unavailable
from tasks.core.gates import Approval
from tasks.core.record import RolloutState
from tasks.core.target import Target
from tasks.rollout.model import Back, By
from tasks.rollout.place import place_without_repository
from tests.unit.flows.test_views import STAGING

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
RULES = Approval(approvers=("ana",), expires=timedelta(hours=1))
REQUEST = Request("shop", "prod", "r-1", "p-1", "Rui", "rui@example.com", NOON, RULES)
ANSWER = Answer("ana", "123456", Choice.APPROVE, "", NOON, "prod-p-1")
PLACE = place_without_repository("shop", "prod", "shop-prod", Target("k", "c", "r", "b", "d"))
BACK = Back("they suffer", blames="r-2")
RESTORED = replace(STAGING, number=8, restores=5, state=RolloutState.SUCCEEDED)


@pytest.mark.parametrize(
    ("ruling", "means", "expected"),
    [
        pytest.param(Ruling.APPROVED, Means.TOTP, (Act.APPROVED, Proof.TOTP), id="a code"),
        pytest.param(Ruling.REJECTED, Means.SLACK, (Act.REJECTED, Proof.SLACK), id="a click"),
        pytest.param(Ruling.REFUSED, Means.TOTP, (Act.REFUSED, Proof.TOTP), id="in a freeze"),
        pytest.param(Ruling.REFUSED, None, (Act.REFUSED, Proof.NONE), id="a wrong code"),
    ],
)
def test_an_answer_is_proved_by_what_came_with_it(
    ruling: Ruling, means: Means | None, expected: tuple[Act, Proof]
) -> None:
    deed = answered(REQUEST, ANSWER, Decision(ruling, "ana", "why", means=means), "run/0")
    assert (deed.act, deed.proof) == expected
    assert (deed.key, deed.actor, deed.origin, deed.reason) == ("run/0", "ana", "Prefect UI", "why")
    assert "123456" not in repr(deed)


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        pytest.param(RESTORED, (Act.ROLLED_BACK, 8, "they suffer"), id="it is back"),
        pytest.param(
            replace(RESTORED, state=RolloutState.FAILED, reason="pods crash"),
            (Act.ROLLBACK_FAILED, 8, "they suffer: pods crash"),
            id="it did not come back",
        ),
        pytest.param(
            Conflict("r-2 is not live any more"),
            (Act.ROLLBACK_REFUSED, None, "they suffer: r-2 is not live any more"),
            id="somebody else was faster",
        ),
        pytest.param(
            Unavailable("no answer"),
            (Act.ROLLBACK_FAILED, None, "they suffer: no answer"),
            id="the cluster is away",
        ),
        pytest.param(
            ValueError("a fault"),
            (Act.ROLLBACK_FAILED, None, "they suffer: a fault"),
            id="a fault of ours",
        ),
    ],
)
def test_what_a_rollback_came_to(found: object, expected: tuple[Act, int | None, str]) -> None:
    assert isinstance(found, (type(RESTORED), Exception))
    deed = taken_back(PLACE, By("run-1", "rui"), BACK, found, Provenance("rui@laptop"))
    assert (deed.act, deed.about.rollout, deed.reason) == expected
    assert (deed.actor, deed.proof, deed.origin) == ("rui", Proof.NONE, "rui@laptop")
    assert deed.about.release == "r-2"


@pytest.mark.parametrize(
    ("approved_by", "proof", "expected"),
    [
        pytest.param((), Proof.GUARD, ("rui", "they suffer"), id="the guard"),
        pytest.param((), Proof.CLI, ("rui", "they suffer"), id="who has the credentials"),
        pytest.param(
            ("ana",), Proof.TOTP, ("ana", "rui asked: they suffer"), id="who gave the code"
        ),
        pytest.param(
            ("ana",), Proof.CLI, ("rui", "they suffer"), id="approved with the release, long ago"
        ),
    ],
)
def test_a_rollback_is_the_deed_of_whom_the_proof_is_about(
    approved_by: tuple[str, ...], proof: Proof, expected: tuple[str, str]
) -> None:
    by = By("run-1", "rui", approved_by)
    deed = taken_back(PLACE, by, BACK, RESTORED, Provenance("here", proof))
    assert (deed.actor, deed.reason) == expected
    assert deed.proof is proof


def test_whoever_overrides_a_mark_is_not_known_but_from_where_and_why() -> None:
    deed = overridden(STAGING.release, PLACE, "run-1", "rui@laptop", "it was the database")
    assert (deed.act, deed.actor, deed.proof) == (Act.OVERRODE, "", Proof.NONE)
    assert deed.origin == "rui@laptop"
    assert deed.reason.endswith("it was the database")


def test_a_run_keeps_from_where_it_was_started_in_a_tag() -> None:
    assert origin_in(["delivery", tag_of("rui@laptop (slipway)")]) == "rui@laptop (slipway)"
    assert origin_in(["delivery"]) == "Prefect"
