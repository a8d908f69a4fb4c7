from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from tasks.core.application import (
    Action,
    Application,
    Component,
    Environment,
    ScanPolicy,
    Waiver,
)
from tasks.core.model import (
    ComponentSource,
    Digest,
    Outcome,
    ReleasedImage,
    ScanResult,
    Source,
    Target,
    Verdict,
)
from tasks.reuse import Delivered, find, keep

TODAY = date(2026, 1, 1)
DIGEST = Digest("sha256:" + "a" * 64)
TARGET = Target("/kubeconfig", "lab", "127.0.0.1:15000", "unix:///b", "unix:///d")
SOURCE = Source(
    repository="/shop",
    commit="c" * 40,
    tree="/shop",
    author="Dora",
    author_email="dora@example.com",
    subject="Sell more",
    committed_at=datetime(2026, 1, 1, tzinfo=UTC),
    application=Application("shop", {"web": Component(".")}, {"dev": Environment("o", "shop")}),
    components=(ComponentSource("web", "1" * 64),),
)
DELIVERED = Delivered(
    ReleasedImage("web", "127.0.0.1:15000/shop/web", DIGEST),
    ScanResult("web", DIGEST, Verdict(Outcome.PASSED, "nothing found")),
)


@pytest.fixture(autouse=True)
def own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLIPWAY_STATE", str(tmp_path))


def test_the_same_content_is_not_made_again() -> None:
    keep(SOURCE, DELIVERED, TARGET, TODAY)
    later = replace(SOURCE, commit="d" * 40, subject="Write the manual")
    assert find(later, "web", TARGET, TODAY) == DELIVERED


def test_other_content_is_made() -> None:
    keep(SOURCE, DELIVERED, TARGET, TODAY)
    changed = replace(SOURCE, components=(ComponentSource("web", "2" * 64),))
    assert find(changed, "web", TARGET, TODAY) is None


def test_another_registry_gets_its_own_image() -> None:
    keep(SOURCE, DELIVERED, TARGET, TODAY)
    assert find(SOURCE, "web", replace(TARGET, registry="registry.example/me"), TODAY) is None


def test_a_stricter_policy_looks_again() -> None:
    keep(SOURCE, DELIVERED, TARGET, TODAY)
    stricter = replace(SOURCE.application, scan=ScanPolicy(medium=Action.BLOCK))
    assert find(replace(SOURCE, application=stricter), "web", TARGET, TODAY) is None


def test_a_waiver_that_has_ended_makes_the_scan_speak_again() -> None:
    waiver = Waiver("CVE-2026-1", "not reachable from outside", TODAY)
    waived = replace(
        SOURCE, application=replace(SOURCE.application, scan=ScanPolicy(waivers=(waiver,)))
    )
    keep(waived, DELIVERED, TARGET, TODAY)
    assert find(waived, "web", TARGET, TODAY) == DELIVERED
    assert find(waived, "web", TARGET, date(2026, 1, 2)) is None


def test_a_damaged_note_costs_a_build_and_nothing_else(tmp_path: Path) -> None:
    keep(SOURCE, DELIVERED, TARGET, TODAY)
    (note,) = tmp_path.rglob("*.json")
    note.write_text("{")
    assert find(SOURCE, "web", TARGET, TODAY) is None
