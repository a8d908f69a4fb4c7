"""Runs Trivy, offline and with nothing from its surroundings deciding what it shows."""

import hashlib
import json
import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from tasks.core import process
from tasks.core.application import ScanPolicy
from tasks.core.errors import ToolFailed
from tasks.core.files import write_whole
from tasks.core.model import Digest, Release, ScanResult
from tasks.core.paths import state_dir
from tasks.core.vulnerabilities import Database, fetch_database, is_usable
from tasks.scan.decide import Circumstances, judge, without_version
from tasks.scan.model import Findings, Subject
from tasks.scan.program import Trivy, cache_flags, environment
from tasks.scan.reports import Report, findings_of, parse_report

__all__ = ["folder_of", "read_report", "recall", "run_trivy", "scan", "scan_manifests"]

MANIFESTS = "manifests"
_FINDINGS = TypeAdapter(Findings)
DEADLINE = timedelta(minutes=10)
SEVERITIES = "UNKNOWN,LOW,MEDIUM,HIGH,CRITICAL"
OFFLINE = (
    "--quiet",
    "--offline-scan",
    "--skip-db-update",
    "--skip-java-db-update",
    "--skip-check-update",
    "--skip-version-check",
    "--skip-vex-repo-update",
    "--disable-telemetry",
)
EVERYTHING = ("--severity", SEVERITIES, "--ignorefile", "", "--exit-code", "0", "--format", "json")


def scan(subject: Subject, policy: ScanPolicy, trivy: Trivy, now: datetime) -> ScanResult:
    """Scan an image, its Dockerfile and manifests, and judge what was found.

    What Trivy found is kept by digest: the same image, files and database are not scanned
    again, but they are judged again.

    Raises:
        ToolFailed: Trivy failed, or looked at another image than the one it was given.
    """
    database = fetch_database(trivy.cache)
    usable = database if is_usable(database, now) else None
    findings = _findings(subject, trivy, usable)
    judged = judge(findings, policy, Circumstances(subject.component, database, now))
    return ScanResult(
        component=subject.component,
        digest=subject.image.digest,
        verdict=judged.verdict,
        summary=judged.summary,
        sboms=tuple(str(path) for path in _sboms(folder_of(subject.image.digest)).values()),
        database=usable.updated_at if usable else None,
    )


def scan_manifests(release: Release, policy: ScanPolicy, trivy: Trivy, now: datetime) -> ScanResult:
    """Look for misconfigurations and secrets in a release's manifests, and judge what was found.

    Manifests that got nothing but other images since are not scanned again.

    Raises:
        ToolFailed: Trivy failed.
    """
    files = {f"{each.environment}.yaml": each.yaml for each in release.manifests}
    lasting = {name: without_version(text, release) for name, text in files.items()}
    kept = folder_of(_digest(lasting)) / f"findings-{_key(trivy, None, lasting)}.json"
    findings = recall(kept)
    if findings is None:
        with tempfile.TemporaryDirectory(dir=kept.parent) as scratch:
            reports = _scan_files(files, trivy, Path(scratch))
        findings = replace(findings_of(*reports), packages=None)
        write_whole(kept, _FINDINGS.dump_json(findings))
    judged = judge(findings, policy, Circumstances(MANIFESTS, Database(), now))
    return ScanResult(MANIFESTS, _digest(files), judged.verdict, judged.summary)


def _findings(subject: Subject, trivy: Trivy, database: Database | None) -> Findings:
    folder = folder_of(subject.image.digest)
    files = _files_of(subject)
    kept = folder / f"findings-{_key(trivy, database, files)}.json"
    known = recall(kept) if all(path.is_file() for path in _sboms(folder).values()) else None
    if known is not None:
        return known
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        work = Path(scratch)
        image = _scan_image(subject, trivy, database, work)
        _write_sboms(trivy, work, folder)
        findings = findings_of(image, *_scan_files(files, trivy, work))
    write_whole(kept, _FINDINGS.dump_json(findings))
    return findings


def _digest(files: Mapping[str, str]) -> Digest:
    return Digest("sha256:" + hashlib.sha256(json.dumps(files).encode()).hexdigest())


def folder_of(digest: Digest) -> Path:
    """Return the folder of all that is known about an image."""
    folder = state_dir() / "scans" / digest.replace(":", "-")
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder


