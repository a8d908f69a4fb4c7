"""What a night has found and done, for people: plain functions from values to markdown."""

from collections.abc import Iterable

from flows.renewal import End, Renewal
from flows.watch import Watched
from tasks.core.markdown import bullets, inline, mark, page, plain, table
from tasks.core.model import Outcome

__all__ = ["night_page", "summary"]

MARKS = {
    End.ROLLED_OUT: "✓",
    End.UNCHANGED: "=",
    End.SKIPPED: "○",
    End.UNDER_WAY: "…",
    End.FAILED: "✗",
}
SHORT = 19


def summary(renewals: Iterable[Renewal]) -> str:
    """Say in one line what became of each environment."""
    told = [
        f"{each.environment}: {each.end.value}"
        + (f" ({each.reason})" if each.end in {End.SKIPPED, End.FAILED} else "")
        for each in renewals
    ]
    return "; ".join(told) or "nothing to do"


def night_page(application: str, renewals: Iterable[Renewal], watched: Iterable[Watched]) -> str:
    """Show a night: environment by environment, then what was found in what runs."""
    shown, found = tuple(renewals), tuple(watched)
    rows = [
        (
            f"{MARKS[each.end]} {plain(each.environment)}",
            each.end.value,
            plain(each.reason),
            inline(each.commit[:12]) if each.commit else "",
        )
        for each in shown
    ]
    return page(
        f"## {plain(application)}: redeploy",
        table(("environment", "", "why", "commit"), rows),
        *(_changes(each) for each in shown),
        "### What runs, with today's vulnerability database",
        bullets(map(_watched, found)) if found else "Nothing runs.",
    )


def _changes(renewal: Renewal) -> str:
    """Show what was built again and what was not, and why."""
    bases = {part.component: part.bumps for part in renewal.look.parts}
    lines = [f"{plain(part.component)}: {plain(part.why)}" for part in renewal.look.parts]
    lines += [
        f"{plain(component)}: base {inline(bump.reference)} {_short(bump.old or '')} → "
        f"{_short(bump.new)}"
        for component, bumps in bases.items()
        for bump in bumps
    ]
    lines += [
        f"{plain(component)}: image {_short(old)} → {_short(new)}"
        for component, old, new in renewal.images
    ]
    return page(f"### {plain(renewal.environment)}", bullets(lines)) if lines else ""


def _watched(each: Watched) -> str:
    found = each.found
    head = (
        f"{mark(found.outcome)} {plain(found.component)} in {plain(', '.join(each.environments))}"
        f" ({_short(found.digest)}): {plain(found.said)}"
    )
    if found.outcome is not Outcome.PASSED:
        return f"{head}. **This is not a clean scan.**"
    critical = set(found.critical)
    new = [f"\n  - new: {_bold(line, line in critical)}" for line in found.new]
    gone = [f"\n  - gone: {plain(line)}" for line in found.gone]
    return "".join((head, *new, *gone))


def _bold(line: str, is_critical: bool) -> str:  # noqa: FBT001 of two ways to write a line
    return f"**{plain(line)}**" if is_critical else plain(line)


def _short(digest: str) -> str:
    return inline(digest[:SHORT]) if digest else "unknown"
