"""The verdict: both against the objective and against the release before."""

from tasks.analysis.case import Case
from tasks.analysis.looks import side_by_side
from tasks.analysis.model import Facts, Finding, Indicator, Limit, Objective, Shift
from tasks.analysis.number import judge_number
from tasks.analysis.ratio import judge_ratio
from tasks.analysis.sequential import Bounds
from tasks.analysis.shift import judge_shift
from tasks.core.model import Outcome, Verdict

__all__ = ["judge"]

GRAVITY = (Outcome.FAILED, Outcome.UNAVAILABLE, Outcome.NO_DATA, Outcome.PASSED)


def judge(facts: Facts) -> tuple[Verdict, bool]:
    """Say what the evidence shows about a release, and whether it is complete."""
    indicators = facts.indicators
    bounds = Bounds.of(facts.judging.false_alarms / 100, len(indicators), facts.workloads)
    case = Case(facts, bounds, side_by_side(facts.samples))
    findings = [_finding(indicator, case) for indicator in indicators]
    if not findings:
        return Verdict(Outcome.PASSED, "slipway.yaml names no service level to judge by"), True
    findings += [Finding(Outcome.UNAVAILABLE, sentence) for sentence in facts.standby]
    gravest = min((found.outcome for found in findings), key=GRAVITY.index)
    said = [found.sentence for found in findings if found.outcome is gravest]
    evidence = tuple(line for found in findings for line in (found.sentence, *found.shown))
    decided = gravest is Outcome.FAILED or all(found.decided for found in findings)
    return Verdict(gravest, "; ".join(said), evidence), decided


def _finding(indicator: Indicator, case: Case) -> Finding:
    fault = case.facts.faults.get(indicator.name)
    if fault is not None:
        return Finding(Outcome.UNAVAILABLE, f"{indicator.name}: {fault}", shown=indicator.shown)
    if case.facts.share == 0:
        what = f"{indicator.name}: none but testers meet the new release, nothing is compared"
        return Finding(Outcome.PASSED, what, decided=True, shown=indicator.shown)
    match indicator.goal:
        case Objective() as goal:
            return judge_ratio(indicator, goal, case)
        case Shift() as goal:
            return judge_shift(indicator, goal, case)
        case Limit() as goal:
            return judge_number(indicator, goal, case)
