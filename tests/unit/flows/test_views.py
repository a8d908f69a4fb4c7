from dataclasses import replace
from datetime import timedelta

from flows.notice import read_notice
from flows.views import Question, describe_question
from tasks.approval.model import Request
from tasks.core.gates import Approval
from tasks.core.model import Digest, Outcome, ReleasedImage, Verdict
from tasks.core.record import Change, ChangeKind, Plan
from tests.unit.tasks import releases
from tests.unit.tasks.releases import NOON, RECORD

RELEASE = replace(
    releases.RELEASE,
    images=(ReleasedImage("web", "registry.example/shop/web", Digest("sha256:" + "1" * 64)),),
    scan=("web: nothing found",),
)
PLAN = Plan(
    id="p-1",
    environment="prod",
    namespace="shop-prod",
    release=RELEASE.id,
    live=3,
    changes=(
        Change(ChangeKind.UPDATE, "Deployment/web", "-a\n+b"),
        Change(ChangeKind.UNCHANGED, "Service/web"),
    ),
    warnings=("the quota is tight",),
)
REQUEST = Request(
    application="shop",
    environment="prod",
    release=RELEASE.id,
    plan=PLAN.id,
    author=RELEASE.author,
    author_email=RELEASE.author_email,
    opened_at=NOON,
    rules=Approval(approvers=("ana", "bo"), count=1, expires=timedelta(hours=24)),
)
STAGING = replace(
    RECORD,
    environment="staging",
    namespace="shop-staging",
    release=RELEASE,
    reason="ready and probed",
    started_at=NOON - timedelta(minutes=12),
    finished_at=NOON - timedelta(minutes=10),
    verdicts=(Verdict(Outcome.PASSED, "4 probes passed"),),
)
QUESTION = Question(REQUEST, RELEASE, PLAN, STAGING)


def test_an_approver_reads_what_changes_and_nothing_that_does_not() -> None:
    text = describe_question(QUESTION)
    assert "`~` Deployment/web" in text
    assert "Service/web" not in text
    assert "1 changed, 1 unchanged" in text


def test_an_approver_reads_the_digests_the_scan_and_the_warnings() -> None:
    text = describe_question(QUESTION)
    assert RELEASE.images[0].digest in text
    assert "web: nothing found" in text
    assert "the quota is tight" in text


def test_an_approver_reads_how_the_environment_before_does_and_since_when() -> None:
    text = describe_question(QUESTION)
    assert "- staging: succeeded: ✓ 4 probes passed, 10m before this was asked" in text
    assert "staging" not in describe_question(replace(QUESTION, before=None))


def test_an_approver_reads_what_a_yes_and_a_no_do_and_which_code_is_meant() -> None:
    text = describe_question(QUESTION)
    assert "namespace `shop-prod`" in text
    assert "the whole release of rollout 3 is restored" in text
    assert "the run ends and prod stays as it is" in text
    assert "six digits" in text
    assert "expires 2026-01-02 12:00 UTC" in text


def test_a_first_rollout_says_that_there_is_nothing_to_go_back_to() -> None:
    text = describe_question(replace(QUESTION, plan=replace(PLAN, live=None)))
    assert "there is no earlier release to restore" in text


def test_the_reason_why_an_answer_did_not_count_comes_first() -> None:
    text = describe_question(QUESTION, "the code was used before")
    assert text.startswith("> ⚠ The last answer did not count: the code was used before")


def test_the_reason_can_be_read_back_from_the_form() -> None:
    reason = "this code of *ana_b* was used already, wait for the next"
    assert read_notice(describe_question(QUESTION, reason)) == reason
    assert not read_notice(describe_question(QUESTION))


def test_a_commit_cannot_write_into_the_form() -> None:
    subject = "**scan: clean** | x |\n## Approved <b>"
    text = describe_question(replace(QUESTION, release=replace(RELEASE, subject=subject)))
    assert r"\*\*scan: clean\*\* \| x \| \#\# Approved \<b\>" in text
