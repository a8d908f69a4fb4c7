"""What findings mean under a policy."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import reduce

from tasks.core.application import Action, ScanPolicy, Waiver
from tasks.core.errors import StageFailed
from tasks.core.model import Outcome, Release, ScanResult, Verdict
from tasks.core.units import format_duration
from tasks.core.vulnerabilities import Database, is_usable
from tasks.scan.model import Finding, Findings, Kind, Severity
from tasks.scan.render import Weighed, count, line, name, tally

__all__ = [
    "Circumstances",
    "Judged",
    "action_for",
    "judge",
    "require_passed",
    "without_version",
]

SHOWN_WARNINGS = 50


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What a judgement depends on beside findings and policy."""

    component: str
    database: Database
    now: datetime


@dataclass(frozen=True, slots=True)
class Judged:
    """A verdict and the same for people, one line a kind of finding."""

    verdict: Verdict
    summary: tuple[str, ...]


def without_version(text: str, release: Release) -> str:
    """Take out of a manifest what every release has of its own and no rule looks at."""
    own = (release.id, release.commit, *(image.digest for image in release.images))
    return reduce(lambda rest, word: rest.replace(word, ""), own, text)


def judge(findings: Findings, policy: ScanPolicy, circumstances: Circumstances) -> Judged:
    """Weigh findings by severity and waivers; what was not looked at is never clean.

    Returns:
        failed: something blocks. no data: nothing blocks, but something could not be looked at
        and the policy lets that through. passed: everything was looked at and nothing blocks.
    """
    gaps = _gaps(findings, policy, circumstances)
    weighed = [_weigh(finding, policy, circumstances) for finding in findings.found]
    notes = _waiver_notes(findings, policy, circumstances)
    outcome, reason = _conclude(gaps, weighed)
    evidence = (*_evidence([*gaps, *weighed]), *notes)
    return Judged(Verdict(outcome, reason, evidence), _summary(findings, weighed, circumstances))


def require_passed(result: ScanResult) -> None:
    """Stop a release that the policy blocks.

    Raises:
        StageFailed: with what blocks, line by line.
    """
    if result.verdict.outcome is Outcome.FAILED:
        raise StageFailed(
            "\n  ".join((result.verdict.reason, *result.verdict.evidence)),
            where=f"scan {result.component}",
            next_step="update or fix what blocks, or add a waiver with reason and expiry date "
            "to scan.waivers in slipway.yaml",
        )


def _gaps(
    findings: Findings, policy: ScanPolicy, circumstances: Circumstances
) -> tuple[Weighed, ...]:
    gaps = []
    if findings.packages == 0:
        what = "nothing was scanned: no package was recognised in the image"
        gaps.append(Weighed(policy.nothing_scanned, what, what))
    if findings.packages is not None and not is_usable(circumstances.database, circumstances.now):
        what = f"the vulnerability database is {_state(circumstances)}"
        remedy = (
            "slipway update-database fetches a new one; where it cannot be had, "
            "`no_database: warn` under `scan` lets images through, and not as clean"
        )
        gaps.append(Weighed(policy.no_database, what, f"{what}; {remedy}"))
    return tuple(gaps)


def _state(circumstances: Circumstances) -> str:
    updated_at = circumstances.database.updated_at
    if updated_at is None:
        return "missing"
    minutes = (circumstances.now - updated_at) // timedelta(minutes=1)
    age = format_duration(timedelta(minutes=minutes))
    limit = "" if is_usable(circumstances.database, circumstances.now) else ", older than 72 h"
    return f"of {updated_at:%Y-%m-%d %H:%M} UTC ({age} old{limit})"


def _weigh(finding: Finding, policy: ScanPolicy, circumstances: Circumstances) -> Weighed:
    action = action_for(finding, policy, circumstances.component, circumstances.now.date())
    return Weighed(action, name(finding), line(finding), finding)


