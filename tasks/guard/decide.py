"""Whether a rollout is to blame for an alert; only then is it taken back."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from tasks.core.alerts import Alert
from tasks.core.model import Outcome, Verdict
from tasks.core.past import Past
from tasks.core.record import Record, RolloutState
from tasks.core.slos import Saturation
from tasks.core.tracks import TRACKS, Track
from tasks.core.units import format_duration
from tasks.guard.model import Answer, Case, Judgement, Seen

__all__ = ["AFTERMATH", "asked_for", "breaches", "confirmed", "is_back", "is_left", "judge"]

AFTERMATH = timedelta(minutes=10)
"""For so long after a release was taken back alerts are about that release: the short window of
the workbook's fastest alert is 5 min, and a scrape, an evaluation and a message come on top."""
COUNTED_LATELY = timedelta(minutes=1)
"""An analysis writes down what it has counted every 10 s, or 40 s where only Prometheus counts.
One that is silent for longer waits for a person or for pods, does not know, or is dead."""
BACK_WITHIN = timedelta(minutes=15)
"""A rollback that has not ended after that needs a person."""
CLEARLY_WORSE = 2.0
"""So many times as many bad events as before are this release's; less may be the weather."""
ENOUGH = 100
"""Events from which on a share of bad ones means something."""
WEIGHT = (Answer.IGNORE, Answer.PAGE, Answer.ROLL_BACK)


def breaches(alerts: Iterable[Alert]) -> tuple[Alert, ...]:
    """Return the firing alerts that may take a release back, the newest first.

    They are those of an objective that page; the label `rollback` says otherwise. A warning tells
    of a budget that is gone in weeks: time enough for people.
    """
    found = (each for each in alerts if each.firing and each.labels.get("slo"))
    serious = (each for each in found if _may_take_back(each))
    return tuple(sorted(serious, key=lambda each: each.started_at, reverse=True))


def _may_take_back(alert: Alert) -> bool:
    said = alert.labels.get("rollback")
    return alert.labels.get("severity") == "critical" if said is None else said == "true"


def judge(seen: Seen) -> Judgement:
    """Judge each alert by itself and return what weighs most, of equals that of the newest alert.

    Nothing is ever taken back twice in a row: a release that a rollback brought back stays, and a
    person decides.
    """
    judged = [_judged(seen, case) for case in seen.cases]
    nothing = Judgement(Answer.IGNORE, "no alert that may take a release back is firing")
    return max(judged, key=lambda each: (WEIGHT.index(each.answer), each.certain), default=nothing)


def confirmed(judged: Judgement, verdict: Verdict) -> Judgement:
    """Return what a judgement comes to that only quiet alerts led to, when its pods were watched.

    An alert alone is an absolute limit that was broken for a moment; what takes a release back has
    to go on, and to be worse than before.
    """
    said = f"watched after that: {verdict.outcome.value}: {verdict.reason}"
    evidence = (*judged.evidence, said, *verdict.evidence)
    if verdict.outcome is Outcome.FAILED:
        return replace(judged, evidence=evidence)
    why = f"{judged.reason}; but it is not for certain worse than before: {verdict.reason}"
    return replace(judged, answer=Answer.IGNORE, reason=why, evidence=evidence)


def asked_for(past: Past, reason: str) -> Judgement:
    """Return what a person has judged who asks for a rollback, in the same words."""
    it = past.at_stake
    release, number = (it.release.id, it.number) if it else ("nothing", None)
    return Judgement(Answer.ROLL_BACK, reason, (), release, number)


def is_back(record: Record) -> bool:
    """Say whether a release was taken back: by a rollback, or by its own rollout turning round.

    A rollback that turns round itself brings back what it was to take away.
    """
    is_rollback = record.restores is not None
    return record.state is (RolloutState.SUCCEEDED if is_rollback else RolloutState.RESTORED)


def is_left(record: Record) -> bool:
    """Say whether a release has failed over one that was live, which did not come back.

    A first rollout that fails takes nothing away from anybody.
    """
    was_live = record.plan is not None and record.plan.live is not None
    return record.state is RolloutState.FAILED and was_live


