from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from infra.cli.rollouts import _row, _short, described_in, diff_text
from tasks.core.errors import ConfigError
from tasks.core.model import Record, Release, RolloutState

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
RELEASE = Release("r-1", "shop", "c" * 40, "Dora", "d@example.com", "Sell", NOON, (), ())
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


def test_a_diff_is_coloured_by_its_signs() -> None:
    text = diff_text("@@ -1 +1 @@\n-old\n+new\n same")
    styles = {text.plain[span.start : span.end]: str(span.style) for span in text.spans}
    assert styles == {"@@ -1 +1 @@": "cyan", "-old": "red", "+new": "green"}


def test_a_diff_controls_no_terminal() -> None:
    assert diff_text("+\x1b[2Jgone").plain == "+[2Jgone"


def test_a_row_of_the_history() -> None:
    assert _row(RECORD) == (
        "7",
        "succeeded",
        "r-1",
        "c" * 12,
        "2026-01-01 12:00:00",
        "1m15s",
        "ana, bo",
        "ready, 4 probes passed",
    )


def test_a_short_row_leaves_room_for_the_reason_in_80_columns() -> None:
    *short, _reason = _short(RECORD)
    assert sum(len(cell) + 2 for cell in short) <= 55


def test_a_folder_without_slipway_yaml_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=f"{tmp_path}: holds no slipway.yaml"):
        described_in(tmp_path)
