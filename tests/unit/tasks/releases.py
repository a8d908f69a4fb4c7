"""A release and the record of its rollout; tests replace what they are about."""

from datetime import UTC, datetime, timedelta

from tasks.core.model import Release
from tasks.core.record import Record, RolloutState

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)

RELEASE = Release(
    id="r-0123456789ab",
    application="shop",
    commit="c" * 40,
    author="Dora",
    author_email="dora@example.com",
    subject="Sell more",
    created_at=NOON,
    images=(),
    manifests=(),
)
RECORD = Record(
    number=7,
    environment="prod",
    namespace="shop-prod",
    release=RELEASE,
    state=RolloutState.SUCCEEDED,
    reason="ready, 4 probes passed",
    started_at=NOON,
    finished_at=NOON + timedelta(seconds=75),
    approved_by=("ana", "bo"),
)
