"""What a look at a running image with a newer database has brought up."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from tasks.core.application import Action, ScanPolicy
from tasks.core.model import Digest, Outcome
from tasks.scan.decide import action_for
from tasks.scan.model import Finding, Findings, Kind, Severity
from tasks.scan.render import line

__all__ = ["Alarm", "Known", "Rescan", "alarm_of", "held", "keys_of"]

Known = frozenset[str]
"""Vulnerabilities that were found before, each by its id and what it is in."""


@dataclass(frozen=True, slots=True)
class Rescan:
    """One running image, looked at again.

    Attributes:
        outcome: passed where it could be looked at, whatever was found; unavailable where the
            image could not, no data where there is no database: neither is clean.
        said: in one sentence.
        new: vulnerabilities that the look before did not show, the worst first, a line each.
        gone: those that it showed and this one does not.
        critical: those of the new ones that somebody is told at once.
        keys: everything that was found, for the next look.
    """

    component: str
    reference: str
    digest: Digest
    outcome: Outcome
    said: str
    new: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    critical: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Alarm:
    """New critical findings in what runs, as somebody is told of them.

    Attributes:
        key: the same for the same findings, so that they are one incident.
    """

    key: str
    summary: str
    lines: tuple[str, ...]


def keys_of(findings: Findings) -> Known:
    """Name the vulnerabilities among findings."""
    return frozenset(_key(each) for each in findings.found if each.kind is Kind.VULNERABILITY)


def _key(finding: Finding) -> str:
    return f"{finding.id} {finding.about}".strip()


def held(
    rescan: Rescan, findings: Findings, known: Known, policy: ScanPolicy, today: date
) -> Rescan:
    """Hold what was found now against what was known.

    Args:
        rescan: names the image.
        findings: of this look, the worst first.
        known: of the look before; empty where there was none, so that all is new.
        policy: of the application as it is today; what is waived or ignored alarms nobody.
        today: waivers that have ended do not count.
    """
    found = [each for each in findings.found if each.kind is Kind.VULNERABILITY]
    new = [each for each in found if _key(each) not in known]
    critical = [
        each
        for each in new
        if each.severity is Severity.CRITICAL
        and action_for(each, policy, rescan.component, today) is not Action.IGNORE
    ]
    return Rescan(
        component=rescan.component,
        reference=rescan.reference,
        digest=rescan.digest,
        outcome=Outcome.PASSED if findings.packages else Outcome.NO_DATA,
        said=f"vulnerabilities: {len(found)}, new: {len(new)}"
        if findings.packages
        else "nothing was scanned: no package was recognised in the image",
        new=tuple(map(line, new)),
        gone=tuple(sorted(known - keys_of(findings))),
        critical=tuple(map(line, critical)),
        keys=tuple(sorted(keys_of(findings))),
    )


def alarm_of(place: str, rescans: Iterable[Rescan]) -> Alarm | None:
    """Return what somebody is told about the new critical findings of a place; None for none.

    Args:
        place: `environment/application`.
        rescans: of its images.
    """
    alarming = [each for each in rescans if each.critical]
    if not alarming:
        return None
    lines = tuple(f"{each.component}: {finding}" for each in alarming for finding in each.critical)
    more = f" and {len(lines) - 1} more" if len(lines) > 1 else ""
    key = "/".join(sorted({each.digest[:19] for each in alarming}))
    return Alarm(f"slipway/{place}/{key}", f"{place} runs {lines[0]}{more}", lines)
