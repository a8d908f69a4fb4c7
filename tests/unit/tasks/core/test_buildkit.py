"""Building with a stand-in for buildx: a program that prints what buildx printed once."""

import json
import socket
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from tasks.core.buildkit import Build, run_build
from tasks.core.errors import StageFailed, ToolFailed, Unavailable
from tasks.core.target import Target, workshop_of

RUN_FAILED = json.dumps(
    {"vertexes": [{"digest": "d", "name": "[lint 1/1] RUN lint", "error": "exit code: 1"}]}
)
BASE_FAILED = json.dumps(
    {"vertexes": [{"digest": "d", "name": "[internal] load metadata for x", "error": "not found"}]}
)


@pytest.fixture
def target(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Target]:
    """A builder's address on which somebody listens."""
    monkeypatch.setenv("SLIPWAY_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("SLIPWAY_INSTANCE", "unit")
    address = tmp_path / "b.sock"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(address))
        server.listen()
        yield Target(
            kubeconfig="",
            context="",
            registry="",
            builder=f"unix://{address}",
            docker_host="",
            buildx=str(tmp_path / "buildx"),
        )


@pytest.fixture
def build(tmp_path: Path) -> Build:
    return Build("shop/api", tmp_path, tmp_path / "Dockerfile", "lint", timedelta(minutes=1))


def given_buildx(target: Target, *lines: str, ends: str = "exit 0") -> Path:
    """Write a buildx that prints lines, keeps its arguments and ends in some way."""
    program = Path(target.buildx)
    said = program.with_name("said.txt")
    kept = program.with_name("arguments.txt")
    said.write_text("".join(f"{line}\n" for line in lines))
    program.write_text(
        f'#!/bin/sh\necho "$@" >>{kept}\n[ "$1" = build ] || exit 0\ncat {said} >&2\n{ends}\n'
    )
    program.chmod(0o755)
    return kept


def test_a_build_is_asked_for_with_the_certificates_and_streams_its_output(
    target: Target, build: Build
) -> None:
    kept = given_buildx(target, '{"vertexes": [{"digest": "d", "name": "[1/1] X", "started": 1}]}')
    log: list[str] = []
    asked = replace(build, args={"A": "1"}, flags=("--no-cache",))
    run_build(asked, replace(target, ca_certificates="/ca.pem"), log.append)
    created, built = kept.read_text().splitlines()
    assert created.startswith("create --name slipway-")
    assert created.endswith(f"--driver remote {target.builder}")
    assert "--no-cache --output type=cacheonly --build-arg A=1" in built
    assert "--secret id=ca-certificates,src=/ca.pem" in built
    assert log == ["[1/1] X"]


def test_a_build_that_nobody_has_reviewed_names_neither_frontend_nor_cache(
    target: Target, build: Build
) -> None:
    kept = given_buildx(target)
    build.dockerfile.write_text("FROM scratch\n")
    evil = {"BUILDKIT_SYNTAX": "evil", "BUILDKIT_CACHE_MOUNT_NS": "", "BUILDKIT_SYNTAX=e x": "y"}
    asked = replace(build, args={"A": "1", **evil})
    run_build(asked, replace(workshop_of(target), cache="pull-7"), print)
    (built,) = (line for line in kept.read_text().splitlines() if line.startswith("build"))
    assert "--build-arg A=1 --build-arg BUILDKIT_CACHE_MOUNT_NS=pull-7" in built
    assert built.count("BUILDKIT") == 1


def test_a_run_step_that_fails_is_a_result(target: Target, build: Build) -> None:
    given_buildx(target, RUN_FAILED, ends="exit 1")
    failed = run_build(build, target, print).failed
    assert failed is not None
    assert failed.name == "[lint 1/1] RUN lint"


def test_a_base_image_that_cannot_be_read_may_be_there_later(target: Target, build: Build) -> None:
    given_buildx(target, BASE_FAILED, ends="exit 1")
    with pytest.raises(Unavailable, match="base image cannot be read: not found"):
        run_build(build, target, print)


def test_a_dockerfile_that_cannot_be_built_is_said_so_in_buildxs_words(
    target: Target, build: Build
) -> None:
    given_buildx(target, 'ERROR: target stage "lint" could not be found', ends="exit 1")
    with pytest.raises(StageFailed, match="could not be found"):
        run_build(build, target, print)


def test_a_buildx_that_somebody_killed_says_nothing_about_the_code(
    target: Target, build: Build
) -> None:
    given_buildx(target, ends="kill -9 $$")
    with pytest.raises(ToolFailed, match="was ended by signal 9"):
        run_build(build, target, print)


def test_a_builder_that_is_away_is_unavailable(target: Target, build: Build) -> None:
    given_buildx(target, "ERROR: connection refused", ends="exit 1")
    with pytest.raises(Unavailable, match="BuildKit does not answer at unix:///nowhere"):
        run_build(build, replace(target, builder="unix:///nowhere"), print)


def test_a_build_over_its_deadline_says_so_with_its_last_lines(
    target: Target, build: Build
) -> None:
    line = json.dumps({"logs": [{"vertex": "d", "stream": 1, "data": "c3R1Y2s="}]})
    given_buildx(target, line, ends="exec sleep 600")
    short = replace(build, deadline=timedelta(seconds=0.5))
    with pytest.raises(StageFailed, match="stuck") as raised:
        run_build(short, target, print)
    assert "raise `deadline`" in raised.value.next_step
