"""What was scanned and what was found."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from tasks.core.model import Image, Manifests

__all__ = ["Finding", "Findings", "Kind", "Severity", "Subject"]


class Kind(StrEnum):
    """What a finding is about."""

    VULNERABILITY = "vulnerability"
    MISCONFIGURATION = "misconfiguration"
    SECRET = "secret"  # noqa: S105 a kind of finding
    LICENCE = "licence"


class Severity(StrEnum):
    """Trivy's severities, worst first; unknown is nobody's rating yet."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Subject:
    """What is looked at in one go.

    Attributes:
        component: whose image it is; waivers may name it.
        dockerfile: the file it was built from.
        manifests: rendered, where they are known already.
    """

    component: str
    image: Image
    dockerfile: Path | None = None
    manifests: tuple[Manifests, ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that Trivy reports; never the secret itself.

    Attributes:
        id: CVE, check or rule id, or a licence's SPDX id.
        about: package and version, or file; empty where the places say it all.
        fix: version that has the remedy, empty where there is none.
        places: where it was seen.
    """

    kind: Kind
    id: str
    severity: Severity
    title: str
    about: str = ""
    fix: str = ""
    places: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Findings:
    """Everything that Trivy reports about a subject.

    Attributes:
        packages: how many it recognised in the image; 0 means that it could look at nothing,
            None that there was no image to look at.
        system: the image's distribution, empty where it has none.
    """

    found: tuple[Finding, ...]
    packages: int | None
    system: str = ""
