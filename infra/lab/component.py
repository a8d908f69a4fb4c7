"""What the lab is made of, as data: things made once and cached, and programs that run.

Facts for the author of a component:
- All components share the lab's root file system (Debian, see rootfs.py), mounts and process ids.
  Paths below the state and cache folders are the same inside and outside; /run and /tmp are the
  lab's own and vanish with it. Debian's programs are at their usual places (/usr/sbin/nft, ...).
- Network `lab`: own namespace. It has the node's address and its own loopback, no way to the
  internet. Network `host`: the host's, for what must reach package registries or be on 127.0.0.1
  of the host. Unix sockets below Layout.run work from both sides.
- argv is started as it is, as root, without a shell, with a small environment of its own and `env`;
  its output goes to Layout.log(name). It must stay in the foreground.
- The lab's cgroups all live below Layout.cgroup; that folder exists in every hierarchy.
- No component restarts another. `up` starts again what is dead, or what runs with another argv,
  files or env than it should.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Literal, Protocol

from infra.lab.layout import Layout

__all__ = ["Artifact", "Component", "Say"]

Say = Callable[[str], None]
"""Told one line about progress, for people."""


class Artifact(Protocol):
    """Something made once and kept in the cache: a program, a root file system, a base image."""

    @property
    def name(self) -> str:
        """One word for people."""
        ...

    @property
    def seconds(self) -> float:
        """How long making it takes, roughly, before anything was measured."""
        ...

    def path(self, cache: Path) -> Path:
        """Where it is; what it is made from is part of the name, so that nothing old is used."""
        ...

    def make(self, cache: Path, say: Say) -> None:
        """Make it beside its place and rename it there last: the path exists only when whole.

        Runs in a thread, under a lock by name, at most two at once on the machine's two cores.
        """
        ...


def _no_files(_: Layout) -> Mapping[Path, str]:
    return {}


def _nothing(_: Layout) -> None:
    return None


@dataclass(frozen=True, slots=True)
class Component:
    """One program that runs in the lab.

    Attributes:
        argv: what is started.
        healthy: whether it serves right now: one cheap question, no waiting, no exception.
        after: components that must be healthy (and finished) before this one starts.
        needs: what must be in the cache before it starts.
        files: configuration written (0600) before each start.
        folders: made before each start.
        env: added to the small environment.
        prepare: idempotent work before each start, what the program needs in the cluster.
        finish: idempotent work once it is healthy, at each `up`.
        patience: how long it may take to become healthy.
        port: TCP port on the host's loopback that must be free before anything is changed.
    """

    name: str
    argv: Callable[[Layout], tuple[str, ...]]
    healthy: Callable[[Layout], bool]
    after: tuple[str, ...] = ()
    network: Literal["lab", "host"] = "lab"
    needs: tuple[Artifact, ...] = ()
    files: Callable[[Layout], Mapping[Path, str]] = _no_files
    folders: Callable[[Layout], tuple[Path, ...]] = lambda _: ()
    env: Mapping[str, str] = field(default_factory=dict)
    prepare: Callable[[Layout], None] = _nothing
    finish: Callable[[Layout], None] = _nothing
    patience: timedelta = timedelta(seconds=60)
    port: Callable[[Layout], int | None] = lambda _: None
