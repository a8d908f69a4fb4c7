"""Pages for the Prefect UI: what a stage found out, as markdown.

Text that comes from commits, tests and clusters is escaped: whoever reads a page before saying yes
must not read something that an author has put there.
"""

import re
from collections.abc import Iterable, Sequence

from tasks.core.errors import SlipwayError
from tasks.core.model import CheckResult, Outcome

__all__ = [
    "artifact_key",
    "bullets",
    "check_page",
    "fenced",
    "inline",
    "mark",
    "page",
    "plain",
    "public_address",
    "refusal_page",
    "table",
]

MARKS = {
    Outcome.PASSED: "✓",
    Outcome.FAILED: "✗",
    Outcome.NO_DATA: "○",
    Outcome.UNAVAILABLE: "○",
}
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~!])")
_TICKS = re.compile(r"`+")


def artifact_key(*words: str) -> str:
    """Join words to a key that stays the same from run to run: `plan-shop-prod`."""
    return re.sub(r"[^a-z0-9]+", "-", "-".join(words).lower()).strip("-")


def plain(text: str) -> str:
    """Show text as it is, on one line."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))


def inline(text: str) -> str:
    """Show text as code within a line."""
    return "`" + " ".join(text.replace("`", "'").split()) + "`"


def fenced(text: str, language: str = "") -> str:
    """Show text as a block of code that nothing inside it can end."""
    longest = max((len(run) for run in _TICKS.findall(text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{text.rstrip()}\n{fence}"


def bullets(lines: Iterable[str]) -> str:
    """Show lines as a list; they are markdown already."""
    return "\n".join(f"- {line}" for line in lines)


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Show rows under a head; cells are markdown already."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def page(*parts: str) -> str:
    """Put a page together; empty parts leave no trace."""
    return "\n\n".join(part.strip("\n") for part in parts if part) + "\n"


def mark(outcome: Outcome) -> str:
    """Return the sign of an outcome; only a failure is red."""
    return MARKS[outcome]


def check_page(result: CheckResult) -> str:
    """Show what lint, test or smoke said yes to."""
    tests = [("tests", str(result.tests))] if result.tests else []
    rows = [("result", plain(result.sentence)), *tests, ("took", f"{result.seconds:.1f} s")]
    failed = page("**Failed**", bullets(map(inline, result.failed))) if result.failed else ""
    return page(
        f"## {mark(Outcome.PASSED)} {result.component}: {result.stage}",
        table(("", ""), rows),
        failed,
    )


def refusal_page(component: str, stage: str, error: SlipwayError) -> str:
    """Show what a stage said no to: its sentence, the names or lines below it, what to do."""
    sentence, _, rest = error.what.partition("\n")
    return page(
        f"## {mark(Outcome.FAILED)} {component}: {stage}",
        f"**{plain(sentence)}**",
        fenced(rest) if rest else "",
        f"Next: {plain(error.next_step)}" if error.next_step else "",
    )


def public_address(url: str, ingress: str | None) -> str:
    """Return where a browser on this machine finds a public address.

    Args:
        url: as slipway.yaml names it.
        ingress: `host:port` that answers for every address; None where DNS leads there.
    """
    port = (ingress or "").rpartition(":")[2]
    return f"{url.rstrip('/')}:{port}/" if port else url
