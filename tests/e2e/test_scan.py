"""The real Trivy on images made here, offline, with a vulnerability database made here."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tasks.core import process
from tasks.core.application import Action, ScanPolicy, Waiver
from tasks.core.errors import StageFailed, ToolFailed
from tasks.core.model import Manifests, Outcome, ScanResult
from tasks.core.paths import cache_dir
from tasks.scan import Subject, Trivy, installed_trivy, require_passed, scan
from tests.unit.tasks.scan.oci_layout import ImageFiles, write_image

pytestmark = pytest.mark.e2e

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
FORGED = "AKIA" + "QYLPMN5HHHFPZAM2"
DEBIAN = {
    "etc/debian_version": b"12.5\n",
    "etc/os-release": b"ID=debian\n",
    "var/lib/dpkg/status": b"Package: openssl\nStatus: install ok installed\n"
    b"Maintainer: nobody <nobody@example.org>\nArchitecture: amd64\nVersion: 3.0.1-1\n\n",
}
GOOD_DOCKERFILE = "FROM debian:12\nUSER 1000\nHEALTHCHECK CMD true\n"
LENIENT = ScanPolicy(no_database=Action.WARN)


@pytest.fixture(scope="session")
def maker() -> Path:
    """The program that makes a vulnerability database, built once for this machine."""
    source = Path(__file__).parent / "trivydb"
    program = cache_dir() / "bin" / "trivydb-1"
    if not program.exists():
        program.parent.mkdir(parents=True, exist_ok=True)
        options = process.Options(cwd=source)
        argv = ("go", "build", "-o", str(program), ".")
        process.run(argv, timeout=timedelta(minutes=5), options=options)
    return program


@pytest.fixture
def trivy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Trivy:
    monkeypatch.setenv("SLIPWAY_STATE", str(tmp_path / "state"))
    return installed_trivy(tmp_path / "trivy")


def given_database(maker: Path, trivy: Trivy, age: timedelta) -> None:
    folder = trivy.cache / "db"
    folder.mkdir(parents=True)
    fixture = Path(__file__).parent / "trivydb" / "vulnerabilities.yaml"
    process.run((str(maker), str(folder / "trivy.db"), str(fixture)), timeout=timedelta(seconds=30))
    updated = (NOW - age).isoformat()
    times = dict.fromkeys(("NextUpdate", "UpdatedAt", "DownloadedAt"), updated)
    (folder / "metadata.json").write_text(json.dumps({"Version": 2, **times}))


def given_image(
    folder: Path, *layers: Mapping[str, bytes], config: Mapping[str, object] | None = None
) -> Subject:
    config = {"User": "1000", "Healthcheck": {"Test": ["CMD", "true"]}, **(config or {})}
    image = write_image(folder / "image", ImageFiles(layers, config))
    dockerfile = folder / "Dockerfile"
    dockerfile.write_text(GOOD_DOCKERFILE)
    return Subject("api", image, dockerfile)


def evidence(result: ScanResult) -> str:
    return "\n".join(result.verdict.evidence)


def test_a_critical_vulnerability_blocks(maker: Path, trivy: Trivy, tmp_path: Path) -> None:
    given_database(maker, trivy, timedelta(hours=1))
    result = scan(given_image(tmp_path, DEBIAN), ScanPolicy(), trivy, NOW)
    assert result.verdict.reason == "blocked: 1 critical vulnerability"
    assert evidence(result) == (
        "blocks: critical vulnerability CVE-2099-0001 (invented hole in openssl) "
        "in openssl 3.0.1-1, fixed in 3.0.2-1"
    )
    with pytest.raises(StageFailed, match="CVE-2099-0001"):
        require_passed(result)


def test_a_waiver_with_a_day_to_go_lets_it_through(
    maker: Path, trivy: Trivy, tmp_path: Path
) -> None:
    given_database(maker, trivy, timedelta(hours=1))
    waiver = Waiver("CVE-2099-0001", "not reachable from our code", NOW.date())
    result = scan(given_image(tmp_path, DEBIAN), ScanPolicy(waivers=(waiver,)), trivy, NOW)
    assert result.verdict.outcome is Outcome.PASSED
    assert "waived until 2026-11-23: CVE-2099-0001 (not reachable from our code)" in evidence(
        result
    )


def test_a_database_of_four_days_is_refused(maker: Path, trivy: Trivy, tmp_path: Path) -> None:
    given_database(maker, trivy, timedelta(days=4))
    result = scan(given_image(tmp_path, DEBIAN), ScanPolicy(), trivy, NOW)
    assert result.verdict.reason == (
        "blocked: the vulnerability database is of 2026-11-19 12:00 UTC (96h old, older than 72 h)"
    )


def test_a_missing_database_is_never_clean(trivy: Trivy, tmp_path: Path) -> None:
    result = scan(given_image(tmp_path, DEBIAN), LENIENT, trivy, NOW)
    assert result.verdict.outcome is Outcome.NO_DATA
    assert result.verdict.reason == (
        "not a clean scan, let through by the policy: the vulnerability database is missing"
    )
    assert "vulnerabilities: not looked for; database missing" in result.summary


def test_an_image_without_packages_was_not_scanned(trivy: Trivy, tmp_path: Path) -> None:
    result = scan(given_image(tmp_path, {"hello": b"x"}), LENIENT, trivy, NOW)
    assert result.verdict.outcome is Outcome.FAILED
    assert "nothing was scanned" in result.verdict.reason


def test_a_planted_key_blocks_and_is_shown_nowhere(trivy: Trivy, tmp_path: Path) -> None:
    secret = {"app/credentials": f"aws_access_key_id = {FORGED}\n".encode()}
    subject = given_image(tmp_path, DEBIAN, secret, config={"Env": [f"KEY={FORGED}"]})
    result = scan(subject, LENIENT, trivy, NOW)
    assert "2 secrets" in result.verdict.reason
    assert "secret aws-access-key-id (AWS Access Key ID) in /app/credentials: line 1" in evidence(
        result
    )
    kept = [path for path in (tmp_path / "state").rglob("*") if path.is_file()]
    assert len(kept) == 3
    assert FORGED not in str(result) + "".join(path.read_text() for path in kept)


MANIFESTS = f"""
apiVersion: v1
kind: ConfigMap
metadata: {{name: settings, namespace: prod}}
data:
  key: {FORGED}
