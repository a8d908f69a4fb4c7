from dataclasses import replace

from tasks.core.model import Outcome, Verdict
from tasks.core.record import Moment, RolloutState
from tasks.guard.decide import judge
from tasks.guard.pages import failure_page, left_page, noted, page_of
from tests.unit.tasks.guard.test_decide import LIVE, past, seen
from tests.unit.tasks.releases import NOON


def test_pages_say_what_to_do_and_pages_about_one_rollout_are_one_incident() -> None:
    judgement = judge(seen(past(automatic=False)))
    page, failed = page_of("prod/shop", judgement), failure_page("prod/shop", judgement, "no quota")
    assert page.key == failed.key == "slipway/prod/shop/2"
    assert "slipway rollback prod --reason TEXT" in page.details[-1]
    assert "the rollback of r-new failed: no quota" in failed.summary
    assert any("to finish by hand" in line for line in failed.details)


def test_a_release_that_stays_though_it_failed_is_paged_with_what_was_found_out() -> None:
    verdict = Verdict(Outcome.FAILED, "Deployment/api: crashes", ("the column is gone",))
    failed = replace(LIVE, state=RolloutState.FAILED, reason="no way back", verdicts=(verdict,) * 2)
    page = left_page("prod/shop", failed)
    assert page.key == "slipway/prod/shop/2"
    assert page.summary == "prod/shop: r-new failed and was not taken back: no way back"
    assert page.details[:2] == ("Deployment/api: crashes", "the column is gone")
    assert "slipway rollback prod --reason TEXT goes there again" in page.details[2]


def test_the_record_keeps_a_judgement_with_its_evidence_once() -> None:
    known = past(automatic=False)
    said = noted(judge(seen(known)), ())
    assert said is not None
    assert said.startswith("guard paged: slipway.yaml leaves rollbacks here to people | alert Slow")
    later = judge(seen(known, after=21, bad_before=0.0, bad_since=0.2))
    assert noted(later, (Moment(NOON, said),)) is None
