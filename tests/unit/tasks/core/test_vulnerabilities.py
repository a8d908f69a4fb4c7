from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tasks.core.vulnerabilities import Database, fetch_database, is_usable

METADATA = '{"Version": 2, "UpdatedAt": "2026-11-23T06:12:33.123456789Z", "NextUpdate": "x"}'
MORNING = datetime(2026, 11, 23, 6, tzinfo=UTC)


@pytest.mark.parametrize(
    ("metadata", "files", "expected"),
    [
        pytest.param(
            METADATA, ("trivy.db",), datetime(2026, 11, 23, 6, 12, 33, 123456, UTC), id="fine"
        ),
        pytest.param(METADATA, (), None, id="metadata without the database itself"),
        pytest.param(None, ("trivy.db",), None, id="no metadata"),
        pytest.param("{", ("trivy.db",), None, id="broken metadata"),
        pytest.param(METADATA.replace("2,", "1,", 1), ("trivy.db",), None, id="another schema"),
        pytest.param(METADATA.replace("789Z", ""), ("trivy.db",), None, id="a time without a zone"),
    ],
)
def test_a_database_is_what_can_be_relied_upon(
    tmp_path: Path, metadata: str | None, files: tuple[str, ...], expected: datetime | None
) -> None:
    (tmp_path / "db").mkdir()
    if metadata is not None:
        (tmp_path / "db" / "metadata.json").write_text(metadata)
    for name in files:
        (tmp_path / "db" / name).touch()
    assert fetch_database(tmp_path) == Database(expected)


def test_the_database_of_this_machine_is_the_one_that_is_kept_for_trivy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLIPWAY_CACHE", str(tmp_path))
    (tmp_path / "trivy" / "db").mkdir(parents=True)
    (tmp_path / "trivy" / "db" / "metadata.json").write_text(METADATA)
    (tmp_path / "trivy" / "db" / "trivy.db").touch()
    assert fetch_database().updated_at is not None


@pytest.mark.parametrize(
    ("updated_at", "age", "expected"),
    [
        pytest.param(MORNING, timedelta(hours=72), True, id="three days are young enough"),
        pytest.param(MORNING, timedelta(hours=72, seconds=1), False, id="more are not"),
        pytest.param(None, timedelta(), False, id="what is not there helps nobody"),
    ],
)
def test_a_database_grows_old(
    updated_at: datetime | None,
    age: timedelta,
    expected: bool,  # noqa: FBT001
) -> None:
    assert is_usable(Database(updated_at), MORNING + age) is expected