---
apiVersion: apps/v1
kind: Deployment
metadata: {{name: api, namespace: prod}}
spec:
  selector: {{matchLabels: {{app: api}}}}
  template:
    metadata: {{labels: {{app: api}}}}
    spec: {{containers: [{{name: api, image: api}}]}}
"""


def test_a_secret_and_a_fault_in_the_manifests_block(trivy: Trivy, tmp_path: Path) -> None:
    subject = replace(
        given_image(tmp_path, DEBIAN), manifests=(Manifests("prod", "prod", MANIFESTS),)
    )
    result = scan(subject, LENIENT, trivy, NOW)
    assert "blocks: secret aws-access-key-id (AWS Access Key ID) in prod.yaml" in evidence(result)
    assert "blocks: high misconfiguration KSV-0014 (Root file system is not read-only)" in evidence(
        result
    )


def test_ignore_comments_and_variables_hide_nothing(
    trivy: Trivy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRIVY_SEVERITY", "LOW")
    monkeypatch.setenv("TRIVY_SKIP_FILES", "**/Dockerfile")
    monkeypatch.setenv("TRIVY_IGNORE_UNFIXED", "true")
    subject = given_image(tmp_path, DEBIAN)
    assert subject.dockerfile is not None
    subject.dockerfile.write_text("FROM debian:12\n# trivy:ignore:DS-0002\nUSER root\n")
    result = scan(subject, LENIENT, trivy, NOW)
    assert "blocks: high misconfiguration DS-0002" in evidence(result)


def test_what_was_found_is_kept_and_judged_again(trivy: Trivy, tmp_path: Path) -> None:
    subject = given_image(tmp_path, DEBIAN)
    first = scan(subject, LENIENT, trivy, NOW)
    broken = Trivy(tmp_path / "not-there", trivy.version, trivy.cache)
    assert scan(subject, LENIENT, broken, NOW) == first
    assert scan(subject, ScanPolicy(), broken, NOW).verdict.outcome is Outcome.FAILED


def test_sboms_name_packages_and_digest(trivy: Trivy, tmp_path: Path) -> None:
    subject = given_image(tmp_path, DEBIAN)
    result = scan(subject, LENIENT, trivy, NOW)
    cyclonedx, spdx = (json.loads(Path(path).read_text()) for path in result.sboms)
    assert (cyclonedx["bomFormat"], spdx["spdxVersion"]) == ("CycloneDX", "SPDX-2.3")
    assert "openssl" in {component["name"] for component in cyclonedx["components"]}
    assert cyclonedx["metadata"]["component"]["name"] == f"api@{subject.image.digest}"


def test_another_image_than_the_built_one_is_an_error(trivy: Trivy, tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "other").mkdir()
    one = given_image(tmp_path / "one", DEBIAN)
    other = given_image(tmp_path / "other", {"x": b""})
    swapped = replace(one, image=replace(one.image, config_digest=other.image.config_digest))
    with pytest.raises(ToolFailed, match=r"scanned sha256:\w+ instead of"):
        scan(swapped, LENIENT, trivy, NOW)
