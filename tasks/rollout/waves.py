"""In which order a release comes in: what components stand on, hooks, then the components."""

from collections.abc import Iterable, Mapping

from tasks.core.model import Release
from tasks.core.objects import Object, ref_of
from tasks.core.strategy import Hook
from tasks.rollout import marks
from tasks.rollout.changing import WATCHED, applies, await_all
from tasks.rollout.components import component_of
from tasks.rollout.model import Observed, Rules
from tasks.rollout.reach import SERVICE, labels_of, selects
from tasks.rollout.steps import AwaitReady, Mark, StartJob, Step

__all__ = ["LATER", "enter", "is_forced", "levels", "run_hooks", "waiting_for_pods", "waves"]

LATER = frozenset({"CronJob", "HTTPRoute", "HorizontalPodAutoscaler", "Ingress", "Job"})
"""Kinds that act on what is there, or for users, as soon as they are there themselves."""


def enter(seen: Observed, objects: tuple[Object, ...]) -> Iterable[Step]:
    """Apply the objects of a release, wave after wave; the last one is not waited for here."""
    progress, release = seen.current.progress, seen.current.record.release
    force = is_forced(seen)
    stages = waves(objects, release, seen.current.rules)
    for number, wave in enumerate(stages[:-1]):
        if not progress.has(marks.wave_ready(number)):
            if not progress.has(marks.wave_applied(number)):
                yield from applies(wave, seen, force=force, among=objects)
                yield Mark(marks.wave_applied(number))
            yield await_all(wave, marks.wave_applied(number), release, seen.environment)
            yield Mark(marks.wave_ready(number))
        if number == 0:
            yield from run_hooks(seen, seen.current.rules.hooks.before)
    yield from applies(stages[-1], seen, force=force, among=objects)


def is_forced(seen: Observed) -> bool:
    """Say whether what others have changed is taken over."""
    return seen.current.record.restores is not None or seen.environment.on_drift == "take over"


def waiting_for_pods(seen: Observed) -> tuple[Object, ...]:
    """Return the Services that would lead to nobody before the release's pods are there.

    Their selectors are others than those of the release before, and no pod of it matches them.
    """
    former = {ref_of(thing): thing for thing in seen.before}
    old, new = (
        [labels_of(thing) for thing in objects if thing["kind"] in WATCHED]
        for objects in (seen.before, seen.wanted)
    )
    return tuple(
        thing
        for thing in seen.wanted
        if ref_of(thing).kind == SERVICE
        and ref_of(thing) in former
        and thing["spec"].get("selector") != former[ref_of(thing)]["spec"].get("selector")
        and any(selects(thing, labels) for labels in new)
        and not any(selects(thing, labels) for labels in old)
    )


def run_hooks(seen: Observed, hooks: Iterable[Hook]) -> Iterable[Step]:
    """Run Jobs of the release to their end, once in a rollout; going back runs none."""
    record, progress = seen.current.record, seen.current.progress
    if record.restores is not None:
        return
    jobs = {thing["metadata"]["name"]: thing for thing in seen.jobs}
    for hook in hooks:
        if progress.has(marks.hook_done(hook.job)) or hook.job not in jobs:
            continue
        yield StartJob(jobs[hook.job])
        if not progress.has(marks.hook_started(hook.job)):
            yield Mark(marks.hook_started(hook.job), f"hook {hook.job} started")
        ref = ref_of(jobs[hook.job])
        yield AwaitReady((ref,), marks.hook_started(hook.job), hook.deadline)
        yield Mark(marks.hook_done(hook.job), f"hook {hook.job} has ended well")


def waves(
    objects: tuple[Object, ...], release: Release, rules: Rules
) -> tuple[tuple[Object, ...], ...]:
    """Divide objects into those that have to be ready before the next ones are applied.

    One wave is enough where slipway.yaml names neither an order nor something to run before.
    """
    if not rules.hooks.before and not any(rules.order.values()):
        return (objects,)
    level = levels(rules.order)
    last = 1 + max(level.values(), default=0)
    divided: dict[int, list[Object]] = {}
    for thing in objects:
        component = component_of(thing, release) if thing["kind"] in WATCHED else None
        if thing["kind"] in LATER:
            number = last + 1
        else:
            number = 1 + level.get(component, 0) if component is not None else 0
        divided.setdefault(number, []).append(thing)
    return tuple(tuple(divided.get(number, ())) for number in range(last + 2))


def levels(order: Mapping[str, tuple[str, ...]]) -> dict[str, int]:
    """Return how many components have to come before each one, along the longest way."""
    known: dict[str, int] = {}

    def level(name: str) -> int:
        if name not in known:
            known[name] = 1 + max(map(level, order.get(name, ())), default=-1)
        return known[name]

    return {name: level(name) for name in order}
