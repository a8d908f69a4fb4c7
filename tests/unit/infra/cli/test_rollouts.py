from pathlib import Path

import pytest

from infra.cli.rollouts import (
    BULK,
    _row,
    _short,
    described_in,
    diff_text,
    for_scripts,
    pick_release,
)
from tasks.core.errors import ConfigError
from tasks.core.model import Release
from tasks.rollout.model import Stored
from tests.unit.tasks.releases import RECORD, RELEASE


def test_a_diff_is_coloured_by_its_signs() -> None:
    text = diff_text("@@ -1 +1 @@\n-old\n+new\n same")
    styles = {text.plain[span.start : span.end]: str(span.style) for span in text.spans}
    assert styles == {"@@ -1 +1 @@": "cyan", "-old": "red", "+new": "green"}


def test_a_diff_controls_no_terminal() -> None:
    assert diff_text("+\x1b[2Jgone").plain == "+[2Jgone"


def test_a_row_of_the_history() -> None:
    assert _row(Stored(RECORD)) == (
        "7",
        "succeeded",
        RELEASE.id,
        "c" * 12,
        "2026-01-01 12:00:00",
        "1m15s",
        "ana, bo",
        "ready, 4 probes passed",
    )


@pytest.mark.parametrize(
    ("stored", "state"),
    [
        (Stored(RECORD), "succeeded"),
        (Stored(RECORD, bad=True), "succeeded, bad"),
        (Stored(RECORD, cleared=True), "succeeded, cleared"),
    ],
)
def test_the_history_shows_which_releases_are_bad_and_which_were_cleared(
    stored: Stored, state: str
) -> None:
    assert (_row(stored)[1], _short(stored)[1]) == (state, state)


def test_the_history_for_scripts_has_the_marks_and_not_the_bulk() -> None:
    found = for_scripts(Stored(RECORD, bad=True), without=BULK)
    assert (found["number"], found["bad"], found["cleared"]) == (7, True, False)
    assert not {"samples", "plan"} & set(found)


def test_a_short_row_leaves_room_for_the_reason_in_80_columns() -> None:
    *short, _reason = _short(Stored(RECORD))
    assert sum(len(cell) + 2 for cell in short) <= 55


@pytest.mark.parametrize(
    ("wanted", "by_number", "found"),
    [
        pytest.param(RELEASE.id, True, RELEASE, id="by its id"),
        pytest.param("7", True, RELEASE, id="by the number of a rollout here"),
        pytest.param(RELEASE.id, False, RELEASE, id="by its id, from another environment"),
        pytest.param("7", False, None, id="a number says nothing about another environment"),
        pytest.param("r-2", True, None, id="nobody knows it"),
    ],
)
def test_a_release_is_found_by_what_the_history_shows(
    wanted: str,
    by_number: bool,  # noqa: FBT001
    found: Release | None,
) -> None:
    assert pick_release(wanted, (RECORD,), by_number=by_number) == found


def test_a_folder_without_slipway_yaml_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=f"{tmp_path}: holds no slipway.yaml"):
        described_in(tmp_path)
