"""An objective: so many events may be bad."""

from tasks.analysis.burning import fast_burn, worst_burn
from tasks.analysis.case import HARMLESS, Case, Components, too_little
from tasks.analysis.looks import newest
from tasks.analysis.model import NOTHING, Finding, Indicator, Objective
from tasks.analysis.sequential import (
    WHOLE,
    harmless_after,
    harmless_beside,
    harmless_itself,
)
from tasks.analysis.words import compared, odds, subject
from tasks.core.model import Outcome
from tasks.core.units import format_duration

__all__ = ["judge_ratio"]


def judge_ratio(indicator: Indicator, goal: Objective, case: Case) -> Finding:
    """Let all components burn one budget; which one is worse is asked of each on its own."""
    found, facts, bounds = case.components(indicator.name), case.facts, case.bounds
    seen, looks = found.fresh.total, found.looks
    if not looks:
        return too_little(indicator, seen, facts)
    burn, suspect = worst_burn(looks, goal, facts.now), found.each[found.suspect]
    sentence = (
        f"{subject(indicator.name, found.suspect, found.each)}:"
        f" {compared(suspect.looks, suspect.past)}: burn {burn.rate:.1f} over"
        f" {format_duration(burn.window)} (limit {burn.limit:.1f}),"
        f" {odds(found.evidence, bounds.evidence)}"
    )
    enough = newest(looks).total >= facts.judging.min_events
    if burn.over and found.evidence >= bounds.evidence and enough:
        return Finding(Outcome.FAILED, sentence, decided=True, shown=indicator.shown)
    if seen < facts.judging.min_events:
        return too_little(indicator, seen, facts)
    if burn.over and not any(each.past for each in found.each.values()):
        what = f"{indicator.name}: burns, and there is nothing to compare it with: {sentence}"
        return Finding(Outcome.NO_DATA, what, shown=indicator.shown)
    speaks_against = burn.over and found.evidence > 0
    decided = not speaks_against and _is_harmless(goal, found, facts.share)
    return Finding(Outcome.PASSED, sentence, decided, indicator.shown)


def _is_harmless(goal: Objective, found: Components, share: int) -> bool:
    """Say whether it would surely not page at once, or surely is not clearly worse than before."""
    itself = harmless_itself(found.fresh, fast_burn(goal), goal.budget)
    beside = sum(harmless_beside(each.fresh) for each in found.each.values())
    after = sum(
        harmless_after(newest(each.fresh), sum(each.past, NOTHING))
        for each in found.each.values()
        if share == WHOLE
    )
    return max(itself, beside, after) >= HARMLESS
