from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from tasks.core.application import Action, ScanPolicy, Waiver
from tasks.core.errors import StageFailed
from tasks.core.model import (
    Digest,
    Manifests,
    Outcome,
    Release,
    ReleasedImage,
    ScanResult,
    Verdict,
)
from tasks.core.vulnerabilities import Database
from tasks.scan.decide import Circumstances, judge, require_passed, without_version
from tasks.scan.model import Finding, Findings, Kind, Severity
from tasks.scan.render import render_markdown
from tests.unit.tasks.releases import RELEASE

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
FRESH = Circumstances("api", Database(NOW - timedelta(hours=1)), NOW)
HOLE = Finding(
    Kind.VULNERABILITY, "CVE-2099-1", Severity.CRITICAL, "a hole", "openssl 3.0.1", "3.0.2"
)
SECRET = Finding(
    Kind.SECRET, "private-key", Severity.HIGH, "Private Key", "/key", places=("line 1",)
)
ROOT = Finding(Kind.MISCONFIGURATION, "DS-0002", Severity.HIGH, "root", places=("Dockerfile:3: x",))
GPL = Finding(Kind.LICENCE, "GPL-3.0-only", Severity.HIGH, "restricted licence", places=("bash",))
UNRATED = replace(HOLE, id="CVE-2099-2", severity=Severity.UNKNOWN)
LOW = replace(HOLE, id="CVE-2099-3", severity=Severity.LOW)
REASON = "not reachable from our code"


def found(*findings: Finding) -> Findings:
    return Findings(findings, packages=12, system="debian 12.5")


@pytest.mark.parametrize(
    ("findings", "policy", "outcome", "reason"),
    [
        pytest.param((), ScanPolicy(), Outcome.PASSED, "nothing found", id="nothing found passes"),
        pytest.param(
            (HOLE, SECRET),
            ScanPolicy(),
            Outcome.FAILED,
            "blocked: 1 critical vulnerability, 1 secret",
            id="what blocks is counted by kind",
        ),
        pytest.param(
            (HOLE, replace(HOLE, id="CVE-2099-9")),
            ScanPolicy(),
            Outcome.FAILED,
            "blocked: 2 critical vulnerabilities",
            id="two of a kind are plural",
        ),
        pytest.param(
            (GPL, UNRATED),
            ScanPolicy(),
            Outcome.PASSED,
            "nothing blocks; warnings: 1 licence, 1 unknown vulnerability",
            id="an unrated finding weighs as a medium one",
        ),
        pytest.param(
            (LOW,), ScanPolicy(), Outcome.PASSED, "nothing found", id="low is ignored by default"
        ),
        pytest.param(
            (LOW,),
            ScanPolicy(low=Action.BLOCK),
            Outcome.FAILED,
            "blocked: 1 low vulnerability",
            id="the policy can be stricter",
        ),
        pytest.param(
            (SECRET,),
            ScanPolicy(secrets=Action.WARN),
            Outcome.PASSED,
            "nothing blocks; warnings: 1 secret",
            id="a secret weighs as the policy says, whatever its severity",
        ),
    ],
)
def test_findings_are_weighed_by_the_policy(
    findings: tuple[Finding, ...], policy: ScanPolicy, outcome: Outcome, reason: str
) -> None:
    verdict = judge(found(*findings), policy, FRESH).verdict
    assert (verdict.outcome, verdict.reason) == (outcome, reason)


OLD = "the vulnerability database is of 2026-11-20 11:00 UTC (73h old, older than 72 h)"
MISSING = "the vulnerability database is missing"
EMPTY = "nothing was scanned: no package was recognised in the image"


@pytest.mark.parametrize(
    ("packages", "database", "gaps"),
    [
        pytest.param(12, Database(), MISSING, id="no database"),
        pytest.param(12, Database(NOW - timedelta(hours=73)), OLD, id="a database of 73 hours"),
        pytest.param(0, FRESH.database, EMPTY, id="no package"),
        pytest.param(0, Database(), f"{EMPTY}, {MISSING}", id="both"),
    ],
)
def test_what_was_not_looked_at_is_never_clean(
    packages: int, database: Database, gaps: str
) -> None:
    findings = Findings((), packages)
    around = Circumstances("api", database, NOW)
    strict = judge(findings, ScanPolicy(), around).verdict
    assert (strict.outcome, strict.reason) == (Outcome.FAILED, f"blocked: {gaps}")
    for action in (Action.WARN, Action.IGNORE):
        lenient = ScanPolicy(no_database=action, nothing_scanned=action)
        verdict = judge(findings, lenient, around).verdict
        assert verdict.outcome is Outcome.NO_DATA
        assert verdict.reason == f"not a clean scan, let through by the policy: {gaps}"


def test_a_database_of_exactly_72_hours_still_counts() -> None:
    around = Circumstances("api", Database(NOW - timedelta(hours=72)), NOW)
    assert judge(found(), ScanPolicy(), around).verdict.outcome is Outcome.PASSED