def action_for(finding: Finding, policy: ScanPolicy, component: str, today: date) -> Action:
    """Say what a finding does to a release; nothing where a waiver holds."""
    waived = any(
        _concerns(waiver, finding, component) and today <= waiver.expires
        for waiver in policy.waivers
    )
    return Action.IGNORE if waived else _action(finding, policy)


def _action(finding: Finding, policy: ScanPolicy) -> Action:
    match finding.kind:
        case Kind.SECRET:
            return policy.secrets
        case Kind.LICENCE:
            return policy.licences
        case Kind.VULNERABILITY | Kind.MISCONFIGURATION:
            return _by_severity(finding.severity, policy)


def _by_severity(severity: Severity, policy: ScanPolicy) -> Action:
    match severity:
        case Severity.CRITICAL:
            return policy.critical
        case Severity.HIGH:
            return policy.high
        case Severity.MEDIUM | Severity.UNKNOWN:  # not rated yet is no reason to look away
            return policy.medium
        case Severity.LOW:
            return policy.low


def _holds(waiver: Waiver, circumstances: Circumstances) -> bool:
    return circumstances.now.date() <= waiver.expires


def _concerns(waiver: Waiver, finding: Finding, component: str) -> bool:
    return waiver.component in {None, component} and _plain(waiver.id) == _plain(finding.id)


def _plain(identifier: str) -> str:
    """Read AVD-DS-0002 and DS-0002 as one: both are in Trivy's documentation."""
    return identifier.upper().removeprefix("AVD-")


def _waiver_notes(
    findings: Findings, policy: ScanPolicy, circumstances: Circumstances
) -> tuple[str, ...]:
    return tuple(
        f"waived until {waiver.expires}: {waiver.id} ({waiver.reason})"
        if _holds(waiver, circumstances)
        else f"the waiver for {waiver.id} expired on {waiver.expires} and does not count"
        for waiver in policy.waivers
        if any(_concerns(waiver, each, circumstances.component) for each in findings.found)
    )


def _conclude(gaps: Sequence[Weighed], weighed: Sequence[Weighed]) -> tuple[Outcome, str]:
    blocks = [each for each in (*gaps, *weighed) if each.action is Action.BLOCK]
    warnings = [each for each in weighed if each.action is Action.WARN]
    if blocks:
        return Outcome.FAILED, f"blocked: {count(blocks)}"
    rest = f"; warnings: {count(warnings)}" if warnings else ""
    if gaps:
        return Outcome.NO_DATA, f"not a clean scan, let through by the policy: {count(gaps)}{rest}"
    return Outcome.PASSED, f"nothing blocks{rest}" if rest else "nothing found"


def _evidence(weighed: Sequence[Weighed]) -> tuple[str, ...]:
    blocks = [each.line for each in weighed if each.action is Action.BLOCK]
    warnings = [each.line for each in weighed if each.action is Action.WARN]
    more = len(warnings) - SHOWN_WARNINGS
    return (
        *(f"blocks: {text}" for text in blocks),
        *(f"warns: {text}" for text in warnings[:SHOWN_WARNINGS]),
        *((f"warns: {more} more",) if more > 0 else ()),
    )


def _summary(
    findings: Findings, weighed: Sequence[Weighed], circumstances: Circumstances
) -> tuple[str, ...]:
    system = f" on {findings.system}" if findings.system else ""
    tallies = {
        kind: tally([each for each in weighed if each.finding and each.finding.kind is kind])
        for kind in Kind
    }
    if not is_usable(circumstances.database, circumstances.now):
        tallies[Kind.VULNERABILITY] = "not looked for"
    image = (
        f"packages: {findings.packages}{system}",
        f"vulnerabilities: {tallies[Kind.VULNERABILITY]}; database {_state(circumstances)}",
        f"licences (forbidden, restricted): {tallies[Kind.LICENCE]}",
    )
    return (
        *(image if findings.packages is not None else ()),
        f"misconfigurations: {tallies[Kind.MISCONFIGURATION]}",
        f"secrets: {tallies[Kind.SECRET]}",
    )
