"""Plans and records as pages for the Prefect UI."""

from collections import Counter

from tasks.core.markdown import (
    bullets,
    fenced,
    inline,
    mark,
    page,
    plain,
    public_address,
    table,
)
from tasks.core.model import Outcome, Verdict
from tasks.core.record import ChangeKind, Plan, Record, RolloutState
from tasks.core.units import format_duration
from tasks.rollout.model import Place

__all__ = ["changes_block", "count_changes", "plan_page", "record_page"]

SIGNS = {
    ChangeKind.CREATE: "+",
    ChangeKind.UPDATE: "~",
    ChangeKind.DELETE: "-",
    ChangeKind.UNCHANGED: "=",
}
WORDS = {
    ChangeKind.CREATE: "new",
    ChangeKind.UPDATE: "changed",
    ChangeKind.DELETE: "deleted",
    ChangeKind.UNCHANGED: "unchanged",
}
STATES = {
    RolloutState.STARTED: "…",
    RolloutState.SUCCEEDED: "✓",
    RolloutState.RESTORED: "↩",
    RolloutState.FAILED: "✗",
    RolloutState.SUPERSEDED: "○",
}
MOST_DIFF = 20_000


def plan_page(plan: Plan) -> str:
    """Show what a rollout would change."""
    return page(
        f"## {plan.environment}: plan {inline(plan.id)}",
        f"Release {inline(plan.release)} into namespace {inline(plan.namespace)}, {_after(plan)}: "
        f"**{count_changes(plan)}**.",
        f"{plain(plan.how[:1].upper() + plan.how[1:])}." if plan.how else "",
        bullets(f"⚠ {plain(warning)}" for warning in plan.warnings),
        _diff(plan),
    )


def changes_block(plan: Plan) -> str:
    """Show under a heading of its own what a rollout would change."""
    return page(f"### Changes: {count_changes(plan)}", _diff(plan))


def count_changes(plan: Plan) -> str:
    """Write `1 new, 2 changed, 14 unchanged`."""
    counted = Counter(change.kind for change in plan.changes)
    words = [f"{counted[kind]} {word}" for kind, word in WORDS.items() if counted[kind]]
    return ", ".join(words) if plan.changed else "nothing changes"


def _diff(plan: Plan) -> str:
    """Show the objects that change, then how."""
    listed = bullets(f"{inline(SIGNS[each.kind])} {plain(each.object)}" for each in plan.changed)
    text = "\n".join(
        f"# {each.object}\n{each.diff.strip(chr(10))}" for each in plan.changed if each.diff
    )
    if len(text) > MOST_DIFF:
        whole = f"slipway plan {plan.environment} --release {plan.release}"
        text = f"{text[:MOST_DIFF]}\n… {whole} shows all of it"
    return page(listed, fenced(text, "diff") if text else "")


def record_page(record: Record, place: Place) -> str:
    """Show how a rollout ended, and on what evidence."""
    environment = place.environment
    link = public_address(environment.url, place.target.ingress) if environment.url else ""
    return page(
        f"## {STATES[record.state]} {record.environment}: {record.state.value}",
        plain(record.reason),
        table(("", ""), _facts(record)),
        *(_verdict(verdict) for verdict in record.verdicts),
        f"Live: [{link}]({link})" if link and record.state is RolloutState.SUCCEEDED else "",
    )


def _after(plan: Plan) -> str:
    return "the first rollout there" if plan.live is None else f"rollout {plan.live} is live"


def _facts(record: Record) -> list[tuple[str, str]]:
    release = record.release
    ended = record.finished_at
    facts = {
        "rollout": f"{record.number} in {inline(record.namespace)}",
        "release": f"{inline(release.id)} {plain(release.subject)}",
        "commit": f"{inline(release.commit[:12])} by {plain(release.author)}",
        "approved by": plain(", ".join(record.approved_by)),
        "restores": f"rollout {record.restores}" if record.restores is not None else "",
        "started": f"{record.started_at:%Y-%m-%d %H:%M:%S} UTC",
        "took": format_duration(ended - record.started_at) if ended else "",
    }
    return [(name, value) for name, value in facts.items() if value]


def _verdict(verdict: Verdict) -> str:
    evidence = fenced("\n".join(verdict.evidence)) if verdict.evidence else ""
    bold = "**" if verdict.outcome is Outcome.FAILED else ""
    return page(f"{mark(verdict.outcome)} {bold}{plain(verdict.reason)}{bold}", evidence)
