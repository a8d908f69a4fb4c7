"""One question to a pod, a Service or the public route, and its answer."""

import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass

import httpx

from tasks.core.application import Environment
from tasks.core.cluster import Answer, Cluster, Tunnel
from tasks.core.errors import Unavailable
from tasks.core.model import Target
from tasks.core.objects import Ref
from tasks.core.probes import Probe
from tasks.probe.grpc_health import STATES, ask_health

__all__ = ["Server", "ask_pod", "request_route"]


@dataclass(frozen=True, slots=True)
class Server:
    """A container in a pod, and where it is asked; a command needs no port."""

    pod: Ref
    container: str
    port: int | None


def ask_pod(probe: Probe, server: Server, cluster: Cluster) -> Answer:
    """Ask one pod what a probe asks."""
    pod, within = server.pod, probe.within
    if probe.command is not None:
        return cluster.execute(pod, server.container, probe.command, within)
    if probe.path is not None:
        return cluster.request(pod, server.port or 0, probe.path, within, probe.scheme)
    talk = _listen if probe.tcp is not None else _ask_health
    started = time.monotonic()
    try:
        with closing(cluster.open_tunnel(pod, server.port or 0, within)) as tunnel:
            return talk(probe, tunnel, lambda: time.monotonic() - started)
    except Unavailable as error:
        return Answer(None, error.what, time.monotonic() - started)


def request_route(
    environment: Environment, target: Target, probe: Probe, headers: Mapping[str, str]
) -> Answer:
    """GET a path of the public address, through the ingress where one is named."""
    url = httpx.URL(environment.url or "").join(probe.path or "/")
    named = {"Host": url.netloc.decode(), **headers}
    extensions = {"sni_hostname": url.host}
    direct = target.ingress is None
    if target.ingress is not None:
        host, _, port = target.ingress.partition(":")
        url = url.copy_with(host=host, port=int(port) if port else None)
    seconds = probe.within.total_seconds()
    started = time.monotonic()
    try:
        with httpx.Client(timeout=seconds, trust_env=direct) as client:
            response = client.get(url, headers=named, extensions=extensions)
    except httpx.HTTPError as error:
        return Answer(None, f"no answer: {error}", time.monotonic() - started)
    return Answer(response.status_code, response.text, time.monotonic() - started)


def _listen(probe: Probe, tunnel: Tunnel, elapsed: Callable[[], float]) -> Answer:
    """Wait for a refusal: nothing else tells through a tunnel whether the pod has accepted.

    A server that speaks first has accepted too, and one that closes at once.
    """
    seconds = elapsed()
    tunnel.receive(probe.within)
    return Answer(0, "", seconds)


def _ask_health(probe: Probe, tunnel: Tunnel, elapsed: Callable[[], float]) -> Answer:
    state = ask_health(tunnel, probe.grpc.service if probe.grpc else "", probe.within)
    return Answer(state, STATES[state], elapsed())
