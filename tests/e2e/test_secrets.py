"""Whatever ran before: no secret stands in anything that Slipway has written."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.webhook.keys import Keys, ensure_token
from infra.webhook.settings import settings
from tasks.core.clock import utc_now
from tasks.core.paths import state_dir
from tests.e2e.pipeline_world import planted

pytestmark = [pytest.mark.e2e, pytest.mark.afterwards, pytest.mark.usefixtures("pipeline")]

WRITTEN = ("logs", "reports", "prefect/prefect.db*", "run", "webhook/events.sqlite*")
"""Logs of every process, pages, and the databases: runs, artifacts, variables and events."""
OTHERS = 0o077


def written() -> Iterator[Path]:
    for pattern in WRITTEN:
        for found in state_dir().glob(pattern):
            yield from (file for file in (found, *found.rglob("*")) if file.is_file())


def test_no_secret_is_found_in_what_slipway_wrote() -> None:
    where = settings()
    keys = Keys(where.secrets)
    known = {*planted(), ensure_token(where.alertmanager_token)}
    known |= {keys.add("searched", utc_now()), *keys.secrets()}
    keys.remove("searched")
    files = tuple(written())
    assert {file.name for file in files} >= {"prefect.db", "worker.log", "prefect-server.log"}
    found = [
        (str(file), secret[:12])
        for file in files
        for secret in known
        if secret.encode() in file.read_bytes()
    ]
    assert found == []


def test_what_has_to_hold_secrets_is_its_owners_alone() -> None:
    assert state_dir().stat().st_mode & OTHERS == 0
