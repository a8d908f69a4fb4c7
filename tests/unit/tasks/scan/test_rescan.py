"""Running images, looked at again; Trivy is a program that writes what Trivy wrote once."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from tasks.core.application import Action, ScanPolicy, Waiver
from tasks.core.model import Digest, Outcome, ReleasedImage
from tasks.core.target import Target
from tasks.scan.alarm import Rescan, alarm_of, held
from tasks.scan.model import Finding, Findings, Kind, Severity
from tasks.scan.program import Trivy
from tasks.scan.rescan import keep_known, rescan

NOW = datetime(2026, 11, 23, 3, tzinfo=UTC)
IMAGE = ReleasedImage("api", "registry.example/shop-api", Digest(f"sha256:{'a' * 64}"))
TARGET = Target("", "", "", "", "")
BLANK = Rescan("api", IMAGE.reference, IMAGE.digest, Outcome.NO_DATA, "")
HOLE = Finding(
    Kind.VULNERABILITY, "CVE-1", Severity.CRITICAL, "hole", about="openssl 3.0.1", fix="3.0.2"
)
SCRATCH = Finding(Kind.VULNERABILITY, "CVE-2", Severity.LOW, "scratch", about="zlib 1")
SECRET = Finding(Kind.SECRET, "aws", Severity.CRITICAL, "key")
TODAY = date(2026, 11, 23)
WAIVER = Waiver("CVE-1", "not reachable from outside", TODAY)


def looked(
    *found: Finding, known: tuple[str, ...] = (), policy: ScanPolicy | None = None
) -> Rescan:
    findings = Findings(found, packages=2)
    return held(BLANK, findings, frozenset(known), policy or ScanPolicy(), TODAY)


@pytest.mark.parametrize(
    ("known", "policy", "alarms"),
    [
        pytest.param((), ScanPolicy(), 1, id="a new critical one alarms"),
        pytest.param(("CVE-1 openssl 3.0.1",), ScanPolicy(), 0, id="a known one does not again"),
        pytest.param((), ScanPolicy(waivers=(WAIVER,)), 0, id="a waived one does not"),
        pytest.param(
            (),
            ScanPolicy(waivers=(replace(WAIVER, expires=TODAY - timedelta(days=1)),)),
            1,
            id="a waiver that has ended does not count",
        ),
        pytest.param(
            (),
            ScanPolicy(waivers=(replace(WAIVER, component="web"),)),
            1,
            id="a waiver of another component does not count",
        ),
        pytest.param((), ScanPolicy(critical=Action.IGNORE), 0, id="what the policy ignores"),
        pytest.param((), ScanPolicy(critical=Action.WARN), 1, id="what the policy lets through"),
    ],
)
def test_a_new_critical_finding_in_what_runs_alarms(
    known: tuple[str, ...], policy: ScanPolicy, alarms: int
) -> None:
    assert len(looked(HOLE, SCRATCH, known=known, policy=policy).critical) == alarms


def test_a_look_tells_what_is_new_and_what_is_gone() -> None:
    found = looked(HOLE, SECRET, known=("CVE-9 zlib 1",))
    assert found.said == "vulnerabilities: 1, new: 1"
    assert found.new == ("critical vulnerability CVE-1 (hole) in openssl 3.0.1, fixed in 3.0.2",)
    assert found.gone == ("CVE-9 zlib 1",)


def test_an_image_in_which_nothing_was_recognised_is_not_clean() -> None:
    found = held(BLANK, Findings((), packages=0), frozenset(), ScanPolicy(), TODAY)
    assert found.outcome is Outcome.NO_DATA


def test_an_alarm_names_the_place_the_finding_and_the_version_that_mends_it() -> None:
    alarm = alarm_of("prod/shop", (looked(HOLE), looked(SCRATCH)))
    assert alarm is not None
    assert alarm.summary == (
        "prod/shop runs api: critical vulnerability CVE-1 (hole) in openssl 3.0.1, fixed in 3.0.2"
    )
    assert alarm_of("prod/shop", (looked(SCRATCH),)) is None


REPORT = {
    "SchemaVersion": 2,
    "Results": [
        {
            "Target": "debian",
            "Packages": [{"Name": "openssl"}],
            "Vulnerabilities": [
                {
                    "VulnerabilityID": "CVE-1",
                    "PkgName": "openssl",
                    "InstalledVersion": "3.0.1",
                    "FixedVersion": "3.0.2",
                    "Severity": "CRITICAL",
                }
            ],
        }
    ],
}


@pytest.fixture
def trivy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Trivy:
    monkeypatch.setenv("SLIPWAY_STATE", str(tmp_path / "state"))
    return Trivy(tmp_path / "trivy", "0.76.0", tmp_path / "cache")


def given_database(trivy: Trivy, age: timedelta) -> None:
    folder = trivy.cache / "db"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "trivy.db").touch()
    written = {"Version": 2, "UpdatedAt": (NOW - age).isoformat()}
    (folder / "metadata.json").write_text(json.dumps(written))


def given_trivy(trivy: Trivy, ends: str = "exit 0") -> Path:
    """Write a Trivy that keeps its arguments and leaves the report where it is asked to."""
    asked, report = trivy.program.with_name("asked.txt"), trivy.program.with_name("report.json")
    report.write_text(json.dumps(REPORT))
    copies = f'while [ $# -gt 0 ]; do [ "$1" = --output ] && cp {report} "$2"; shift; done'
    trivy.program.write_text(f'#!/bin/sh\necho "$@" >>{asked}\n{copies}\n{ends}\n')
    trivy.program.chmod(0o755)
    return asked


def look(trivy: Trivy, now: datetime = NOW) -> Rescan:
    return rescan(IMAGE, ScanPolicy(), TARGET, trivy, now)


def test_without_a_database_nothing_is_looked_at_and_nothing_is_clean(trivy: Trivy) -> None:
    assert (look(trivy).outcome, look(trivy).said) == (Outcome.NO_DATA, "no database")
    given_database(trivy, timedelta(days=4))
    assert look(trivy).said == "no database: that of 2026-11-19 is older than 72 h"


def test_the_running_image_is_read_from_its_registry_by_digest(trivy: Trivy) -> None:
    given_database(trivy, timedelta(hours=1))
    asked = given_trivy(trivy)
    assert look(trivy).critical == (
        "critical vulnerability CVE-1 in openssl 3.0.1, fixed in 3.0.2",
    )
    (argv,) = asked.read_text().splitlines()
    assert "--image-src remote" in argv
    assert argv.endswith(f"registry.example/shop-api@sha256:{'a' * 64}")


def test_the_same_image_is_read_once_for_a_database(trivy: Trivy) -> None:
    given_database(trivy, timedelta(hours=1))
    asked = given_trivy(trivy)
    assert look(trivy) == look(trivy)
    given_database(trivy, timedelta(minutes=1))
    look(trivy)
    assert len(asked.read_text().splitlines()) == 2


def test_what_was_told_is_not_told_again_the_next_night(trivy: Trivy) -> None:
    given_database(trivy, timedelta(hours=1))
    given_trivy(trivy)
    keep_known(look(trivy))
    assert look(trivy).critical == ()


def test_a_registry_that_does_not_answer_is_said_and_is_not_clean(trivy: Trivy) -> None:
    given_database(trivy, timedelta(hours=1))
    given_trivy(trivy, ends="echo refused >&2; exit 1")
    found = look(trivy)
    assert found.outcome is Outcome.UNAVAILABLE
    assert found.said.startswith("could not be looked at: ")
    keep_known(found)
    assert look(trivy).outcome is Outcome.UNAVAILABLE
