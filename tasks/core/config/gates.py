"""Who approves and when: groups that exist, rules that can be met, times that leave any over."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

from tasks.core.application import Application, Environment
from tasks.core.config.problem import Finding, Path
from tasks.core.config.times import calendar_findings
from tasks.core.gates import Approval
from tasks.core.units import format_duration

__all__ = ["gate_findings", "with_people"]

GROUP = "@"
Groups = dict[str, tuple[str, ...]]


def with_people(application: Application) -> Application:
    """Put the people of each group in the place of its name; everybody stands there once."""
    groups = application.groups
    return replace(
        application,
        environments={
            name: _expanded(each, groups) for name, each in application.environments.items()
        },
    )


def _expanded(environment: Environment, groups: Groups) -> Environment:
    rules = environment.approval
    if rules is not None:
        escalate = rules.escalate
        if escalate is not None:
            escalate = replace(escalate, to=_people(escalate.to, groups))
        approvers = _people(rules.approvers, groups)
        rules = replace(rules, approvers=approvers, escalate=escalate)
    overriders = _people(environment.overriders, groups)
    return replace(environment, approval=rules, overriders=overriders)


def _people(names: tuple[str, ...], groups: Groups) -> tuple[str, ...]:
    found = (
        person
        for name in names
        for person in (groups.get(name[1:], ()) if name.startswith(GROUP) else (name,))
    )
    return tuple(dict.fromkeys(found))


def gate_findings(application: Application) -> Iterator[Finding]:
    """Gates that nobody could pass, and names that mean nobody."""
    groups = application.groups
    for name, members in groups.items():
        path: Path = ("groups", name)
        yield from _twice(members, path)
        if any(member.startswith(GROUP) for member in members):
            yield Finding(path, "names a group in a group", "name its people")
    for name, environment in application.environments.items():
        path = ("environments", name)
        if environment.approval:
            yield from _approval(environment.approval, groups, (*path, "approval"))
        yield from _overriders(environment, groups, (*path, "overriders"))
        yield from calendar_findings(environment, path)


def _approval(rules: Approval, groups: Groups, path: Path) -> Iterator[Finding]:
    yield from _named(rules.approvers, groups, (*path, "approvers"))
    people = _people(rules.approvers, groups)
    all_known = all(_is_known(name, groups) for name in rules.approvers)
    if all_known and rules.count > len(people):
        yield Finding(
            (*path, "count"),
            f"must be at most the number of approvers, {len(people)}, got {rules.count}",
            "name more approvers or ask for fewer approvals",
        )
    if rules.remind is not None:
        yield from _late(rules.remind, rules, (*path, "remind"))
    if rules.escalate is not None:
        yield from _late(rules.escalate.after, rules, (*path, "escalate", "after"))
        place = (*path, "escalate", "to")
        yield from _named(rules.escalate.to, groups, place)
        to = _people(rules.escalate.to, groups)
        if to and all_known and set(to) <= set(people):
            yield Finding(place, "adds nobody to the approvers", "name somebody else, or remove it")


def _late(after: timedelta, rules: Approval, path: Path) -> Iterator[Finding]:
    if after >= rules.expires:
        yield Finding(
            path,
            f"must be shorter than `expires`, {format_duration(rules.expires)}, "
            f"got {format_duration(after)}",
            "write a shorter time, or a longer `expires`",
        )


def _overriders(environment: Environment, groups: Groups, path: Path) -> Iterator[Finding]:
    yield from _named(environment.overriders, groups, path)
    if environment.overriders and not environment.windows and not environment.freezes:
        remedy = "remove it, or add `freezes:` or `windows:`"
        yield Finding(path, "have nothing to override", remedy)


def _named(names: tuple[str, ...], groups: Groups, path: Path) -> Iterator[Finding]:
    yield from _twice(names, path)
    for index, name in enumerate(names):
        if not _is_known(name, groups):
            known = ", ".join(f"{GROUP}{each}" for each in sorted(groups))
            yield Finding(
                (*path, index),
                f"{name} is no group",
                f"write one of {known}" if known else "add `groups:` at the top level of the file",
            )


def _twice(names: tuple[str, ...], path: Path) -> Iterator[Finding]:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        yield Finding(path, f"names {', '.join(twice)} twice", "name everybody once")


def _is_known(name: str, groups: Groups) -> bool:
    return not name.startswith(GROUP) or name[1:] in groups
