from pathlib import Path

import pytest

from tasks.core.errors import ToolFailed
from tasks.scan import installed_trivy
from tasks.scan.program import environment, refuse_malicious


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


def test_no_variable_of_trivys_reaches_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRIVY_SKIP_DIRS", "/app")
    assert environment()["TRIVY_SKIP_DIRS"] == ""
