"""The few things that the lab itself says to its API server."""

import contextlib
from datetime import timedelta
from pathlib import Path

from infra.lab.kubernetes import KUBERNETES
from infra.lab.layout import Layout
from infra.lab.waiting import wait_until
from tasks.core import process

__all__ = ["apply", "kubectl", "wait_node_ready"]

_TIMEOUT = timedelta(seconds=60)
_READY = "jsonpath={.status.conditions[?(@.type=='Ready')].status}"


def kubectl(layout: Layout) -> Path:
    """Path of kubectl (kustomize is in it): the lab's one program called by that name."""
    program = KUBERNETES.path(layout.cache)
    link = layout.cache / "bin" / f"{program.name}-programs" / "kubectl"
    link.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        link.symlink_to(program)
    return link


def apply(layout: Layout, manifests: str) -> None:
    """Apply a YAML stream as the lab's own field manager.

    Raises:
        ToolFailed: the API server refused it.
    """
    manager = ["--server-side", "--force-conflicts", "--field-manager=slipway-lab"]
    _run(layout, ["apply", *manager, "--filename=-"], manifests)


def wait_node_ready(layout: Layout, patience: timedelta) -> None:
    """Wait until pods can be put on the node.

    Raises:
        Unavailable: it is not ready in time.
    """
    get = ["get", "node", layout.node, "--ignore-not-found", "--output", _READY]
    wait_until(lambda: "True" in _run(layout, get), patience, "the node to become ready")


def _run(layout: Layout, arguments: list[str], stdin: str | None = None) -> str:
    argv = [str(kubectl(layout)), f"--kubeconfig={layout.kubeconfig}", *arguments]
    return process.run(argv, timeout=_TIMEOUT, options=process.Options(stdin=stdin)).stdout
