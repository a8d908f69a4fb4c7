"""What people read before they say yes: plain functions from values to markdown."""

from tasks.core.model import Change, ChangeKind, Plan, Release

__all__ = ["describe_plan"]

MARKS = {
    ChangeKind.CREATE: "+",
    ChangeKind.UPDATE: "~",
    ChangeKind.DELETE: "-",
    ChangeKind.UNCHANGED: "=",
}
MOST_DIFF = 20_000


def describe_plan(release: Release, plan: Plan, notice: str = "") -> str:
    """Show a release and what it would change."""
    changes = [change for change in plan.changes if change.kind is not ChangeKind.UNCHANGED]
    parts = [
        f"> {notice}\n" if notice else "",
        f"# {release.application} {release.id} to {plan.environment}",
        f"**{release.subject}**, commit `{release.commit[:12]}` by {release.author}\n",
        *(f"- ⚠ {warning}" for warning in plan.warnings),
        "\n## Images",
        *(f"- {image.component}: `{image.digest}`" for image in release.images),
        "\n## Scan",
        *(f"- {line}" for line in release.scan),
        f"\n## Changes ({len(changes)} of {len(plan.changes)} objects, plan `{plan.id}`)",
        *(f"- `{MARKS[change.kind]}` {change.object}" for change in changes),
        _diffs(changes),
    ]
    return "\n".join(part for part in parts if part)


def _diffs(changes: list[Change]) -> str:
    text = "\n".join(change.diff.strip("\n") for change in changes if change.diff)
    if not text:
        return ""
    cut = "\n… the rest stands in `slipway plan`" if len(text) > MOST_DIFF else ""
    return f"\n```diff\n{text[:MOST_DIFF]}{cut}\n```"
