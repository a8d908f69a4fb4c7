"""The lab's node: private mounts, network and process ids, like a machine of its own."""

import os
import shutil
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from infra import processes
from infra.lab import cgroups, network
from infra.lab.component import Component
from infra.lab.layout import Layout
from infra.lab.rootfs import ROOTFS
from infra.lab.waiting import wait_until
from tasks.core import process
from tasks.core.errors import ToolFailed

__all__ = ["Node"]

_HERE = Path(__file__).parent
_QUICK = timedelta(seconds=20)
_GRACE = timedelta(seconds=6)
_ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/root",
    "LANG": "C.UTF-8",
    "SSL_CERT_FILE": "/etc/ssl/certs/ca-certificates.crt",
}
_PROXY = ("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")


@dataclass(frozen=True, slots=True)
class Node:
    """The namespaces of one lab, found by the process that is number 1 in them."""

    layout: Layout

    @property
    def init(self) -> processes.Recorded | None:
        """The first process, None where there is none alive."""
        recorded = processes.read(self._record("node"))
        return recorded if processes.alive(recorded) else None

    def ensure(self) -> None:
        """Make the node unless it is there; clean up first what a crash has left.

        Raises:
            ToolFailed: the kernel refused a namespace, a mount or an interface.
        """
        init = self.init
        if init is None:
            self.remove_remains()
            self._make_folders()
            self._start()
            init = self.init
        if init is None:
            raise ToolFailed("ended at once", where="lab/node", next_step=self._see("node"))
        network.connect(self.layout, init.pid)

    def running(self, component: str) -> processes.Recorded | None:
        """A component's process as recorded, None where it does not run."""
        recorded = processes.read(self._record(component))
        return recorded if self.init and processes.alive(recorded) else None

    def launch(self, component: Component, argv: tuple[str, ...], fingerprint: str) -> None:
        """Start a component detached from this process.

        Raises:
            ToolFailed: the node is not there.
        """
        init, layout = self.init, self.layout
        if init is None:
            raise ToolFailed("the node is gone", where="lab", next_step="slipway lab up")
        target = ["--target", str(init.pid), "--pid"]
        if component.network == "lab":
            target.append("--net")
        log, record = layout.log(component.name), self._record(component.name)
        processes.forget(record)  # one of a dead process would pass for the new one's below
        process.run(
            [
                "nsenter", *target, "--", "setsid", "--fork", "/bin/sh", str(_HERE / "launch.sh"),
                str(init.pid), str(record), str(log), f"{layout.cgroup}/{cgroups.SYSTEM}",
                fingerprint, "env", "-i", *_variables(component), *argv,
            ],
            timeout=_QUICK,
        )  # fmt: skip
        wait_until(lambda: _is(record, fingerprint), _QUICK, f"{component.name} to be started")

    def run(self, argv: list[str], timeout: timedelta = _QUICK) -> process.Completed:
        """Run a program inside the node and wait for it.

        Raises:
            ToolFailed: the node is not there, or the program failed.
        """
        init = self.init
        if init is None:
            raise ToolFailed("the node is gone", where="lab", next_step="slipway lab up")
        enter = ["nsenter", "--target", str(init.pid), "--pid", "--net", "--mount", "--"]
        variables = [f"{name}={value}" for name, value in _ENVIRONMENT.items()]
        return process.run([*enter, "env", "-i", *variables, *argv], timeout=timeout)

    def stop(self, component: str) -> None:
        """End one component at once."""
        record = self._record(component)
        recorded = processes.read(record)
        processes.kill(recorded)
        wait_until(lambda: not processes.alive(recorded), _QUICK, f"{component} to end")
        processes.forget(record)

    def ask_to_stop(self) -> None:
        """Ask everything in the node to end and give it a few seconds.

        The order matters: kubelet must not restart what ends, and the API server hangs when
        etcd is gone before it.
        """
        for name in ("kubelet", "kube-apiserver"):
            self.stop(name)
        init = self.init
        if init is not None:
            everyone = ["nsenter", "--target", str(init.pid), "--pid", "--mount", "--"]
            ask = ["sh", "-c", "kill -TERM -1"]
            process.run([*everyone, *ask], timeout=_QUICK, options=process.Options(ok=(0, 1, -15)))
            wait_until(lambda: len(inhabitants(init.pid)) <= _QUIET, _GRACE, "", strict=False)

    def remove(self) -> None:
        """End everything in the node and take away what would be left of it on the host."""
        init = self.init
        if init is not None:
            inside = inhabitants(init.pid)
            processes.kill(init)
            wait_until(lambda: not any(_exists(pid) for pid in inside), _QUICK, "the node to end")
        self.remove_remains()

    def wait_for_the_dying(self) -> None:
        """Let what a killed node has left end: for a moment it still holds ports."""
        cgroup = self.layout.cgroup
        if self.init is None:
            wait_until(lambda: not cgroups.inhabited(cgroup), _QUICK, "", strict=False)

    def remove_remains(self) -> None:
        """Remove cgroups, link and records of a node that is gone.

        Raises:
            Unavailable: a cgroup could not be removed.
        """
        network.unlink(self.layout)
        stayed: tuple[Path, ...] = ()

        def gone() -> bool:
            nonlocal stayed
            stayed = cgroups.remove(self.layout.cgroup)
            return not stayed

        wait_until(gone, _QUICK, f"cgroups below {self.layout.cgroup} to become empty")
        shutil.rmtree(self.layout.run, ignore_errors=True)

    def _make_folders(self) -> None:
        layout = self.layout
        for folder in (layout.run, layout.etc, layout.logs, layout.volumes, layout.state / "root"):
            folder.mkdir(parents=True, exist_ok=True)
        layout.state.chmod(0o700)
        layout.cache.mkdir(parents=True, exist_ok=True)
        cgroups.create(layout.cgroup)

    def _start(self) -> None:
        layout = self.layout
        script = 'exec </dev/null >>"$0" 2>&1; exec "$@"'
        process.run(
            [
                "setsid", "--fork", "/bin/sh", "-c", script, str(layout.log("node")),
                "unshare", "--mount", "--net", "--pid", "--fork", "--propagation", "private",
                "/bin/sh", str(_HERE / "node_init.sh"), str(ROOTFS.path(layout.cache)),
                str(layout.state / "root"), str(layout.state), str(layout.cache),
            ],
            timeout=_QUICK,
        )  # fmt: skip
        wait_until(lambda: self.init is not None, _QUICK, f"the node ({self._see('node')})")

    def _record(self, component: str) -> Path:
        return self.layout.run / f"{component}.pid"

    def _see(self, component: str) -> str:
        return f"see {self.layout.log(component)}"


_QUIET = 2
"""Processes of an empty node: tini and what it waits for."""


def inhabitants(init: int) -> tuple[int, ...]:
    """Host process ids of everything in the process namespace of `init`, and below it."""
    try:
        namespace = Path(f"/proc/{init}/ns/pid").readlink()
    except OSError:
        return ()
    return tuple(
        int(folder.name)
        for folder in Path("/proc").iterdir()
        if folder.name.isdigit() and _in_namespace(folder, namespace)
    )


def _in_namespace(folder: Path, namespace: Path) -> bool:
    try:
        return (folder / "ns" / "pid").readlink() == namespace
    except OSError:
        return False


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _is(record: Path, fingerprint: str) -> bool:
    recorded = processes.read(record)
    return recorded is not None and recorded.fingerprint == fingerprint


def _variables(component: Component) -> list[str]:
    outside = {
        name: os.environ[name]
        for name in _PROXY
        if component.network == "host" and name in os.environ
    }
    merged = {**_ENVIRONMENT, **outside, **component.env}
    return [f"{name}={value}" for name, value in merged.items()]
