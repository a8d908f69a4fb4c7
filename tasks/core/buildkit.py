"""Builds through BuildKit: starts buildx, shows what it does, says which step failed."""

import hashlib
import shutil
import socket
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from filelock import FileLock

from tasks.core import process
from tasks.core.clock import utc_now
from tasks.core.errors import StageFailed, ToolFailed, Unavailable
from tasks.core.model import Source
from tasks.core.paths import state_dir
from tasks.core.target import Builders, Workshop
from tasks.core.transcript import FailedStep, Transcript
from tasks.core.unreviewed import OWN_CACHE, require_known_frontend

__all__ = ["Build", "Built", "dockerfile_of", "run_build", "scratch_folder"]

ANY_STATUS = tuple(range(-64, 256))
CONNECT_TIMEOUT_SECONDS = 5.0
SCRATCH_LIVES = timedelta(days=1)
QUIET = {
    "BUILDX_GIT_INFO": "false",
    "BUILDX_METADATA_PROVENANCE": "disabled",
    "BUILDX_NO_DEFAULT_ATTESTATIONS": "1",
}


@dataclass(frozen=True, slots=True)
class Build:
    """One target of a Dockerfile to be built.

    Attributes:
        where: `application/component`, for messages.
        args: build arguments.
        outputs: of `--output`; only the cache is filled where there is none.
        flags: further flags of `buildx build`.
        environment: variables of buildx, over Slipway's own.
    """

    where: str
    context: Path
    dockerfile: Path
    target: str
    deadline: timedelta
    args: Mapping[str, str] = field(default_factory=dict)
    outputs: tuple[str, ...] = ("type=cacheonly",)
    flags: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Built:
    """How a build ended: with the step that failed, or well.

    Attributes:
        commands: number of `RUN` steps that were not taken from the cache.
        tail: last lines that the failed step printed.
    """

    seconds: float
    commands: int
    failed: FailedStep | None = None
    tail: tuple[str, ...] = ()


def dockerfile_of(source: Source, component: str) -> Path:
    """Return the Dockerfile of a component in the clean tree."""
    described = source.application.components[component]
    return Path(source.tree) / described.context / described.dockerfile


def scratch_folder() -> Path:
    """Return the folder for what only one build needs, on the disk of the state."""
    folder = state_dir() / "scratch"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    now = utc_now().timestamp()
    for left in folder.iterdir():  # by runs that were killed
        with suppress(FileNotFoundError):
            if now - left.stat().st_mtime > SCRATCH_LIVES.total_seconds():
                shutil.rmtree(left, ignore_errors=True)
    return folder


def run_build(build: Build, target: Builders, log: Callable[[str], None]) -> Built:
    """Build and stream what the steps print; a `RUN` that fails is a result, not an error.

    Raises:
        Unavailable: BuildKit or a base image's registry does not answer.
        StageFailed: the Dockerfile cannot be built, or the build ran over its deadline.
        ToolFailed: buildx ended by a signal.
        ConfigError: nobody has reviewed the Dockerfile, and it asks for a frontend of its own.
    """
    if isinstance(target, Workshop):
        build = _apart(build, target)
    if not _answers(target.builder):  # buildx itself would try for 20 s
        raise _away(build, target)
    builder = _builder(target)
    transcript = Transcript(log)
    argv = [target.buildx, "build", "--builder", builder, *_flags(build, target)]
    env = {**_environment(target), **build.environment}
    options = process.Options(env=env, on_line=transcript.feed, ok=ANY_STATUS)
    done = process.run([*argv, str(build.context)], timeout=build.deadline, options=options)
    transcript.end()
    if done.code == 0:
        return Built(done.seconds, transcript.commands)
    if done.code < 0:
        raise _ended_by_signal(build, done, transcript)
    failed = transcript.failed
    if failed is not None and failed.is_run:
        return Built(done.seconds, transcript.commands, failed, transcript.tail(failed))
    raise _why(build, target, transcript)


