"""Runs an image the way the manifests will."""

from collections.abc import Callable
from datetime import timedelta

from tasks.core.application import Component
from tasks.core.bounds import Bounds
from tasks.core.clock import Clock, SystemClock
from tasks.core.errors import StageFailed
from tasks.core.model import CheckResult, Image
from tasks.core.target import Target
from tasks.core.units import format_duration, format_size
from tasks.smoke.decide import (
    check_image,
    describe_state,
    expectation,
    is_healthy,
    judge_stop,
    note_on_user,
    plan,
)
from tasks.smoke.engine import connect
from tasks.smoke.model import Answer, Container, Loaded, Observed, Sign, Trial

__all__ = ["smoke", "try_container"]

STEP = timedelta(milliseconds=100)
NO_BOUNDS = Bounds()


def smoke(
    image: Image,
    component: Component,
    target: Target,
    log: Callable[[str], None],
    bounds: Bounds = NO_BOUNDS,
) -> CheckResult:
    """Load an image, run it as the manifests will, and take everything away again.

    Raises:
        StageFailed: it is not what was built, too large, runs as root, does not become
            healthy, or does not stop when asked.
        Unavailable: the engine does not answer.
    """
    clock = SystemClock()
    begin = clock.now()
    with connect(target.docker_host) as engine:
        if left := engine.clean():
            log(f"removed {left} containers and tags that a killed run left")
        with engine.loaded(image) as loaded:
            check_image(image, loaded, component.image.max_size)
            trial = plan(component, image, loaded, bounds)
            if isinstance(trial, str):
                sentence = trial
            else:
                with engine.started(trial) as container:
                    log(f"started as the manifests will: {expectation(trial)} is expected")
                    sentence = try_container(container, trial, clock)
    facts = f"{sentence}; {_describe(loaded, component)}"
    seconds = (clock.now() - begin).total_seconds()
    log(facts)
    return CheckResult(image.component, "smoke", facts, seconds=seconds)


def try_container(container: Container, trial: Trial, clock: Clock) -> str:
    """Wait until it is healthy, then until it has stopped when asked; say how long both took.

    Raises:
        StageFailed: with what was expected, what came, and its last log lines.
    """
    started = clock.now()
    words = _wait_healthy(container, trial, clock)
    healthy = clock.now()
    container.terminate()
    observed = _wait_stopped(container, trial, clock)
    took = clock.now() - healthy
    if wrong := judge_stop(trial, observed, took):
        expected = (
            f"expected it to stop within {format_duration(trial.grace)} of {trial.stop_signal}"
        )
        raise _failed(container, trial, f"{expected}, but {wrong}")
    return (
        f"healthy after {format_duration(healthy - started)} ({words}), "
        f"stopped {format_duration(took)} after {trial.stop_signal} with status {observed.code}"
    )


def _wait_healthy(container: Container, trial: Trial, clock: Clock) -> str:
    deadline = clock.now() + trial.within
    while True:
        observed, answer = _look(container, trial)
        if observed.code is None and is_healthy(trial, observed, answer):
            return answer.words if answer else "HEALTHCHECK healthy"
        if observed.code is not None or clock.now() >= deadline:
            came = describe_state(trial, observed, answer)
            raise _failed(container, trial, f"expected {expectation(trial)}, but {came}")
        clock.wait(STEP)


def _look(container: Container, trial: Trial) -> tuple[Observed, Answer | None]:
    observed = container.observe()
    if observed.code is not None or trial.sign is Sign.HEALTHCHECK:
        return observed, None
    return observed, container.ask()


def _wait_stopped(container: Container, trial: Trial, clock: Clock) -> Observed:
    deadline = clock.now() + trial.grace
    while True:
        observed = container.observe()
        if observed.code is not None or clock.now() >= deadline:
            return observed
        clock.wait(STEP)


def _failed(container: Container, trial: Trial, what: str) -> StageFailed:
    lines = container.last_lines() or "(it logged nothing)"
    indented = "\n".join(f"  | {line}" for line in lines.splitlines())
    return StageFailed(
        f"{what}; its last lines:\n{indented}",
        where=f"smoke {trial.component}",
        next_step="try it with docker run --read-only --cap-drop ALL; smoke.env gives it what "
        "it needs to start alone, smoke.writable the folders that it writes to",
    )


def _describe(loaded: Loaded, component: Component) -> str:
    limit = component.image.max_size
    budget = f" of {format_size(limit)}" if limit is not None else ""
    return f"{format_size(loaded.size_bytes)}{budget} unpacked, {note_on_user(loaded)}"
