"""What people read before they say yes: plain functions from values to markdown."""

from dataclasses import dataclass
from datetime import timedelta

from flows.notice import NOTICE
from flows.rules_shown import rule_facts, said_so_far, warnings_of
from tasks.approval.model import Approved, Request
from tasks.core.markdown import bullets, inline, mark, page, plain
from tasks.core.model import Release
from tasks.core.record import Plan, Record
from tasks.core.units import format_duration
from tasks.rollout.model import Back
from tasks.rollout.render import changes_block, count_changes

__all__ = ["HOW", "Question", "Way", "describe_question", "describe_rollback"]

HOW = (
    "`code` is the six digits that your authenticator shows for Slipway right now (TOTP). Each "
    "counts once. Enrolling takes one command: `slipway approver add NAME --email ADDRESS`."
)


UNKNOWN = (
    "⚠ What restoring would change could not be found out when this was asked; the log says why."
)
NOBODY_YET = Approved()


@dataclass(frozen=True, slots=True)
class Question:
    """All that an approver is told.

    Attributes:
        before: the rollout into the environment before this one, None where this is the first.
    """

    request: Request
    release: Release
    plan: Plan
    before: Record | None = None


def describe_question(question: Question, notice: str = "", approved: Approved = NOBODY_YET) -> str:
    """Show a release, what it would change and what an answer does.

    Args:
        question: what is asked.
        notice: why the last answer did not count.
        approved: who has said yes so far.
    """
    release, plan = question.release, question.plan
    warnings = (*warnings_of(question.request), *plan.warnings)
    return page(
        f"{NOTICE}{plain(notice)}" if notice else "",
        f"## {plain(release.application)} {inline(release.id)} to {plan.environment}",
        said_so_far(approved),
        bullets(f"⚠ {plain(warning)}" for warning in warnings),
        bullets(f"{name}: {value}" for name, value in _facts(question)),
        _consequences(question),
        HOW,
        "### Images and scan",
        _images(release),
        bullets(map(plain, release.scan)),
        changes_block(plan),
    )


@dataclass(frozen=True, slots=True)
class Way:
    """The rollout that is taken back and the one that is restored; None where there is none.

    Attributes:
        plan: what restoring would change; None where nobody could say.
        restores: number of the rollout whose release would be applied over the live one; None
            where there is none, or where one under way goes back the way it came.
    """

    bad: Record | None
    goal: Record | None
    plan: Plan | None = None
    restores: int | None = None


def describe_rollback(
    request: Request, back: Back, way: Way | None = None, notice: str = ""
) -> str:
    """Show what a rollback takes away and what an answer does.

    Args:
        request: what is asked.
        back: what was asked for.
        way: from which rollout to which; None where that is not known.
        notice: why the last answer did not count.
    """
    asked = f"{request.opened_at:%Y-%m-%d %H:%M} UTC"
    expires = f"{request.expires_at:%Y-%m-%d %H:%M} UTC"
    named = "the good rollout before it" if back.to is None else plain(str(back.to))
    way = way or Way(None, None)
    return page(
        f"{NOTICE}{plain(notice)}" if notice else "",
        f"## {plain(request.application)}: take {inline(request.release)} back in "
        f"{plain(request.environment)}",
        bullets(
            (
                f"reason: **{plain(back.reason)}**",
                *((f"takes back: {_rollout(way.bad)}",) if way.bad else ()),
                f"goes to: {_rollout(way.goal) if way.goal else named}",
                f"may approve: one of {plain(', '.join(request.rules.approvers))}",
                f"asked: {asked}, expires {expires}",
            )
        ),
        "**On approve** the whole earlier release is restored at once, configuration included, and "
        "the live one is marked bad. **On reject** everything stays as it is.",
        HOW,
        _restored(way),
    )


def _restored(way: Way) -> str:
    """Show what applying the earlier release changes, as far as that can be said."""
    if way.plan is None:
        return UNKNOWN if way.restores is not None else ""
    warnings = bullets(f"⚠ {plain(warning)}" for warning in way.plan.warnings)
    return page(changes_block(way.plan), warnings)


def _rollout(record: Record) -> str:
    """Say which rollout it is, by what people know of its release."""
    release, at = record.release, record.started_at
    return (
        f"rollout {record.number} of {at:%Y-%m-%d %H:%M} UTC, {inline(release.id)}: "
        f"**{plain(release.subject)}**, {inline(release.commit[:12])} by {plain(release.author)}"
    )


def _facts(question: Question) -> list[tuple[str, str]]:
    request, release = question.request, question.release
    facts = [
        ("change", f"**{plain(release.subject)}**"),
        ("commit", f"{inline(release.commit[:12])} by {plain(release.author)}"),
        ("plan", f"{inline(question.plan.id)}, {count_changes(question.plan)}"),
        ("comes in by", plain(question.plan.how)),
        *rule_facts(request),
    ]
    if question.before is not None:
        facts.insert(2, (plain(question.before.environment), _before(question.before, request)))
    return [(name, value) for name, value in facts if value]


def _before(record: Record, request: Request) -> str:
    """Say how the release does where it is already, and for how long it has been there."""
    verdicts = "; ".join(f"{mark(each.outcome)} {plain(each.reason)}" for each in record.verdicts)
    said = verdicts or plain(record.reason)
    if record.finished_at is None:
        return f"{record.state.value}: {said}"
    age = max(request.opened_at - record.finished_at, timedelta(0))
    return f"{record.state.value}: {said}, {format_duration(age)} before this was asked"


def _consequences(question: Question) -> str:
    plan = question.plan
    back = (
        "there is no earlier release to restore, so a failure stays for you to look at"
        if plan.live is None
        else f"the whole release of rollout {plan.live} is restored when pods or probes fail"
    )
    return page(
        f"**On approve** exactly this goes to namespace {inline(plan.namespace)} at once, watched "
        f"until every new pod is ready and probed; {back}. Where the cluster has changed until "
        "then, the rollout is refused.",
        f"**On reject** the run ends and {plan.environment} stays as it is.",
    ).rstrip()


def _images(release: Release) -> str:
    return bullets(f"{plain(image.component)}: {inline(image.digest)}" for image in release.images)
