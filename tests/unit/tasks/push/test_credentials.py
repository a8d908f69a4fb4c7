"""Accounts as `docker login` leaves them."""

import json
from pathlib import Path

import pytest

from tasks.core.errors import ConfigError
from tasks.push import Credentials
from tasks.push.credentials import stored_credentials


def test_the_account_of_the_named_registry_is_taken(tmp_path: Path) -> None:
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"auths": {"ghcr.io": {"auth": "YW5hOnM6MQ=="}}}))
    assert stored_credentials("ghcr.io", config) == Credentials("ana", "s:1")
    assert stored_credentials("other.example", config) is None


def test_without_a_file_nobody_has_logged_in(tmp_path: Path) -> None:
    assert stored_credentials("ghcr.io", tmp_path / "config.json") is None


def test_a_credential_helper_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    helper = tmp_path / "docker-credential-safe"
    helper.write_text(
        '#!/bin/sh\nread h; echo "{\\"Username\\": \\"$h\\", \\"Secret\\": \\"s\\"}"\n'
    )
    helper.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    config = tmp_path / "config.json"
    config.write_text('{"credHelpers": {"ghcr.io": "safe"}}')
    assert stored_credentials("ghcr.io", config) == Credentials("ghcr.io", "s")


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    config = tmp_path / "config.json"
    config.write_text("{")
    with pytest.raises(ConfigError, match="cannot be read"):
        stored_credentials("ghcr.io", config)