def _judged(seen: Seen, case: Case) -> Judgement:
    it = seen.past.at_stake
    if it is None:
        return _nothing_live(seen.past.newest)
    weighed = _weigh_quiet if case.alert.quiet else _weigh
    judged = weighed(seen, case, it)
    evidence = (*judged.evidence, *_facts(seen, case, it))
    return replace(judged, evidence=evidence, release=it.release.id, number=it.number)


def _nothing_live(newest: Record | None) -> Judgement:
    if newest is None or newest.state is not RolloutState.FAILED:
        return Judgement(Answer.IGNORE, "nothing has been rolled out here")
    said = f"rollout {newest.number} failed, and there is nothing to go back to"
    return Judgement(Answer.PAGE, said, (), newest.release.id, newest.number)


def _weigh_quiet(seen: Seen, case: Case, it: Record) -> Judgement:
    """Weigh an alert that is for the guard alone: it wakes nobody up, and proves nothing yet."""
    newest = seen.past.records[0]
    if _is_started(newest):
        said = f"rollout {newest.number} is under way; when it has ended the alert is judged again"
        return Judgement(Answer.IGNORE, said)
    if case.evidence.fired_before:
        return Judgement(Answer.IGNORE, "it comes and goes without a rollout, too")
    judged = _weigh(seen, case, it)
    if judged.answer is Answer.PAGE:
        return replace(judged, answer=Answer.IGNORE)
    return replace(judged, certain=judged.answer is Answer.IGNORE)


def _weigh(seen: Seen, case: Case, it: Record) -> Judgement:
    settled = next(_settled(seen, case, it), None)
    if settled is not None:
        return Judgement(Answer.IGNORE, settled)
    doubts = (*_not_to_blame(seen, case, it), *_not_allowed(seen, it))
    if doubts:
        return Judgement(Answer.PAGE, doubts[0], doubts[1:])
    after = format_duration(case.alert.started_at - it.started_at)
    said = f"{case.alert.name} began {after} after rollout {it.number}: {case.alert.summary}"
    return Judgement(Answer.ROLL_BACK, said)


def _settled(seen: Seen, case: Case, it: Record) -> Iterator[str]:
    """Say why nothing has to be done."""
    newest = seen.past.records[0]
    if case.evidence.over:
        yield "it is over"
    if _goes_back(newest) and seen.now <= newest.started_at + BACK_WITHIN:
        yield f"rollout {newest.number} is taking the release back"
    if _is_judged(seen):
        yield f"rollout {newest.number} is under way, and its own analysis judges it"
    ended = next((each for each in seen.past.records if not _is_started(each)), None)
    if ended is None or ended.finished_at is None or not _is_gone(ended):
        return
    alert = case.alert
    is_newer = seen.past.under_way is not None and alert.started_at >= it.started_at
    if not is_newer and alert.started_at <= ended.finished_at + AFTERMATH:
        yield f"rollout {ended.number} has taken the release back that the alert is about"


def _is_gone(record: Record) -> bool:
    """Say whether users do not meet the release of an ended rollout any more."""
    return is_back(record) or record.state is RolloutState.SUPERSEDED


def _is_judged(seen: Seen) -> bool:
    """Say whether an analysis counts what the rollout under way does, now.

    Nobody judges a canary that waits at a gate, one whose process is gone, pods that are changed
    where they are, or a promotion.
    """
    if seen.under_way is None or not _is_started(seen.under_way) or seen.past.promoting:
        return False
    counted = max((each.at for each in seen.under_way.samples), default=None)
    return counted is not None and seen.now - counted <= COUNTED_LATELY


