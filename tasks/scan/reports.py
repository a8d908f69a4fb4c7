"""Trivy's JSON read into findings (report schema 2; `trivy image` and `trivy fs`)."""

from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import AliasGenerator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_pascal

from tasks.core.errors import ToolFailed
from tasks.scan.model import Finding, Findings, Kind, Severity

__all__ = ["Report", "findings_of", "parse_report"]

IMAGE_CONFIGURATION = "the image's configuration"
RESTRICTIVE = {"forbidden", "restricted"}


def _none_is_empty(value: Any) -> Any:  # noqa: ANN401 Go writes an empty list as null
    return () if value is None else value


class _Trivys(BaseModel):
    model_config = ConfigDict(
        extra="ignore", frozen=True, alias_generator=AliasGenerator(validation_alias=to_pascal)
    )


def _id(alias: str) -> Any:  # noqa: ANN401 what Field returns
    return Field(validation_alias=alias)


class _Cause(_Trivys):
    start_line: int = 0


class _Vulnerability(_Trivys):
    id: str = _id("VulnerabilityID")
    pkg_name: str
    installed_version: str = ""
    fixed_version: str = ""
    pkg_path: str = ""
    severity: str = "UNKNOWN"
    title: str = ""


class _Misconfiguration(_Trivys):
    id: str = _id("ID")
    title: str = ""
    message: str = ""
    severity: str = "UNKNOWN"
    status: str = "FAIL"
    cause_metadata: _Cause = _Cause()


class _Secret(_Trivys):
    """Without the match: what is not read cannot be printed."""

    rule_id: str = _id("RuleID")
    title: str = ""
    severity: str = "UNKNOWN"
    start_line: int = 0


class _Licence(_Trivys):
    name: str
    category: str = "unknown"
    severity: str = "UNKNOWN"
    pkg_name: str = ""
    file_path: str = ""


class _Package(_Trivys):
    name: str


class _Result(_Trivys):
    target: str
    kind: str = Field(default="", validation_alias="Class")
    packages: Annotated[tuple[_Package, ...], BeforeValidator(_none_is_empty)] = ()
    vulnerabilities: Annotated[tuple[_Vulnerability, ...], BeforeValidator(_none_is_empty)] = ()
    misconfigurations: Annotated[
        tuple[_Misconfiguration, ...], BeforeValidator(_none_is_empty)
    ] = ()
    secrets: Annotated[tuple[_Secret, ...], BeforeValidator(_none_is_empty)] = ()
    licenses: Annotated[tuple[_Licence, ...], BeforeValidator(_none_is_empty)] = ()


class _System(_Trivys):
    family: str = ""
    name: str = ""


class _Metadata(_Trivys):
    image_id: str = Field(default="", validation_alias="ImageID")
    os: _System = Field(default=_System(), validation_alias="OS")


class Report(_Trivys):
    """One report; schema_version tells a report from any other JSON."""

    schema_version: int
    artifact_name: str = ""
    metadata: _Metadata = _Metadata()
    results: Annotated[tuple[_Result, ...], BeforeValidator(_none_is_empty)] = ()


def parse_report(text: str) -> Report:
    """Read one report.

    Raises:
        ToolFailed: it is not what Trivy 0.76 writes.
    """
    try:
        return Report.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise ToolFailed(
            f"wrote a report that cannot be read: {place}: {first['msg']}",
            where="trivy",
            next_step="check that trivy --version says 0.76.0; uv sync installs it",
        ) from error


def findings_of(*reports: Report) -> Findings:
    """Put several reports into one; the same finding seen twice is one with both places."""
    merged: dict[tuple[Kind, str, str], Finding] = {}
    for finding in (finding for report in reports for finding in _each(report)):
        key = (finding.kind, finding.id, finding.about)
        merged[key] = _join(merged[key], finding) if key in merged else finding
    systems = [report.metadata.os for report in reports if report.metadata.os.name]
    order = list(Severity)
    return Findings(
        found=tuple(
            sorted(merged.values(), key=lambda each: (order.index(each.severity), each.id))
        ),
        packages=sum(len(result.packages) for report in reports for result in report.results),
        system=f"{systems[0].family} {systems[0].name}" if systems else "",
    )


def _join(one: Finding, other: Finding) -> Finding:
    worst = min(one.severity, other.severity, key=list(Severity).index)
    places = tuple(dict.fromkeys((*one.places, *other.places)))
    fix = one.fix or other.fix
    return Finding(one.kind, one.id, worst, one.title, about=one.about, fix=fix, places=places)


def _each(report: Report) -> Iterator[Finding]:
    for result in report.results:
        own = result.target == report.artifact_name
        place = IMAGE_CONFIGURATION if own else result.target
        yield from map(_vulnerability, result.vulnerabilities)
        for check in result.misconfigurations:
            if check.status == "FAIL":
                yield _misconfiguration(check, place)
        for secret in result.secrets:
            yield _secret(secret, place)
        for licence in result.licenses:
            if licence.category.lower() in RESTRICTIVE:
                yield _licence(licence)


def _vulnerability(found: _Vulnerability) -> Finding:
    return Finding(
        kind=Kind.VULNERABILITY,
        id=found.id,
        severity=_severity(found.severity),
        title=found.title,
        about=f"{found.pkg_name} {found.installed_version}".strip(),
        fix=found.fixed_version,
        places=(found.pkg_path,) if found.pkg_path else (),
    )


def _misconfiguration(found: _Misconfiguration, place: str) -> Finding:
    line = found.cause_metadata.start_line
    return Finding(
        kind=Kind.MISCONFIGURATION,
        id=found.id,
        severity=_severity(found.severity),
        title=found.title,
        places=(f"{place}:{line}: {found.message}" if line else f"{place}: {found.message}",),
    )


def _secret(found: _Secret, place: str) -> Finding:
    return Finding(
        kind=Kind.SECRET,
        id=found.rule_id,
        severity=_severity(found.severity),
        title=found.title,
        about=place,
        places=(f"line {found.start_line}",),
    )


def _licence(found: _Licence) -> Finding:
    return Finding(
        kind=Kind.LICENCE,
        id=found.name,
        severity=_severity(found.severity),
        title=f"{found.category.lower()} licence",
        places=(found.pkg_name or found.file_path,),
    )


def _severity(word: str) -> Severity:
    return Severity(word.lower()) if word.lower() in set(Severity) else Severity.UNKNOWN
