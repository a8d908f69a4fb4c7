from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from tasks.core.application import (
    Action,
    Application,
    Component,
    Environment,
    ImageTarget,
    ScanPolicy,
    Smoke,
    Waiver,
)
from tasks.core.bounds import Bounds
from tasks.core.model import (
    ComponentSource,
    Digest,
    Outcome,
    ReleasedImage,
    ScanResult,
    Source,
    Verdict,
)
from tasks.core.target import Target
from tasks.reuse import Delivered, Terms, find, find_checked, keep, keep_checked

TODAY = date(2026, 1, 1)
DIGEST = Digest("sha256:" + "a" * 64)
TARGET = Target("/kubeconfig", "lab", "127.0.0.1:15000", "unix:///b", "unix:///d")
TERMS = Terms(TARGET, TODAY)
YESTERDAY = datetime(2025, 12, 31, tzinfo=UTC)
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


def test_what_the_manifests_give_less_to_is_tried_again() -> None:
    keep(SOURCE, DELIVERED, TERMS)
    assert find(SOURCE, "web", replace(TERMS, bounds=Bounds(memory=2**25))) is None


def test_the_same_content_is_not_made_again() -> None:
    keep(SOURCE, DELIVERED, TERMS)
    later = replace(SOURCE, commit="d" * 40, subject="Write the manual")
    assert find(later, "web", TERMS) == DELIVERED


def test_other_content_is_made() -> None:
    keep(SOURCE, DELIVERED, TERMS)
    changed = replace(SOURCE, components=(ComponentSource("web", "2" * 64),))
    assert find(changed, "web", TERMS) is None


def test_another_registry_gets_its_own_image() -> None:
    keep(SOURCE, DELIVERED, TERMS)
    elsewhere = replace(TERMS, target=replace(TARGET, registry="registry.example/me"))
    assert find(SOURCE, "web", elsewhere) is None


def test_a_stricter_policy_looks_again() -> None:
    keep(SOURCE, DELIVERED, TERMS)
    stricter = replace(SOURCE.application, scan=ScanPolicy(medium=Action.BLOCK))
    assert find(replace(SOURCE, application=stricter), "web", TERMS) is None


def test_a_waiver_that_has_ended_makes_the_scan_speak_again() -> None:
    waiver = Waiver("CVE-2026-1", "not reachable from outside", TODAY)
    waived = replace(
        SOURCE, application=replace(SOURCE.application, scan=ScanPolicy(waivers=(waiver,)))
    )
    keep(waived, DELIVERED, TERMS)
    assert find(waived, "web", TERMS) == DELIVERED
    assert find(waived, "web", replace(TERMS, today=date(2026, 1, 2))) is None


@pytest.mark.parametrize(
    "described",
    [
        pytest.param(Component(".", image=ImageTarget(max_size=10**7)), id="a budget for the size"),
        pytest.param(Component(".", smoke=Smoke(path="/health")), id="another path to ask"),
        pytest.param(
            Component(".", smoke=Smoke(within=timedelta(seconds=5))), id="less time to get healthy"
        ),
        pytest.param(Component(".", port=8000), id="a port to ask at"),
    ],
)
def test_what_the_image_has_to_stand_is_tried_again_when_it_changes(described: Component) -> None:
    keep(SOURCE, DELIVERED, TERMS)
    application = replace(SOURCE.application, components={"web": described})
    assert find(replace(SOURCE, application=application), "web", TERMS) is None


@pytest.mark.parametrize(
    ("then", "now"),
    [
        pytest.param(YESTERDAY, None, id="the database is too old by now, or has gone"),
        pytest.param(None, YESTERDAY, id="there was none, and now there is"),
        pytest.param(YESTERDAY, YESTERDAY + timedelta(hours=6), id="a newer one knows more"),
    ],
)
def test_a_verdict_holds_for_the_database_that_it_was_made_with(
    then: datetime | None, now: datetime | None
) -> None:
    keep(SOURCE, DELIVERED, replace(TERMS, database=then))
    assert find(SOURCE, "web", replace(TERMS, database=now)) is None
    assert find(SOURCE, "web", replace(TERMS, database=then)) == DELIVERED


def test_a_damaged_note_costs_a_build_and_nothing_else(tmp_path: Path) -> None:
    keep(SOURCE, DELIVERED, TERMS)
    (note,) = tmp_path.rglob("delivered/*.json")
    note.write_text("{")
    assert find(SOURCE, "web", TERMS) is None


def test_what_a_pull_request_has_passed_is_never_delivered() -> None:
    keep_checked(SOURCE, DELIVERED.scan, TODAY)
    assert find_checked(SOURCE, "web", TODAY, None)
    assert find(SOURCE, "web", TERMS) is None


def test_what_was_delivered_need_not_be_checked_again() -> None:
    keep(SOURCE, DELIVERED, TERMS)
    assert find_checked(SOURCE, "web", TODAY, None)


@pytest.mark.parametrize(
    ("source", "database"),
    [
        pytest.param(
            replace(SOURCE, components=(ComponentSource("web", "2" * 64),)), None, id="other files"
        ),
        pytest.param(
            replace(
                SOURCE,
                application=replace(SOURCE.application, scan=ScanPolicy(medium=Action.BLOCK)),
            ),
            None,
            id="another policy",
        ),
        pytest.param(SOURCE, YESTERDAY, id="another database"),
    ],
)
def test_what_is_another_is_checked_again(source: Source, database: datetime | None) -> None:
    keep_checked(SOURCE, DELIVERED.scan, TODAY)
    assert not find_checked(source, "web", TODAY, database)
