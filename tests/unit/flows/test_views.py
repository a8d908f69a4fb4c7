from dataclasses import replace
from datetime import timedelta

from flows.notice import read_notice
from flows.views import Question, describe_question
from tasks.approval.model import Approved, Request
from tasks.core.calendar import Calendar
from tasks.core.gates import Approval, Escalation, Freeze, Override, Person, Window
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


RULED = replace(
    REQUEST,
    rules=replace(
        REQUEST.rules,
        not_committers=True,
        comment=True,
        remind=timedelta(hours=4),
        escalate=Escalation(timedelta(hours=12), ("dora",)),
    ),
    calendar=Calendar(
        (Window(start="Mon 09:00", end="Fri 16:00", tz="Europe/Lisbon"),),
        (Freeze(start="2025-12-20", end="2026-01-03", reason="holidays"),),
    ),
    overriders=("maria",),
    committers=(Person("Eva", "eva@example.com"), Person("", "bot@example.com")),
    covers_rollback=timedelta(hours=1),
)


def test_an_approver_reads_every_rule_that_holds() -> None:
    text = describe_question(replace(QUESTION, request=RULED))
    for line in (
        "not the commit's author, not who has committed any of it: Eva, bot@example.com",
        "may approve later, too: dora, from 2026-01-05 21:00 UTC on",
        "comment: needed",
        "asked: 2026-01-01 12:00 UTC, expires 2026-01-06 09:00 UTC",
        "told again: every 4h",
        "takes effect only: Mon 09:00 to Fri 16:00 (Europe/Lisbon)",
        "takes effect never: 2025-12-20 to 2026-01-03 (UTC): holidays",
        "may override that: maria, with the reason as the comment",
        "a yes is also for: taking it back within 1h of the end of its rollout",
        "frozen until Sun 2026-01-04 00:00 UTC (holidays): a yes counts after that",
    ):
        assert line in text.replace("\\", ""), line


def test_an_approver_reads_when_the_range_is_not_known() -> None:
    unknown = replace(RULED, committers=(), unknown="nothing is live yet")
    text = describe_question(replace(QUESTION, request=unknown))
    assert "is not known of all of it (nothing is live yet)" in text.replace("\\", "")


def test_an_approver_reads_that_a_commit_changes_the_rules() -> None:
    changing = replace(RULED, changed=("approval", "freezes"))
    text = describe_question(replace(QUESTION, request=changing))
    assert "slipway.yaml says something else of prod's approval, freezes" in text


def test_the_second_of_two_approvers_reads_what_the_first_one_said() -> None:
    text = describe_question(QUESTION, "", Approved(("ana",), Override("maria", "it burns")))
    assert "**So far:** ana said yes; maria overrode that it was closed: it burns" in text
