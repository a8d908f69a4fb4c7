"""What must hold before anything is changed: one line for each thing that does not."""

import ctypes
import os
import shutil
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from infra.lab import network
from infra.lab.component import Artifact, Component
from infra.lab.layout import Layout
from infra.lab.node import Node
from infra.lab.ports import stays_taken
from infra.lab.registries import registry_problems

__all__ = ["disk_problems", "free_watchers", "problems", "system_problems"]

_DISK_COLD, _DISK_WARM, _DISK_STATE = 12 * 10**9, 10**9, 3 * 10**9
_LONGEST_PATH = 70
"""A Unix socket's name may have 108 bytes; below the state folder we need up to 35."""
_WATCHERS = 22
"""Inotify instances of the API server (6), kubelet (6), controller manager (4) and the rest."""


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
        lambda: disk_problems(layout, _free_bytes, cold=bool(missing)),
        lambda: _ports(layout, components),
        lambda: _watchers(layout),
        lambda: _addresses(layout),
        lambda: registry_problems(missing),
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


def disk_problems(layout: Layout, free: Callable[[Path], int], *, cold: bool) -> Iterable[str]:
    """Judge what room there is.

    Args:
        layout: says where cache and state are.
        free: tells how many bytes are left where a folder is, or will be.
        cold: whether something has yet to be made.
    """
    needs = {layout.cache: _DISK_COLD if cold else _DISK_WARM, layout.state: _DISK_STATE}
    for folder, wanted in needs.items():
        left = free(folder)
        if left < wanted:
            yield f"{folder} has {left / 1e9:.1f} GB free, the lab needs {wanted / 1e9:.0f} GB"


def _free_bytes(folder: Path) -> int:
    place = next(path for path in (folder, *folder.parents) if path.exists())
    return shutil.disk_usage(place).free


def _ports(layout: Layout, components: Sequence[Component]) -> Iterable[str]:
    node = Node(layout)
    for component in components:
        port = component.port(layout)
        if port is None or node.running(component.name) is not None:
            continue
        if stays_taken(port):
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


def _addresses(layout: Layout) -> Iterable[str]:
    if shutil.which("ip"):
        for user in network.foreign_users(layout):
            yield f"the lab's network {layout.host_address}/16 is in use: {user}"
