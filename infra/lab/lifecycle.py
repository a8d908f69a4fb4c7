"""`up`, `down`, `status`: the lab as a whole."""

import dataclasses
import hashlib
import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum

from filelock import FileLock, Timeout

from infra.lab import pki, preflight
from infra.lab.bringup import Bringup
from infra.lab.cluster import kubectl
from infra.lab.component import Artifact, Component
from infra.lab.components import COMPONENTS, TOOLS
from infra.lab.layout import Layout, current
from infra.lab.node import Node
from infra.lab.report import Report, silent
from infra.lab.rootfs import ROOTFS
from tasks.core.errors import ConfigError, Conflict, Unavailable
from tasks.core.http import system_authorities
from tasks.core.target import Target

__all__ = ["ComponentStatus", "Health", "LabStatus", "down", "status", "target", "up"]

_LOCK_PATIENCE_SECONDS = 1800.0
_LIMITS = (
    "network policies are stored and shown but not enforced: no controller for them can be had",
    "pods reach no network but the lab's own and the host's end of the link",
)


class Health(StrEnum):
    """How a component, or the whole lab, is."""

    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"
    DEAD = "dead"
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class ComponentStatus:
    """One component now; pid is the host's."""

    name: str
    health: Health
    pid: int | None
    log: str


@dataclass(frozen=True, slots=True)
class LabStatus:
    """The lab now.

    Attributes:
        health: HEALTHY when every component is; DOWN when there is no node at all.
        limits: what the lab cannot do that another cluster can.
    """

    instance: str
    health: Health
    components: tuple[ComponentStatus, ...]
    kubeconfig: str
    context: str
    api_server: str
    registry: str
    ingress: str
    prometheus: str
    alertmanager: str
    limits: tuple[str, ...] = _LIMITS


def up(report: Report = silent) -> LabStatus:
    """Bring the lab up, or repair it; does nothing to what serves already.

    Raises:
        ConfigError: something stands against it; nothing was changed.
        ToolFailed: a component or an artifact failed; what runs is left running.
    """
    layout = current()
    missing = [artifact for artifact in _artifacts() if not artifact.path(layout.cache).exists()]
    Node(layout).wait_for_the_dying()
    found = preflight.problems(layout, COMPONENTS, missing)
    if found:
        raise ConfigError("\n  lab: ".join(found), where="lab")
    with _alone(layout):
        _prepare(layout)
        Bringup(Node(layout), report).run(ROOTFS, COMPONENTS, TOOLS)
        _write_target(layout)
    return status()


def down(*, purge: bool = False) -> None:
    """End the lab and remove what it has outside its cache and its state folder.

    The cluster's data, images and volumes stay for the next `up`, unless `purge`.

    Raises:
        Unavailable: something would not end.
    """
    layout = current()
    with _alone(layout):
        node = Node(layout)
        node.ask_to_stop()
        node.remove()
        for path in (layout.kubeconfig, layout.target_file):
            path.unlink(missing_ok=True)
        for folder in (layout.etc, layout.state / "root", *([layout.state] if purge else [])):
            shutil.rmtree(folder, ignore_errors=True)


def status() -> LabStatus:
    """Ask every component how it is."""
    layout = current()
    node = Node(layout)
    with ThreadPoolExecutor(max_workers=8) as pool:
        components = tuple(pool.map(lambda one: _component_status(node, one), COMPONENTS))
    return LabStatus(
        instance=layout.instance,
        health=overall(node.init is not None, tuple(one.health for one in components)),
        components=components,
        kubeconfig=str(layout.kubeconfig),
        context=layout.context,
        api_server=layout.api_server,
        registry=layout.registry,
        ingress=layout.ingress,
        prometheus=layout.prometheus,
        alertmanager=layout.alertmanager,
    )


def overall(node_exists: bool, parts: tuple[Health, ...]) -> Health:  # noqa: FBT001 a fact
    """Judge the lab by its parts."""
    if not node_exists:
        return Health.DOWN
    return Health.HEALTHY if set(parts) <= {Health.HEALTHY} else Health.UNHEALTHY


def target() -> Target:
    """Return the lab as a target of the pipeline.

    Raises:
        Unavailable: the lab was not brought up.
    """
    file = current().target_file
    if not file.exists():
        raise Unavailable("the lab is not up", where="lab", next_step="slipway lab up")
    return Target(**json.loads(file.read_text()))


def _component_status(node: Node, component: Component) -> ComponentStatus:
    running = node.running(component.name)
    log = str(node.layout.log(component.name))
    if running is None:
        health = Health.DEAD if node.init else Health.DOWN
        return ComponentStatus(component.name, health, None, log)
    healthy = component.healthy(node.layout)
    health = Health.HEALTHY if healthy else Health.UNHEALTHY
    return ComponentStatus(component.name, health, running.pid, log)


def _artifacts() -> tuple[Artifact, ...]:
    needs = (artifact for component in COMPONENTS for artifact in component.needs)
    return tuple(dict.fromkeys((ROOTFS, *needs, *TOOLS)))


def _prepare(layout: Layout) -> None:
    layout.state.mkdir(parents=True, exist_ok=True)
    pki.ensure_certificates(layout)


def _write_target(layout: Layout) -> None:
    buildx = next((tool for tool in TOOLS if tool.name == "docker-buildx"), None)
    value = Target(
        kubeconfig=str(layout.kubeconfig),
        context=layout.context,
        registry=layout.registry,
        builder=f"unix://{layout.buildkit_socket}",
        docker_host=f"unix://{layout.docker_socket}",
        buildx=str(buildx.path(layout.cache)) if buildx else "docker-buildx",
        kubectl=str(kubectl(layout)),
        prometheus=layout.prometheus,
        ingress=layout.ingress,
        ca_certificates=system_authorities(),
    )
    layout.target_file.write_text(json.dumps(dataclasses.asdict(value), indent=2))


def _alone(layout: Layout) -> FileLock:
    """Hold off every other `up` and `down` of this lab.

    Raises:
        Conflict: another one takes too long.
    """
    folder = layout.cache / "locks"
    folder.mkdir(parents=True, exist_ok=True)
    key = hashlib.sha256(str(layout.state).encode()).hexdigest()[:10]
    lock = FileLock(folder / f"lab-{layout.instance}-{key}", timeout=_LOCK_PATIENCE_SECONDS)
    try:
        lock.acquire()
    except Timeout as error:
        raise Conflict("another `slipway lab` is at work on this lab", where="lab") from error
    return lock
