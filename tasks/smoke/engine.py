"""A Docker engine through the docker package."""

import contextlib
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docker
import httpx
from docker.errors import APIError, DockerException, ImageNotFound, NotFound
from docker.models.containers import Container as DockerContainer
from docker.models.images import Image as DockerImage
from requests.exceptions import RequestException

from tasks.core.errors import StageFailed, ToolFailed, Unavailable
from tasks.core.http import authorities
from tasks.core.model import Image
from tasks.core.paths import instance
from tasks.smoke.model import SIGTERM, Answer, Layer, Loaded, Observed, Sign, Trial
from tasks.smoke.owner import Owner

__all__ = ["Engine", "Running", "connect"]

TIMEOUT_SECONDS = 60
REQUEST_SECONDS = 2.0
LOG_LINES = 20
PIDS = 256
OWNER = "slipway.owner"
INSTANCE = "slipway.instance"
CHECK_INTERVAL_NS = 10**9  # the image's own is for a long life, 30 s by default


@contextlib.contextmanager
def connect(docker_host: str) -> Iterator["Engine"]:
    """Open an engine; its errors leave here as ours.

    Raises:
        Unavailable: it does not answer.
        ToolFailed: it refused what it was asked.
    """
    where = f"Docker engine {docker_host}"
    try:
        _reach(docker_host)
        client = docker.DockerClient(base_url=docker_host, timeout=TIMEOUT_SECONDS)
    except (OSError, DockerException, RequestException) as error:
        raise Unavailable(f"does not answer: {error}", where, "slipway lab up") from error
    with contextlib.closing(client):
        try:
            yield Engine(client)
        except DockerException as error:
            log_hint = "read the engine's log (slipway lab logs docker)"
            raise ToolFailed(f"refused: {error}", where, log_hint) from error
        except RequestException as error:
            raise Unavailable(f"went away: {error}", where, "slipway lab up") from error


@dataclass(frozen=True, slots=True)
class Engine:
    """One engine; everything that is made in it carries its owner's name."""

    client: docker.DockerClient

    @contextlib.contextmanager
    def loaded(self, image: Image) -> Iterator[Loaded]:
        """Load an image from its archive and take it away again.

        Raises:
            StageFailed: the archive holds another image.
        """
        before = self._tags(image.config_digest)
        with Path(image.archive).open("rb") as archive:
            arrived = self.client.images.load(archive)
        if not arrived:
            raise StageFailed(
                f"the engine found no image in {image.archive}",
                where=f"smoke {image.component}",
                next_step="build it again",
            )
        found = next((each for each in arrived if each.id == image.config_digest), arrived[0])
        found.tag(_repository(), tag=f"{image.component}-{Owner.this()}")
        try:
            yield _describe(found)
        finally:
            self._untag(str(found.id), before)

    @contextlib.contextmanager
    def started(self, trial: Trial) -> Iterator["Running"]:
        """Start a container as the restricted pod-security level would, and remove it."""
        container = self.client.containers.create(
            trial.image,
            environment=trial.env,
            read_only=True,
            cap_drop=["ALL"],
            security_opt=["no-new-privileges:true"],
            mem_limit=trial.memory,
            memswap_limit=trial.memory,
            pids_limit=PIDS,
            tmpfs=dict.fromkeys(trial.writable, "rw,nosuid,nodev,exec,mode=1777"),
            healthcheck={"interval": CHECK_INTERVAL_NS} if trial.sign is Sign.HEALTHCHECK else None,
            labels={INSTANCE: instance(), OWNER: str(Owner.this())},
        )
        try:
            _start(container, trial)
            yield Running(container, trial)
        finally:
            with contextlib.suppress(NotFound):
                container.remove(force=True, v=True)

    def clean(self) -> int:
        """Remove what killed runs of this machine left behind; return how many things."""
        label = f"{INSTANCE}={instance()}"
        containers = [
            container
            for container in self.client.containers.list(all=True, filters={"label": label})
            if _is_orphaned(container.labels.get(OWNER, ""))
        ]
        for container in containers:
            with contextlib.suppress(NotFound):
                container.remove(force=True, v=True)
        images = self.client.images.list(name=_repository())
        own = [tag for image in images for tag in image.tags if tag.startswith(_repository())]
        tags = [tag for tag in own if _is_orphaned(tag.rpartition("-")[2])]
        for tag in tags:
            with contextlib.suppress(ImageNotFound):
                self.client.images.remove(tag)
        return len(containers) + len(tags)

    def _tags(self, image: str) -> set[str]:
        try:
            return set(self.client.images.get(image).tags)
        except ImageNotFound:
            return set()

    def _untag(self, image: str, before: set[str]) -> None:
        """Take away the tags that came with this run, not those of a run beside it."""
        for tag in self._tags(image) - before:
            if not tag.startswith(_repository()) or tag.endswith(str(Owner.this())):
                with contextlib.suppress(ImageNotFound):
                    self.client.images.remove(tag)


