from datetime import UTC, datetime

from flows.views import describe_plan
from tasks.core.model import Change, ChangeKind, Digest, Plan, Release, ReleasedImage

RELEASE = Release(
    id="r-0123456789ab",
    application="shop",
    commit="c" * 40,
    author="Dora",
    author_email="dora@example.com",
    subject="Sell more",
    created_at=datetime(2026, 1, 1, tzinfo=UTC),
    images=(ReleasedImage("web", "registry.example/shop/web", Digest("sha256:" + "1" * 64)),),
    manifests=(),
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


def test_an_approver_reads_what_changes_and_nothing_that_does_not() -> None:
    text = describe_plan(RELEASE, PLAN)
    assert "`~` Deployment/web" in text
    assert "Service/web" not in text
    assert "1 of 2 objects" in text


def test_an_approver_reads_the_digests_the_scan_and_the_warnings() -> None:
    text = describe_plan(RELEASE, PLAN)
    assert RELEASE.images[0].digest in text
    assert "web: nothing found" in text
    assert "the quota is tight" in text


def test_the_reason_why_an_answer_did_not_count_comes_first() -> None:
    text = describe_plan(RELEASE, PLAN, "the code was used before")
    assert text.startswith("> the code was used before")
