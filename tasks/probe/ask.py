"""One question to a pod, and its answer."""

import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass

from tasks.core.cluster import Answer, Cluster, Tunnel
from tasks.core.errors import Unavailable
from tasks.core.objects import Ref
from tasks.core.probes import Probe
from tasks.probe.grpc_health import STATES, ask_health
from tasks.probe.tls import inside_tls

__all__ = ["Server", "ask_pod"]


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


def _listen(probe: Probe, tunnel: Tunnel, elapsed: Callable[[], float]) -> Answer:
    """Wait for a refusal: nothing else tells through a tunnel whether the pod has accepted.

    A server that speaks first has accepted too, and one that closes at once.
    """
    seconds = elapsed()
    tunnel.receive(probe.within)
    return Answer(0, "", seconds)


def _ask_health(probe: Probe, tunnel: Tunnel, elapsed: Callable[[], float]) -> Answer:
    service = probe.grpc.service if probe.grpc else ""
    if probe.scheme == "https":
        tunnel = inside_tls(tunnel, probe.within)
    state = ask_health(tunnel, service, probe.within, probe.scheme)
    return Answer(state, STATES[state], elapsed())