def test_manifests_alone_need_no_database() -> None:
    around = Circumstances("manifests", Database(), NOW)
    judged = judge(Findings((), packages=None), ScanPolicy(), around)
    assert judged.verdict.outcome is Outcome.PASSED
    assert judged.summary == ("misconfigurations: none", "secrets: none")


@pytest.mark.parametrize(
    ("waiver", "outcome", "note"),
    [
        pytest.param(
            Waiver("CVE-2099-1", REASON, date(2026, 11, 23)),
            Outcome.PASSED,
            f"waived until 2026-11-23: CVE-2099-1 ({REASON})",
            id="it holds on its last day",
        ),
        pytest.param(
            Waiver("CVE-2099-1", REASON, date(2026, 11, 22)),
            Outcome.FAILED,
            "the waiver for CVE-2099-1 expired on 2026-11-22 and does not count",
            id="it does not hold a day later, and is named",
        ),
        pytest.param(
            Waiver("cve-2099-1", REASON, date(2027, 1, 1), component="api"),
            Outcome.PASSED,
            f"waived until 2027-01-01: cve-2099-1 ({REASON})",
            id="it may name the component",
        ),
        pytest.param(
            Waiver("CVE-2099-1", REASON, date(2027, 1, 1), component="frontend"),
            Outcome.FAILED,
            "blocks: critical vulnerability CVE-2099-1 (a hole) in openssl 3.0.1, fixed in 3.0.2",
            id="one for another component does not count",
        ),
    ],
)
def test_a_waiver_counts_until_its_day(waiver: Waiver, outcome: Outcome, note: str) -> None:
    verdict = judge(found(HOLE), ScanPolicy(waivers=(waiver,)), FRESH).verdict
    assert verdict.outcome is outcome
    assert verdict.evidence[-1] == note


def test_a_check_may_be_waived_by_its_long_name() -> None:
    waiver = Waiver("AVD-DS-0002", REASON, date(2027, 1, 1))
    judged = judge(found(ROOT), ScanPolicy(waivers=(waiver,)), FRESH)
    assert judged.verdict.outcome is Outcome.PASSED


def test_the_summary_has_one_line_a_kind() -> None:
    assert judge(found(HOLE, LOW, SECRET, GPL), ScanPolicy(), FRESH).summary == (
        "packages: 12 on debian 12.5",
        "vulnerabilities: 1 block, 1 ignored or waived; database of 2026-11-23 11:00 UTC (1h old)",
        "licences (forbidden, restricted): 1 warn",
        "misconfigurations: none",
        "secrets: 1 block",
    )


def test_many_warnings_are_cut_and_many_blocks_are_not() -> None:
    findings = tuple(replace(HOLE, id=f"CVE-2099-{number}") for number in range(60))
    warned = judge(found(*findings), ScanPolicy(critical=Action.WARN), FRESH).verdict
    assert (len(warned.evidence), warned.evidence[-1]) == (51, "warns: 10 more")
    assert len(judge(found(*findings), ScanPolicy(), FRESH).verdict.evidence) == 60


def result_of(verdict: Verdict) -> ScanResult:
    return ScanResult("api", Digest("sha256:1"), verdict, ("secrets: none",), ("/sbom.cdx.json",))


def test_only_a_failed_verdict_stops_the_release() -> None:
    for outcome in Outcome:
        result = result_of(Verdict(outcome, "the reason", ("blocks: a <hole>",)))
        if outcome is Outcome.FAILED:
            with pytest.raises(StageFailed, match=r"scan api: the reason\n  blocks: a <hole>"):
                require_passed(result)
        else:
            require_passed(result)


def test_the_page_holds_verdict_summary_evidence_and_sboms() -> None:
    page = render_markdown(result_of(Verdict(Outcome.FAILED, "reason", ("blocks: a <hole>",))))
    assert page == (
        "## ✗ api: scan, failed\n\nreason.\n\nDigest `sha256:1`\n\n- secrets: none\n\n"
        "### Evidence\n\n- blocks: a &lt;hole>\n\n### SBOM\n\n- `/sbom.cdx.json`\n"
    )


def release(commit: str, digest: str, scale: int = 2) -> Release:
    image = ReleasedImage("api", "registry.example/shop/api", Digest(f"sha256:{digest * 64}"))
    name = f"r-{commit * 12}"
    text = f"""\
metadata: {{annotations: {{slipway.dev/release: {name}, slipway.dev/commit: {commit * 40}}}}}
spec: {{replicas: {scale}, image: {image.reference}}}
"""
    manifests = (Manifests("dev", "shop-dev", text),)
    return replace(RELEASE, id=name, commit=commit * 40, images=(image,), manifests=manifests)


def lasting(of: Release) -> str:
    return without_version(of.manifests[0].yaml, of)


def test_manifests_of_another_commit_with_other_images_are_the_same_to_a_rule() -> None:
    assert lasting(release("a", "b")) == lasting(release("c", "d"))


def test_manifests_that_say_something_else_are_not() -> None:
    assert lasting(release("a", "b")) != lasting(release("a", "b", scale=3))
