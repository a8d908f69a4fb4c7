"""GitHub's own examples of webhook payloads, as octokit collects them (an npm package)."""

import base64
import json
import tarfile
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha512
from pathlib import Path
from typing import Any

from infra.lab.builds.npm import npm
from infra.lab.layout import current
from tasks.core.process import run

PACKAGE = "@octokit/webhooks-examples@7.6.1"
SHA512 = "De6U3XB6O3DtCa7bKgCMzTHdeopqqZ6SNivMYJnK65ierKL1AnNIA0tkRYCRS7lwGT792d+Ps1WbfHlso6MynQ=="
"""As the registry says it: the package's `dist.integrity`."""
FETCHED_WITHIN = timedelta(minutes=2)


@dataclass(frozen=True)
class Example:
    """One payload; server is api.github.com or a version of GitHub Enterprise."""

    server: str
    event: str
    payload: dict[str, Any]


def examples() -> Iterator[Example]:
    """Yield each payload of each server's."""
    with tarfile.open(_archive()) as archive:
        for member in archive:
            if not member.name.endswith("/index.json"):
                continue
            opened = archive.extractfile(member)
            assert opened is not None
            described = json.load(opened)
            server = Path(member.name).parent.name
            for event in described:
                for payload in event["examples"]:
                    yield Example(server, event["name"], payload)


def _archive() -> Path:
    """Return the package's archive, which is fetched once."""
    kept = current().cache / "npm" / f"{PACKAGE.replace('/', '+')}.tgz"
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=kept.parent) as folder:
            program = npm(current().cache, lambda _: None)
            run(
                [*program, "pack", "--silent", "--pack-destination", folder, PACKAGE],
                timeout=FETCHED_WITHIN,
            )
            (fetched,) = Path(folder).glob("*.tgz")
            _require_intact(fetched)
            fetched.replace(kept)
    _require_intact(kept)
    return kept


def _require_intact(archive: Path) -> None:
    found = base64.b64encode(sha512(archive.read_bytes()).digest()).decode()
    assert found == SHA512, f"{archive} is not what was pinned"