def _not_to_blame(seen: Seen, case: Case, it: Record) -> Iterator[str]:
    """Say why it may not be this release's fault, or not its alone."""
    newest, evidence = seen.past.records[0], case.evidence
    if _goes_back(newest):
        after = format_duration(seen.now - newest.started_at)
        yield f"rollout {newest.number} takes the release back and has not ended after {after}"
    if newest.number > it.number and newest.state is RolloutState.FAILED:
        yield f"rollout {newest.number} failed and left the environment half-way"
    if newest.restores is not None and newest.state is RolloutState.RESTORED:
        yield f"rollout {newest.number} was to take the release back and failed"
    if case.alert.started_at < it.started_at or evidence.burning_before:
        yield f"it burned before rollout {it.number} began"
    if it.restores is not None:
        yield f"rollout {it.number} was a rollback itself; a second one could only go in circles"
    if seen.past.held and seen.past.under_way is not None:
        yield f"rollout {newest.number} holds: {seen.past.held}"
    if evidence.dependencies:
        yield f"{', '.join(evidence.dependencies)} is down"
    if _was_as_bad(seen, case) or _stable_was_as_bad(seen, case.alert, it):
        yield "the release before it was just as bad"


def _not_allowed(seen: Seen, it: Record) -> Iterator[str]:
    """Say why it must not be taken back without a person."""
    past, rules = seen.past, seen.past.rules
    if not _is_started(it) and seen.now > _end_of_window(seen, it):
        yield f"rollout {it.number} is older than {format_duration(rules.window)}"
    if not rules.automatic:
        yield "slipway.yaml leaves rollbacks here to people"
    if it.release.irreversible:
        yield f"there is no way back behind {it.release.id}: {it.release.irreversible}"
    if past.way_back is None:
        yield "there is no earlier good release to go back to"


def _was_as_bad(seen: Seen, case: Case) -> bool:
    """Say whether the objective was broken alike before; names of alerts only without numbers."""
    before, since = case.evidence.bad_before, case.evidence.bad_since
    if before is None or since is None:
        return bool(case.evidence.fired_before)
    budget = _budget(seen.past, case.alert)
    return budget is not None and before > budget and since < CLEARLY_WORSE * before


def _stable_was_as_bad(seen: Seen, alert: Alert, it: Record) -> bool:
    """Say whether the release before broke the objective too while both ran side by side."""
    budget, counted = _budget(seen.past, alert), seen.under_way or it
    stable, canary = (_bad_share(counted, alert.labels["slo"], track) for track in TRACKS)
    if budget is None or stable is None:
        return False
    return stable > budget and stable >= (canary or 0.0)


def _budget(past: Past, alert: Alert) -> float | None:
    """Return the share of bad events that the alert's objective allows."""
    goal = past.slos.goals.get(alert.labels["slo"])
    return None if goal is None or isinstance(goal, Saturation) else 1 - goal.objective / 100


def _bad_share(record: Record, sli: str, track: Track) -> float | None:
    samples = [each for each in record.samples if each.sli == sli and each.track == track]
    total = sum(each.total for each in samples)
    return sum(each.bad for each in samples) / total if total >= ENOUGH else None


def _facts(seen: Seen, case: Case, it: Record) -> Iterator[str]:
    alert, evidence, goal = case.alert, case.evidence, seen.past.way_back
    yield f"alert {alert.name} since {alert.started_at:%Y-%m-%d %H:%M:%S} UTC: {alert.summary}"
    release = f"{it.release.id}, rollout {it.number}, commit {it.release.commit[:12]}"
    until = f" to {it.finished_at:%H:%M:%S}" if it.finished_at else ""
    word = "under way" if _is_started(it) else "live"
    yield f"{word} is {release} by {it.release.author}, from {it.started_at:%H:%M:%S}{until} UTC"
    if not _is_started(it):
        yield f"the rollback window ends {_end_of_window(seen, it):%Y-%m-%d %H:%M:%S} UTC"
    if goal is not None:
        yield f"a rollback goes to rollout {goal}"
    if evidence.bad_before is not None and evidence.bad_since is not None:
        bad = f"{100 * evidence.bad_since:.3g} % bad since it began"
        yield f"{alert.labels['slo']}: {bad}, {100 * evidence.bad_before:.3g} % as long before"
    if evidence.burning_before is None:
        yield "Prometheus did not say whether it burned before"


def _end_of_window(seen: Seen, it: Record) -> datetime:
    return (it.finished_at or it.started_at) + seen.past.rules.window


def _is_started(record: Record) -> bool:
    return record.state is RolloutState.STARTED


def _goes_back(record: Record) -> bool:
    return _is_started(record) and record.restores is not None