def recall(kept: Path) -> Findings | None:
    """Return findings that were kept; None where there are none, or none that can be read."""
    try:
        return _FINDINGS.validate_json(kept.read_bytes())
    except (FileNotFoundError, ValidationError):
        return None


def _files_of(subject: Subject) -> dict[str, str]:
    files = {f"{each.environment}.yaml": each.yaml for each in subject.manifests}
    if subject.dockerfile is not None:
        files["Dockerfile"] = subject.dockerfile.read_text(errors="replace")
    return files


def _scan_image(subject: Subject, trivy: Trivy, database: Database | None, work: Path) -> Report:
    """Look into the layers; the report must be about the digest that will be pushed."""
    layout = f"{Path(subject.image.layout).absolute()}@{subject.image.digest}"
    scanners = "secret,misconfig,license" if database is None else "vuln,secret,misconfig,license"
    output = work / "image.json"
    flags = ("--input", layout, "--image-config-scanners", "misconfig,secret")
    kinds = ("--pkg-types", "os,library", "--scanners", scanners)
    run_trivy(trivy, ("image", *flags, *kinds, "--output", str(output)), work)
    report = parse_report(read_report(output))
    if report.metadata.image_id != subject.image.config_digest:
        raise ToolFailed(
            f"scanned {report.metadata.image_id or 'no image'} instead of "
            f"{subject.image.config_digest}",
            where=f"trivy {subject.component}",
            next_step="build the image again; the layout does not hold what the build reported",
        )
    _rename(output, f"{subject.component}@{subject.image.digest}")
    return report


def _scan_files(files: Mapping[str, str], trivy: Trivy, work: Path) -> Sequence[Report]:
    """Look at the Dockerfile and the manifests, in a folder that holds nothing else."""
    if not files:
        return ()
    folder = work / "files"
    folder.mkdir()
    for name, text in files.items():
        (folder / name).write_text(_without_pragmas(text))
    output = work / "files.json"
    flags = ("--scanners", "misconfig,secret", "--misconfig-scanners", "dockerfile,kubernetes")
    run_trivy(trivy, ("fs", *flags, "--output", str(output), str(folder)), work)
    return (parse_report(read_report(output)),)


def _write_sboms(trivy: Trivy, work: Path, folder: Path) -> None:
    for format_, path in _sboms(folder).items():
        argv = ("convert", "--quiet", "--format", format_, "--output", str(path))
        _start(trivy, (*argv, str(work / "image.json")), work)


def _sboms(folder: Path) -> dict[str, Path]:
    return {"cyclonedx": folder / "sbom.cdx.json", "spdx-json": folder / "sbom.spdx.json"}


def run_trivy(
    trivy: Trivy, argv: Sequence[str], work: Path, variables: Mapping[str, str] | None = None
) -> None:
    """Start Trivy offline, with everything shown.

    Args:
        trivy: the program and its database.
        argv: command and flags.
        work: folder to work in.
        variables: of its environment.

    Raises:
        ToolFailed: it failed.
    """
    command, *rest = argv
    # the file cache takes one process at a time, and components are scanned side by side
    cache = (*cache_flags(trivy), "--cache-backend", "memory")
    _start(trivy, (command, *OFFLINE, *EVERYTHING, *cache, *rest), work, variables)


def _start(
    trivy: Trivy, argv: Sequence[str], work: Path, variables: Mapping[str, str] | None = None
) -> None:
    options = process.Options(cwd=work, env={**environment(), **(variables or {})})
    process.run((str(trivy.program), *argv), timeout=DEADLINE, options=options)


def _without_pragmas(text: str) -> str:
    """Take Trivy's own ignore comments away: a waiver has a reason and an end."""
    return re.sub(r"(trivy|tfsec):ignore", r"\1-ignore", text)


def _rename(output: Path, name: str) -> None:
    """Name the artifact by digest: a path of this machine says nothing in an SBOM."""
    report = json.loads(output.read_text())
    output.write_text(json.dumps({**report, "ArtifactName": name}))


def read_report(output: Path) -> str:
    """Return what Trivy has written.

    Raises:
        ToolFailed: nothing.
    """
    try:
        return output.read_text()
    except OSError as error:
        raise ToolFailed(
            f"wrote no report: {error.strerror}", where="trivy", next_step="scan again"
        ) from error


def _key(trivy: Trivy, database: Database | None, files: Mapping[str, str]) -> str:
    parts = [trivy.version, str(database and database.updated_at), files]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]
