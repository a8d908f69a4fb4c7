"""Trivy's JSON as 0.76.0 writes it, shortened."""

import json
from typing import Any

import pytest

from tasks.core.errors import ToolFailed
from tasks.scan.model import Finding, Findings, Kind, Severity
from tasks.scan.reports import findings_of, parse_report


def report(*results: dict[str, Any], name: str = "/images/layout@sha256:1") -> str:
    return json.dumps(
        {
            "SchemaVersion": 2,
            "Trivy": {"Version": "0.76.0"},
            "ArtifactName": name,
            "Metadata": {"ImageID": "sha256:2", "OS": {"Family": "debian", "Name": "12.5"}},
            "Results": list(results),
        }
    )


VULNERABILITY = {
    "VulnerabilityID": "CVE-2099-0002",
    "PkgName": "lodash",
    "PkgPath": "app/node_modules/lodash/package.json",
    "InstalledVersion": "4.17.0",
    "FixedVersion": "4.17.21",
    "Title": "invented hole",
    "Severity": "MEDIUM",
}
CHECK = {
    "ID": "DS-0026",
    "Title": "No HEALTHCHECK defined",
    "Message": "Add HEALTHCHECK",
    "Severity": "LOW",
    "Status": "FAIL",
    "CauseMetadata": {"StartLine": 3},
}
SECRET = {
    "RuleID": "aws-access-key-id",
    "Title": "AWS Access Key ID",
    "Severity": "CRITICAL",
    "StartLine": 1,
    "Match": "key = ****",
    "Code": {"Lines": [{"Content": "key = ****"}]},
}


def test_every_kind_is_read() -> None:
    licences = [
        {"Name": "AGPL-3.0", "Category": "forbidden", "Severity": "CRITICAL", "PkgName": "one"},
        {"Name": "AGPL-3.0", "Category": "forbidden", "Severity": "CRITICAL", "PkgName": "two"},
        {"Name": "MIT", "Category": "notice", "Severity": "LOW", "PkgName": "three"},
    ]
    text = report(
        {
            "Target": "Node.js",
            "Class": "lang-pkgs",
            "Packages": [{"Name": "lodash"}],
            "Vulnerabilities": [VULNERABILITY],
        },
        {"Target": "Dockerfile", "Class": "config", "Misconfigurations": [CHECK]},
        {"Target": "/app/creds", "Class": "secret", "Secrets": [SECRET]},
        {"Target": "Node.js", "Class": "license", "Licenses": licences},
    )
    assert findings_of(parse_report(text)) == Findings(
        found=(
            Finding(
                Kind.LICENCE,
                "AGPL-3.0",
                Severity.CRITICAL,
                "forbidden licence",
                places=("one", "two"),
            ),
            Finding(
                Kind.SECRET,
                "aws-access-key-id",
                Severity.CRITICAL,
                "AWS Access Key ID",
                about="/app/creds",
                places=("line 1",),
            ),
            Finding(
                Kind.VULNERABILITY,
                "CVE-2099-0002",
                Severity.MEDIUM,
                "invented hole",
                about="lodash 4.17.0",
                fix="4.17.21",
                places=("app/node_modules/lodash/package.json",),
            ),
            Finding(
                Kind.MISCONFIGURATION,
                "DS-0026",
                Severity.LOW,
                "No HEALTHCHECK defined",
                places=("Dockerfile:3: Add HEALTHCHECK",),
            ),
        ),
        packages=1,
        system="debian 12.5",
    )


def test_the_same_finding_in_image_and_dockerfile_is_one_with_both_places() -> None:
    in_file = report({"Target": "Dockerfile", "Misconfigurations": [CHECK]}, name="/work")
    in_image = report(
        {"Target": "/images/layout@sha256:1", "Misconfigurations": [{**CHECK, "CauseMetadata": {}}]}
    )
    (finding,) = findings_of(parse_report(in_image), parse_report(in_file)).found
    assert finding.places == (
        "the image's configuration: Add HEALTHCHECK",
        "Dockerfile:3: Add HEALTHCHECK",
    )


def test_a_check_that_passed_is_no_finding() -> None:
    passed = {**CHECK, "Status": "PASS"}
    assert findings_of(parse_report(report({"Target": "x", "Misconfigurations": [passed]}))) == (
        Findings((), packages=0, system="debian 12.5")
    )


def test_lists_that_are_absent_or_null_are_empty() -> None:
    nothing = '{"SchemaVersion": 2, "Results": null}'
    assert findings_of(parse_report(nothing)) == Findings((), packages=0)
    null = report({"Target": "x", "Packages": None, "Secrets": None})
    assert findings_of(parse_report(null)).found == ()


def test_a_severity_that_is_not_known_is_unknown() -> None:
    odd = report({"Target": "x", "Vulnerabilities": [{**VULNERABILITY, "Severity": "DIRE"}]})
    assert findings_of(parse_report(odd)).found[0].severity is Severity.UNKNOWN


@pytest.mark.parametrize("text", ["", "{}", '{"SchemaVersion": 2, "Results": [{}]}', "[]"])
def test_what_is_no_report_is_an_error(text: str) -> None:
    with pytest.raises(ToolFailed, match="cannot be read"):
        parse_report(text)
