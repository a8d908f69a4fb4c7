"""Findings and verdicts in words."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from tasks.core.application import Action
from tasks.core.markdown import mark
from tasks.core.model import ScanResult
from tasks.scan.model import Finding, Kind

__all__ = ["Weighed", "count", "line", "render_markdown", "tally"]

SHOWN_PLACES = 5
GRADED = {Kind.VULNERABILITY, Kind.MISCONFIGURATION}


@dataclass(frozen=True, slots=True)
class Weighed:
    """A finding, or a gap where finding is None, with what it does to the release.

    Attributes:
        what: its kind in few words, to be counted; for a gap a sentence.
        line: all about it.
    """

    action: Action
    what: str
    line: str
    finding: Finding | None = None


def line(finding: Finding) -> str:
    """Write one finding with its remedy and the first places where it was seen."""
    about = f" in {finding.about}" if finding.about else ""
    fix = f", fixed in {finding.fix}" if finding.fix else ""
    title = f" ({finding.title})" if finding.title else ""
    more = len(finding.places) - SHOWN_PLACES
    rest = f" and {more} more" if more > 0 else ""
    places = f": {', '.join(finding.places[:SHOWN_PLACES])}{rest}" if finding.places else ""
    return f"{name(finding)} {finding.id}{title}{about}{fix}{places}"


def name(finding: Finding) -> str:
    """Name a finding's kind, with its severity where the policy asks for that."""
    graded = finding.kind in GRADED
    return f"{finding.severity.value} {finding.kind.value}" if graded else finding.kind.value


def count(weighed: Sequence[Weighed]) -> str:
    """Write `2 critical vulnerabilities, 1 secret`; a gap stands as it is."""
    gaps = [each.what for each in weighed if each.finding is None]
    found = Counter(each.what for each in weighed if each.finding is not None)
    return ", ".join((*gaps, *(_number(number, what) for what, number in found.items())))


def tally(weighed: Sequence[Weighed]) -> str:
    """Write `1 block, 3 warn` for findings of one kind."""
    words = {Action.BLOCK: "block", Action.WARN: "warn", Action.IGNORE: "ignored or waived"}
    counted = Counter(each.action for each in weighed)
    shown = [f"{counted[action]} {word}" for action, word in words.items() if counted[action]]
    return ", ".join(shown) or "none"


def render_markdown(result: ScanResult) -> str:
    """Write a result as a page for the Prefect UI."""
    verdict = result.verdict
    parts = [
        f"## {mark(verdict.outcome)} {result.component}: scan, {verdict.outcome.value}",
        f"{verdict.reason}.",
        f"Digest `{result.digest}`",
        _list(result.summary),
    ]
    if verdict.evidence:
        parts += ["### Evidence", _list(verdict.evidence)]
    if result.sboms:
        parts += ["### SBOM", _list(tuple(f"`{path}`" for path in result.sboms))]
    return "\n\n".join(parts) + "\n"


def _list(lines: Sequence[str]) -> str:
    return "\n".join("- " + line.replace("<", "&lt;").replace("\n", " ") for line in lines)


def _number(number: int, what: str) -> str:
    if number == 1:
        return f"1 {what}"
    return f"{number} {what[:-1]}ies" if what.endswith("y") else f"{number} {what}s"
