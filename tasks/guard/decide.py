"""Whether a finished rollout is to blame for an alert; only then is it taken back."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from tasks.core.alerts import Alert
from tasks.core.model import Record, RolloutState
from tasks.core.sample import Track
from tasks.core.slos import Saturation
from tasks.core.units import format_duration
from tasks.guard.model import Answer, Judgement, Page, Seen

__all__ = ["AFTERMATH", "failure_page", "foremost", "judge", "page_of"]

AFTERMATH = timedelta(minutes=10)
"""For so long after a release was taken back alerts are about that release: the short window of
the workbook's fastest alert is 5 min, and a scrape, an evaluation and a message come on top."""
ENOUGH = 100
"""Events from which on a share of bad ones means something."""


def judge(seen: Seen) -> Judgement:
    """Say what an alert leads to.

    Nothing is ever taken back twice in a row: a release that a rollback brought back stays, and a
    person decides.
    """
    alert, live = foremost(seen.alerts), seen.past.record(seen.past.live)
    if alert is None:
        return Judgement(Answer.IGNORE, "no alert of an objective is firing")
    if live is None:
        return Judgement(Answer.IGNORE, "nothing has been rolled out here")
    judged = _weigh(seen, alert, live)
    evidence = (*judged.evidence, *_facts(seen, alert, live))
    return replace(judged, evidence=evidence, release=live.release.id, number=live.number)


def _weigh(seen: Seen, alert: Alert, live: Record) -> Judgement:
    settled = next(_settled(seen, alert), None)
    if settled is not None:
        return Judgement(Answer.IGNORE, settled)
    doubts = tuple(_doubts(seen, alert, live))
    if doubts:
        return Judgement(Answer.PAGE, doubts[0], doubts[1:])
    after = format_duration(alert.started_at - live.started_at)
    said = f"{alert.name} began {after} after rollout {live.number}: {alert.summary}"
    return Judgement(Answer.ROLL_BACK, said)


def foremost(alerts: tuple[Alert, ...]) -> Alert | None:
    """Return the firing alert of an objective that began first, None where there is none."""
    firing = [each for each in alerts if each.firing and each.labels.get("slo")]
    return min(firing, key=lambda each: each.started_at, default=None)


def _settled(seen: Seen, alert: Alert) -> Iterator[str]:
    """Say why nothing has to be done."""
    newest = seen.past.records[0]
    if newest.state is RolloutState.STARTED:
        yield f"rollout {newest.number} is under way and judged by its own analysis"
    taken_back = newest.restores is not None or newest.state is RolloutState.RESTORED
    if taken_back and newest.finished_at and alert.started_at <= newest.finished_at + AFTERMATH:
        yield f"rollout {newest.number} has taken the release back that the alert is about"


def _doubts(seen: Seen, alert: Alert, live: Record) -> Iterator[str]:
    """Say why the live release is not to blame, or must not be taken back."""
    past, rules, evidence = seen.past, seen.past.rules, seen.evidence
    newest = past.records[0]
    if newest.state is RolloutState.FAILED and newest.number > live.number:
        yield f"rollout {newest.number} failed and left the environment half-way"
    if alert.started_at < live.started_at or evidence.burning_before:
        yield f"it burned before rollout {live.number} began"
    if live.restores is not None:
        yield f"rollout {live.number} was a rollback itself; a second one could only go in circles"
    if evidence.dependencies:
        yield f"{', '.join(evidence.dependencies)} is down"
    if evidence.fired_before or _stable_was_as_bad(seen, alert, live):
        yield "the release before it was just as bad"
    if seen.now > _end_of_window(seen, live):
        yield f"rollout {live.number} is older than {format_duration(rules.window)}"
    if not rules.automatic:
        yield "slipway.yaml leaves rollbacks here to people"
    if live.release.irreversible:
        yield f"there is no way back behind {live.release.id}: {live.release.irreversible}"
    if past.goal is None:
        yield "there is no earlier good release to go back to"


def _stable_was_as_bad(seen: Seen, alert: Alert, live: Record) -> bool:
    """Say whether the release before broke the objective too while both ran side by side."""
    objective = seen.past.slos.goals.get(alert.labels["slo"])
    if objective is None or isinstance(objective, Saturation):
        return False
    stable, canary = (_bad_share(live, alert.labels["slo"], track) for track in _TRACKS)
    budget = 1 - objective.objective / 100
    return stable is not None and stable > budget and stable >= (canary or 0.0)


_TRACKS: tuple[Track, Track] = ("stable", "canary")


def _bad_share(record: Record, sli: str, track: Track) -> float | None:
    samples = [each for each in record.samples if each.sli == sli and each.track == track]
    total = sum(each.total for each in samples)
    return sum(each.bad for each in samples) / total if total >= ENOUGH else None


def _facts(seen: Seen, alert: Alert, live: Record) -> Iterator[str]:
    yield f"alert {alert.name} since {alert.started_at:%Y-%m-%d %H:%M:%S} UTC: {alert.summary}"
    finished = live.finished_at or live.started_at
    yield (
        f"live is {live.release.id}, rollout {live.number}, commit {live.release.commit[:12]} "
        f"by {live.release.author}, from {live.started_at:%H:%M:%S} to {finished:%H:%M:%S} UTC"
    )
    yield f"the rollback window ends {_end_of_window(seen, live):%Y-%m-%d %H:%M:%S} UTC"
    if seen.past.goal is not None:
        yield f"a rollback goes to rollout {seen.past.goal}"
    if seen.evidence.burning_before is None:
        yield "Prometheus did not say whether it burned before"


def _end_of_window(seen: Seen, live: Record) -> datetime:
    return (live.finished_at or live.started_at) + seen.past.rules.window


def page_of(place: str, judgement: Judgement) -> Page:
    """Return what a person reads who has to decide."""
    environment = place.partition("/")[0]
    step = f"slipway rollback {environment} --reason TEXT takes the live release back"
    return Page(
        key=f"slipway/{place}/{judgement.number}",
        summary=f"{place}: not rolled back by itself: {judgement.reason}",
        source=place,
        details=(*judgement.evidence, f"to do: slipway history {environment}; {step}"),
    )


def failure_page(place: str, judgement: Judgement, why: str) -> Page:
    """Return what a person reads when the rollback itself came to nothing."""
    environment = place.partition("/")[0]
    steps = (
        f"to finish by hand: slipway history {environment} says where it stopped",
        f"slipway rollback {environment} --reason TEXT [--to N] goes on with it, or further back",
        "traffic stays where it was ready last",
    )
    return Page(
        key=f"slipway/{place}/{judgement.number}",
        summary=f"{place}: the rollback of {judgement.release} failed: {why}",
        source=place,
        details=(f"because {judgement.reason}", *judgement.evidence, *steps),
    )
