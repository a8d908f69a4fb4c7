from datetime import UTC, datetime
from pathlib import Path

import pytest

from tasks.core.errors import ToolFailed
from tasks.scan import Trivy, fetch_database, installed_trivy
from tasks.scan.model import Database
from tasks.scan.program import environment, refuse_malicious

METADATA = '{"Version": 2, "UpdatedAt": "2026-11-23T06:12:33.123456789Z", "NextUpdate": "x"}'


@pytest.mark.parametrize("version", ["0.69.4", "0.69.5", "0.69.6", "0.69.4.1"])
def test_the_malicious_releases_are_refused(version: str) -> None:
    with pytest.raises(ToolFailed, match="malicious release"):
        refuse_malicious(version)


@pytest.mark.parametrize("version", ["0.69.3", "0.69.7", "0.76.0.1", "0.69.40"])
def test_the_releases_around_them_are_not(version: str) -> None:
    refuse_malicious(version)


def test_the_program_is_the_one_of_the_lock_file(tmp_path: Path) -> None:
    trivy = installed_trivy(tmp_path)
    assert (trivy.version, trivy.program.name) == ("0.76.0", "trivy")
    assert trivy.program.is_absolute()


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
    assert fetch_database(Trivy(Path("trivy"), "0.76.0", tmp_path)) == Database(expected)


def test_no_variable_of_trivys_reaches_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRIVY_SKIP_DIRS", "/app")
    assert environment()["TRIVY_SKIP_DIRS"] == ""
