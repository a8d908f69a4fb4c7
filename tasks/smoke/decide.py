"""What is run, and what may not be."""

import signal
from datetime import timedelta

from tasks.core.application import Component, Smoke
from tasks.core.bounds import GRACE, Bounds
from tasks.core.errors import ConfigError, StageFailed
from tasks.core.model import Image
from tasks.core.units import format_duration, format_size
from tasks.smoke.model import Answer, Loaded, Observed, Sign, Trial

__all__ = [
    "check_image",
    "describe_state",
    "expectation",
    "is_healthy",
    "judge_stop",
    "note_on_user",
    "plan",
]

LARGEST = 5
MEMORY, LEAST_MEMORY = 512 * 2**20, 6 * 2**20
"""Bytes: where nothing says how much; what the engine takes as a limit at least."""
COMMAND_WIDTH = 100


def check_image(image: Image, loaded: Loaded, max_size: int | None) -> None:
    """Refuse another image than the built one, one that is too large, one that runs as root.

    Raises:
        StageFailed: with what was expected and what came.
    """
    where = f"smoke {image.component}"
    if loaded.id not in {image.config_digest, image.digest}:  # containerd's store: the latter
        raise StageFailed(
            f"expected image {image.config_digest}, the engine loaded {loaded.id}",
            where=where,
            next_step="build again; the archive is not the image that was built",
        )
    if max_size is not None and loaded.size_bytes > max_size:
        raise StageFailed(
            f"{format_size(loaded.size_bytes)} unpacked, the budget is {format_size(max_size)}"
            f"; largest layers:\n{_largest(loaded)}",
            where=where,
            next_step="copy less into the runtime target, or raise image.max_size in slipway.yaml",
        )
    if _is_root(loaded.user.split(":")[0]):
        raise StageFailed(
            f"the image runs as root (USER is {loaded.user or 'not set'})",
            where=where,
            next_step="end the runtime target of its Dockerfile with USER and a number, such as "
            "USER 1000",
        )


def plan(component: Component, image: Image, loaded: Loaded, bounds: Bounds) -> Trial | str:
    """Choose how an image is tried; a sentence says why it cannot be.

    What slipway.yaml says goes before what the manifests say.

    Raises:
        ConfigError: smoke.path is given, but no port to ask.
    """
    smoke = component.smoke or Smoke()
    port = component.port or (loaded.ports[0] if len(loaded.ports) == 1 else None)
    if smoke.path is not None and port is None:
        raise ConfigError(
            f"smoke.path {smoke.path} needs a port, the image exposes {len(loaded.ports)}",
            where=f"slipway.yaml: components.{image.component}",
            next_step="set port",
        )
    sign = _sign(smoke, loaded, port)
    if sign is None:
        return (
            "skipped, not passed: nothing shows whether it is healthy "
            "(no smoke.path, no HEALTHCHECK in the image, no port)"
        )
    return Trial(
        component=image.component,
        image=loaded.id,
        sign=sign,
        port=port,
        path=smoke.path or "",
        env=smoke.env,
        memory=max(smoke.memory or bounds.memory or MEMORY, LEAST_MEMORY),
        writable=smoke.writable,
        within=smoke.within,
        grace=smoke.grace or bounds.grace or GRACE,
        stop_signal=loaded.stop_signal,
    )


def is_healthy(trial: Trial, observed: Observed, answer: Answer | None) -> bool:
    """Say whether the sign that the trial waits for has come."""
    if trial.sign is Sign.HEALTHCHECK:
        return observed.health == "healthy"
    return answer is not None and answer.is_good


def describe_state(trial: Trial, observed: Observed, answer: Answer | None) -> str:
    """Say what came instead of health."""
    if observed.out_of_memory:
        return f"it ran out of its {format_size(trial.memory)} of memory"
    if observed.code is not None:
        return f"it ended with status {observed.code}"
    if trial.sign is Sign.HEALTHCHECK:
        said = f", last check: {observed.last_check}" if observed.last_check else ""
        return f"HEALTHCHECK is {observed.health}{said}"
    return answer.words if answer is not None else "no answer"


def expectation(trial: Trial) -> str:
    """Say what a healthy image would do."""
    expected = {
        Sign.HTTP: f"GET {trial.path} on port {trial.port} answered 2xx",
        Sign.HEALTHCHECK: "HEALTHCHECK healthy",
        Sign.PORT: f"port {trial.port} open",
    }
    return f"{expected[trial.sign]} within {format_duration(trial.within)}"


def judge_stop(trial: Trial, observed: Observed, took: timedelta) -> str:
    """Return what is wrong with how it stopped, empty where nothing is."""
    if observed.code is None:
        return f"it still ran {format_duration(took)} later"
    by_the_signal = 128 + _number(trial.stop_signal)
    if observed.code not in {0, by_the_signal}:
        return f"it ended with status {observed.code}"
    return ""


def note_on_user(loaded: Loaded) -> str:
    """Name the user, with a warning where Kubernetes will ask for a number."""
    user = loaded.user.split(":")[0]
    if user.isdecimal():
        return f"as user {user}"
    return f"as user {user} (runAsNonRoot in Kubernetes needs a number: set runAsUser)"


def _sign(smoke: Smoke, loaded: Loaded, port: int | None) -> Sign | None:
    if smoke.path is not None:
        return Sign.HTTP
    if loaded.has_healthcheck:
        return Sign.HEALTHCHECK
    return Sign.PORT if port is not None else None


def _is_root(user: str) -> bool:
    return user in {"", "root"} or (user.isdecimal() and int(user) == 0)


def _number(name: str) -> int:
    """Read SIGTERM, TERM or 15; one that only the engine knows stands for none."""
    word = name.upper() if name.upper().startswith("SIG") else f"SIG{name.upper()}"
    known = signal.Signals.__members__.get(word)
    return int(name) if name.isdecimal() else int(known or 0)


def _largest(loaded: Loaded) -> str:
    layers = sorted(loaded.layers, key=lambda layer: -layer.size_bytes)[:LARGEST]
    return "\n".join(
        f"  {format_size(layer.size_bytes):>10}  {' '.join(layer.command.split())[:COMMAND_WIDTH]}"
        for layer in layers
        if layer.size_bytes
    )
