"""Looks at images that run, by digest, in their registry, with today's database."""

import json
import tempfile
from datetime import datetime
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from tasks.core.application import ScanPolicy
from tasks.core.errors import ToolFailed
from tasks.core.files import write_whole
from tasks.core.model import Outcome, ReleasedImage
from tasks.core.target import Target
from tasks.core.vulnerabilities import Database, fetch_database, is_usable
from tasks.scan.alarm import Known, Rescan, held, keys_of
from tasks.scan.effects import folder_of, read_report, recall, run_trivy
from tasks.scan.model import Findings
from tasks.scan.program import Trivy
from tasks.scan.reports import findings_of, parse_report

__all__ = ["keep_known", "rescan"]

_FINDINGS = TypeAdapter(Findings)
_KEYS = TypeAdapter(tuple[str, ...])


def rescan(
    image: ReleasedImage, policy: ScanPolicy, target: Target, trivy: Trivy, now: datetime
) -> Rescan:
    """Look for vulnerabilities in an image that runs, and say what is new.

    Where there is no usable database, or the image cannot be read, that is said: it is not clean.
    """
    blank = Rescan(image.component, image.reference, image.digest, Outcome.NO_DATA, "no database")
    database = fetch_database(trivy.cache)
    if not is_usable(database, now):
        return _without_database(blank, database)
    try:
        findings = _findings(image, target, trivy, database)
    except ToolFailed as error:
        said = f"could not be looked at: {error.what.splitlines()[0]}"
        return Rescan(image.component, image.reference, image.digest, Outcome.UNAVAILABLE, said)
    return held(blank, findings, _known(image), policy, now.date())


def keep_known(rescan: Rescan) -> None:
    """Keep what was found, so that the next look knows what is new; once somebody was told."""
    if rescan.outcome is Outcome.PASSED:
        write_whole(folder_of(rescan.digest) / "running.json", _KEYS.dump_json(rescan.keys))


def _without_database(blank: Rescan, database: Database) -> Rescan:
    at = database.updated_at
    said = f"no database: that of {at:%Y-%m-%d} is older than 72 h" if at else blank.said
    return Rescan(blank.component, blank.reference, blank.digest, Outcome.NO_DATA, said)


def _findings(image: ReleasedImage, target: Target, trivy: Trivy, database: Database) -> Findings:
    """Ask Trivy, once for an image and a database."""
    folder = folder_of(image.digest)
    made = f"{database.updated_at:%Y%m%dT%H%M%S}" if database.updated_at else "none"
    kept = folder / f"running-{trivy.version}-{made}.json"
    known = recall(kept)
    if known is not None:
        return known
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        work = Path(scratch)
        output = work / "image.json"
        what = ("--image-src", "remote", "--scanners", "vuln", "--pkg-types", "os,library")
        argv = ("image", *what, "--output", str(output), image.reference)
        authorities = {"SSL_CERT_FILE": target.ca_certificates} if target.ca_certificates else {}
        run_trivy(trivy, argv, work, authorities)
        findings = findings_of(parse_report(read_report(output)))
    for older in folder.glob("running-*.json"):
        older.unlink(missing_ok=True)
    write_whole(kept, _FINDINGS.dump_json(findings))
    return findings


def _known(image: ReleasedImage) -> Known:
    """Return what was known: by the look before, else by the scans that let the image through."""
    folder = folder_of(image.digest)
    try:
        return frozenset(_KEYS.validate_json((folder / "running.json").read_bytes()))
    except (FileNotFoundError, ValidationError, json.JSONDecodeError):
        scans = (recall(file) for file in folder.glob("findings-*.json"))
        return frozenset(key for each in scans if each for key in keys_of(each))
