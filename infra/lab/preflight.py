"""What must hold before anything is changed: one line for each thing that does not."""

import contextlib
import ctypes
import os
import re
import shutil
import socket
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from pathlib import Path

import httpx

from infra.lab import network
from infra.lab.builds import GoProgram
from infra.lab.builds.toolchain import installed_go
from infra.lab.component import Artifact, Component
from infra.lab.layout import Layout
from infra.lab.node import Node
from infra.lab.rootfs import debian_sources
from infra.lab.waiting import wait_until
from tasks.core import process
from tasks.core.errors import ToolFailed

__all__ = ["problems"]

_DISK_COLD, _DISK_WARM, _DISK_STATE = 12 * 10**9, 10**9, 3 * 10**9
_LONGEST_PATH = 70
"""A Unix socket's name may have 108 bytes; below the state folder we need up to 35."""
_TIMEOUT_SECONDS = 5.0
_WATCHERS = 22
"""Inotify instances of the API server (6), kubelet (6), controller manager (4) and the rest."""
_QUICK = timedelta(seconds=10)
_DYING = timedelta(seconds=2)
"""How long a component that was just killed may still hold its port."""


def problems(
    layout: Layout, components: Sequence[Component], missing: Sequence[Artifact]
) -> tuple[str, ...]:
    """Everything that stands against `up`, one sentence each; nothing is changed by asking."""
    if os.geteuid() != 0:
        return ("the lab needs root: namespaces and cgroups are made with it (try sudo)",)
    checks: Iterable[Callable[[], Iterable[str]]] = (
        _system,
        lambda: _kernel(Path("/proc/filesystems").read_text()),
        lambda: _path_length(layout),
        lambda: _disk(layout, cold=bool(missing)),
        lambda: _ports(layout, components),
        lambda: _watchers(layout),
        lambda: _addresses(layout),
        lambda: _registries(missing),
    )
    return tuple(line for check in checks for line in check())


def _system() -> Iterable[str]:
    release = Path("/etc/os-release")
    yield from system_problems(release.read_text() if release.exists() else "")


def system_problems(os_release: str) -> tuple[str, ...]:
    """Judge the text of /etc/os-release."""
    pairs = (line.partition("=") for line in os_release.splitlines())
    fields = {key: value.strip('"') for key, _, value in pairs}
    if (fields.get("ID"), fields.get("VERSION_ID")) == ("debian", "12"):
        return ()
    found = fields.get("PRETTY_NAME") or "an unknown system"
    return (f"the lab runs on Debian 12, this is {found}",)


def _kernel(filesystems: str) -> Iterable[str]:
    for name in ("overlay", "tmpfs", "proc", "sysfs"):
        if name not in filesystems.split():
            yield f"the kernel has no {name} file system (try `modprobe {name}`)"
    if not Path("/sys/fs/cgroup").is_dir():
        yield "no cgroups are mounted at /sys/fs/cgroup"


def _path_length(layout: Layout) -> Iterable[str]:
    if len(str(layout.state)) > _LONGEST_PATH:
        yield (
            f"{layout.state} is too long a path for sockets below it: set SLIPWAY_STATE to one of"
            f" at most {_LONGEST_PATH} characters"
        )


def _disk(layout: Layout, *, cold: bool) -> Iterable[str]:
    needs = {layout.cache: _DISK_COLD if cold else _DISK_WARM, layout.state: _DISK_STATE}
    for folder, wanted in needs.items():
        place = next(path for path in (folder, *folder.parents) if path.exists())
        free = shutil.disk_usage(place).free
        if free < wanted:
            yield f"{folder} has {free / 1e9:.1f} GB free, the lab needs {wanted / 1e9:.0f} GB"


def _ports(layout: Layout, components: Sequence[Component]) -> Iterable[str]:
    node = Node(layout)
    for component in components:
        port = component.port(layout)
        if port is None or node.running(component.name) is not None:
            continue
        if _stays_taken(port):
            yield f"port 127.0.0.1:{port}, which {component.name} needs, is taken"


def _watchers(layout: Layout) -> Iterable[str]:
    if Node(layout).running("kubelet") is None and free_watchers(_WATCHERS) < _WATCHERS:
        yield (
            f"the lab needs {_WATCHERS} inotify instances, fewer are left of"
            " fs.inotify.max_user_instances (end another lab, or raise it with sysctl)"
        )


def free_watchers(most: int) -> int:
    """Count how many inotify instances this user can still have, up to a number."""
    libc = ctypes.CDLL(None, use_errno=True)
    opened: list[int] = []
    try:
        while len(opened) < most and (watcher := libc.inotify_init()) >= 0:
            opened.append(watcher)
    finally:
        for watcher in opened:
            os.close(watcher)
    return len(opened)


def _stays_taken(port: int) -> bool:
    wait_until(lambda: not _taken(port), _DYING, "", strict=False)
    return _taken(port)


def _taken(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


def _addresses(layout: Layout) -> Iterable[str]:
    if shutil.which("ip"):
        for user in network.foreign_users(layout):
            yield f"the lab's network {layout.host_address}/16 is in use: {user}"


def _registries(missing: Sequence[Artifact]) -> Iterable[str]:
    if not missing:
        return
    sources = "".join(Path(file).read_text() for file in debian_sources())
    mirror = re.search(r"^(?:URIs:|deb(?: \[.*\])?)\s+(\S+)", sources, re.MULTILINE)
    urls = [mirror[1]] if mirror else []
    if any(isinstance(artifact, GoProgram) for artifact in missing):
        urls += _go_proxies()
    for url in urls:
        if not _reachable(url):
            yield f"package registry {url} does not answer"


def _go_proxies() -> list[str]:
    shown = os.environ.get("GOPROXY") or "https://proxy.golang.org"
    if program := installed_go():
        with contextlib.suppress(ToolFailed):
            shown = process.run([program, "env", "GOPROXY"], timeout=_QUICK).stdout
    first = re.split(r"[,|]", shown.strip())[0]
    return [first] if first.startswith("http") else []


def _reachable(url: str) -> bool:
    """Say whether somebody answers at all; which status does not matter."""
    try:
        httpx.head(url, timeout=_TIMEOUT_SECONDS)
    except httpx.HTTPError:
        return False
    return True