@dataclass(frozen=True, slots=True)
class Running:
    """A started container; see the port in model."""

    container: DockerContainer
    trial: Trial

    def observe(self) -> Observed:
        """Return how it is now."""
        self.container.reload()
        state: dict[str, Any] = self.container.attrs["State"]
        health: dict[str, Any] = state.get("Health") or {}
        checks = health.get("Log") or [{}]
        return Observed(
            code=None if state["Running"] else state["ExitCode"],
            health=health.get("Status", "none"),
            last_check=str(checks[-1].get("Output", "")).strip(),
            out_of_memory=bool(state.get("OOMKilled")),
        )

    def ask(self) -> Answer:
        """Send one request to the trial's path, or open its port."""
        address = self._address()
        if address is None:
            return Answer(is_good=False, words="the container has no address")
        if self.trial.sign is Sign.PORT:
            return _knock(address, self.trial.port or 0)
        return _get(f"http://{address}:{self.trial.port}{self.trial.path}")

    def terminate(self) -> None:
        """Send the signal that asks it to stop; one that has ended already is left alone."""
        with contextlib.suppress(APIError):
            self.container.kill(self.trial.stop_signal)

    def last_lines(self) -> str:
        """Return the end of what it logged."""
        return self.container.logs(tail=LOG_LINES).decode(errors="replace").rstrip()

    def _address(self) -> str | None:
        networks: dict[str, Any] = self.container.attrs["NetworkSettings"]["Networks"]
        addresses = [str(network["IPAddress"]) for network in networks.values()]
        return next(filter(None, addresses), None)


def _reach(docker_host: str) -> None:
    """Try the socket first: the package leaves its own open when nobody answers."""
    if docker_host.startswith("unix://"):
        with socket.socket(socket.AF_UNIX) as probe:
            probe.settimeout(REQUEST_SECONDS)
            probe.connect(docker_host.removeprefix("unix://"))


def _get(url: str) -> Answer:
    try:
        answer = httpx.get(url, timeout=REQUEST_SECONDS, verify=authorities(url), trust_env=False)
    except httpx.HTTPError as error:
        return Answer(is_good=False, words=f"GET {url}: {str(error) or type(error).__name__}")
    return Answer(is_good=answer.is_success, words=f"GET {url} answered {answer.status_code}")


def _knock(address: str, port: int) -> Answer:
    try:
        with socket.create_connection((address, port), timeout=REQUEST_SECONDS):
            return Answer(is_good=True, words=f"port {port} accepts connections")
    except OSError as error:
        return Answer(is_good=False, words=f"port {port}: {error}")


def _describe(image: DockerImage) -> Loaded:
    config: dict[str, Any] = image.attrs["Config"]
    check = (config.get("Healthcheck") or {}).get("Test") or ["NONE"]
    ports = [port.split("/") for port in config.get("ExposedPorts") or {}]
    return Loaded(
        id=str(image.id),
        user=config.get("User") or "",
        ports=tuple(int(number) for number, *kind in ports if kind in ([], ["tcp"])),
        has_healthcheck=check[0] != "NONE",
        size_bytes=int(image.attrs["Size"]),
        stop_signal=config.get("StopSignal") or SIGTERM,
        layers=tuple(Layer(str(step["CreatedBy"]), int(step["Size"])) for step in image.history()),
    )


def _start(container: DockerContainer, trial: Trial) -> None:
    try:
        container.start()
    except APIError as error:
        raise StageFailed(
            f"the container cannot be started: {error.explanation}",
            where=f"smoke {trial.component}",
            next_step="check ENTRYPOINT and CMD of its runtime target",
        ) from error


def _repository() -> str:
    return f"slipway-smoke/{instance()}"


def _is_orphaned(owner: str) -> bool:
    found = Owner.parse(owner)
    return found is not None and found.is_gone()
