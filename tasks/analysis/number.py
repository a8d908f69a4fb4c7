"""A plain number: it has to stay at or under a limit."""

from collections.abc import Sequence
from dataclasses import replace

from tasks.analysis.case import HARMLESS, Case, Component, too_little
from tasks.analysis.model import NOTHING, Count, Finding, Indicator, Limit, Look
from tasks.analysis.sequential import WHOLE, Before, harmless_beside, worse
from tasks.analysis.stretches import joined, over, piece_of, stretch_of, stretches
from tasks.analysis.words import odds, subject
from tasks.core.model import Outcome

__all__ = ["judge_number"]

STEADY = 3
"""A number is over its limit when it was so in as many looks in a row."""
AS_OFTEN = 0.5
"""Where the old release was over the limit in so many stretches, it is nobody's news."""


def judge_number(indicator: Indicator, goal: Limit, case: Case) -> Finding:
    """Look at each component's newest readings, and bet once a stretch."""
    strata = case.looks.get(indicator.name, {})
    found = case.joined({name: _weighed(indicator, goal, case, name) for name in strata})
    there = {name: each for name, each in found.each.items() if _readings(each.fresh)}
    if not there:
        return too_little(indicator, 0, case.facts)
    name = max(there, key=lambda name: (there[name].bet, _readings(there[name].fresh)[-1].bad))
    worst, last = there[name], _readings(there[name].fresh)[-1].bad
    sentence = (
        f"{subject(indicator.name, name, found.each)}: {last:g} (limit {goal.value:g}),"
        f" {odds(found.evidence, case.bounds.evidence)}"
    )
    if _is_steady(worst, goal) and found.evidence >= case.bounds.evidence:
        return Finding(Outcome.FAILED, sentence, decided=True, shown=indicator.shown)
    unknown = any(_is_steady(each, goal) and not each.past for each in there.values())
    if unknown and case.facts.share == WHOLE:
        what = f"{indicator.name}: over its limit, and there is nothing to compare it with"
        return Finding(Outcome.NO_DATA, f"{what}: {sentence}", shown=indicator.shown)
    decided = all(_is_decided(each, goal) for each in there.values())
    return Finding(Outcome.PASSED, sentence, decided, indicator.shown)


def _weighed(indicator: Indicator, goal: Limit, case: Case, name: str) -> Component:
    looks = case.looks[indicator.name][name]
    history = case.facts.baselines.get(indicator.name, {}).get(name, ())
    piece = piece_of(case.facts.judging.baseline)
    length = stretch_of(history, piece)
    events = tuple(stretches(looks, goal, length))
    beside = (event.stable for event in events if event.share < WHOLE and event.stable.total > 0)
    past = (*joined(history, goal, max(1, round(length / piece))), *beside)
    bet = worse(events, Before.of(past, case.bounds.baseline))
    return Component(looks, past, case.facts.share, bet)


def _readings(looks: Sequence[Look]) -> list[Count]:
    return [look.canary for look in looks if look.canary.total > 0]


def _is_steady(component: Component, goal: Limit) -> bool:
    newest = _readings(component.looks)[-STEADY:]
    return len(newest) == STEADY and all(over(each, goal).bad for each in newest)


def _is_decided(component: Component, goal: Limit) -> bool:
    """Say whether it is not over the limit, or the old one is so as well, or was before."""
    if len(_readings(component.fresh)) < STEADY:
        return False
    was = sum(component.past, NOTHING).rate >= AS_OFTEN
    events = [
        replace(look, canary=over(look.canary, goal), stable=over(look.stable, goal))
        for look in component.looks
    ]
    return not _is_steady(component, goal) or was or harmless_beside(events) >= HARMLESS