def _flags(build: Build, target: Builders) -> list[str]:
    flags = ["--progress", "rawjson", "--platform", "linux/amd64"]
    flags += ["--target", build.target, "--file", str(build.dockerfile), *build.flags]
    for output in build.outputs:
        flags += ["--output", output]
    for name, value in build.args.items():
        flags += ["--build-arg", f"{name}={value}"]
    if target.ca_certificates is not None:
        flags += ["--secret", f"id=ca-certificates,src={target.ca_certificates}"]
    return flags


def _apart(build: Build, workshop: Workshop) -> Build:
    """Keep a build away from what builds of reviewed code will read again."""
    require_known_frontend(build.dockerfile, build.where)
    args = {name: value for name, value in build.args.items() if not name.startswith("BUILDKIT_")}
    return replace(build, args={**args, OWN_CACHE: workshop.cache})


def _environment(target: Builders) -> dict[str, str]:
    ours = {**QUIET, "BUILDX_CONFIG": str(state_dir() / "buildx")}
    if isinstance(target, Workshop):
        # buildx would lend the accounts of `docker login` to whatever a Dockerfile names
        nobody = state_dir() / "buildx" / "nobody"
        nobody.mkdir(parents=True, exist_ok=True, mode=0o700)
        return {**ours, "DOCKER_CONFIG": str(nobody)}
    return ours


def _builder(target: Builders) -> str:
    """Make the builder known to our own buildx configuration, once, and return its name."""
    name = "slipway-" + hashlib.sha256(target.builder.encode()).hexdigest()[:12]
    home = state_dir() / "buildx"
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    with FileLock(home / "slipway.lock"):
        if not (home / "instances" / name).is_file():
            argv = [target.buildx, "create", "--name", name, "--driver", "remote", target.builder]
            process.run(
                argv,
                timeout=timedelta(minutes=1),
                options=process.Options(env=_environment(target)),
            )
    return name


def _ended_by_signal(
    build: Build, done: process.Completed, transcript: Transcript
) -> StageFailed | ToolFailed:
    if done.seconds < build.deadline.total_seconds():
        return ToolFailed(
            f"buildx was ended by signal {-done.code}",
            where=build.where,
            next_step="deliver again; look for a machine that is out of memory if it comes back",
        )
    minutes = build.deadline.total_seconds() / 60
    last = "\n".join(transcript.last)
    return StageFailed(
        f"target {build.target} was not built within {minutes:g} min; its last lines:\n{last}",
        where=build.where,
        next_step=f"raise `deadline` of {build.target} in slipway.yaml, or make the step faster",
    )


def _why(build: Build, target: Builders, transcript: Transcript) -> Unavailable | StageFailed:
    """Say why nothing could be built: BuildKit away, base image not readable, bad Dockerfile."""
    if not _answers(target.builder):
        return _away(build, target)
    if transcript.failed is not None and transcript.failed.is_base_image:
        return Unavailable(
            f"base image cannot be read: {transcript.failed.message}",
            where=build.where,
            next_step="check the name in FROM and whether BuildKit reaches its registry",
        )
    text = "\n".join(transcript.complaints) or "buildx gave no reason"
    return StageFailed(
        f"target {build.target} cannot be built:\n{text}",
        where=build.where,
        next_step=f"correct {build.dockerfile.name} and deliver again",
    )


def _away(build: Build, target: Builders) -> Unavailable:
    return Unavailable(
        f"BuildKit does not answer at {target.builder}",
        where=build.where,
        next_step="slipway lab status, or correct the builder's address",
    )


def _answers(address: str) -> bool:
    parts = urlsplit(address)
    with suppress(OSError):
        if parts.scheme == "unix":
            with socket.socket(socket.AF_UNIX) as client:
                client.settimeout(CONNECT_TIMEOUT_SECONDS)
                client.connect(parts.path)
        else:
            place = (parts.hostname or "", parts.port or 1234)
            socket.create_connection(place, CONNECT_TIMEOUT_SECONDS).close()
        return True
    return False
