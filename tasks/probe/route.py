"""A question to the public address, and its answer."""

import time
from collections.abc import Mapping

import httpx

from tasks.core.application import Environment
from tasks.core.cluster import Answer
from tasks.core.errors import Unavailable
from tasks.core.http import authorities
from tasks.core.probes import Probe
from tasks.core.target import Target
from tasks.probe.grpc_health import CHECK, HEADERS, STATES, health_request, state_of

__all__ = ["ask_route"]

GOOD = 200


def ask_route(
    environment: Environment, target: Target, probe: Probe, headers: Mapping[str, str]
) -> Answer:
    """Ask the public address what a probe asks, through the ingress where one is named."""
    started = time.monotonic()
    try:
        response = _send(environment, target, probe, headers)
        if probe.grpc is None:
            return Answer(response.status_code, response.text, time.monotonic() - started)
        state = _state(response)
    except httpx.HTTPError as error:
        return Answer(None, f"no answer: {error}", time.monotonic() - started)
    except Unavailable as error:
        return Answer(None, error.what, time.monotonic() - started)
    return Answer(state, STATES[state], time.monotonic() - started)


def _send(
    environment: Environment, target: Target, probe: Probe, headers: Mapping[str, str]
) -> httpx.Response:
    """GET a path, or call the health service: gRPC needs HTTP/2, also where there is no TLS."""
    is_grpc = probe.grpc is not None
    url = httpx.URL(environment.url or "").join(CHECK if is_grpc else probe.path or "/")
    named = {"Host": url.netloc.decode(), **headers, **(HEADERS if is_grpc else {})}
    direct = target.ingress is None
    extensions = {"sni_hostname": url.host}
    if target.ingress is not None:
        host, _, port = target.ingress.partition(":")
        url = url.copy_with(host=host, port=int(port) if port else None)
    seconds = probe.within.total_seconds()
    trusted = authorities(url, http2=is_grpc)
    with httpx.Client(
        timeout=seconds, verify=trusted, trust_env=direct, http1=not is_grpc, http2=is_grpc
    ) as client:
        body = health_request(probe.grpc.service) if probe.grpc is not None else None
        method = "POST" if is_grpc else "GET"
        return client.request(method, url, headers=named, content=body, extensions=extensions)


def _state(response: httpx.Response) -> int:
    """Read a health check's answer; one that failed has its status among the headers.

    The client keeps no trailers: those of an answer with a message in it say that all is well.
    """
    is_grpc = response.headers.get("content-type", "").startswith("application/grpc")
    told = {":status": str(response.status_code), **response.headers}
    if response.status_code == GOOD and is_grpc and response.content:
        told.setdefault("grpc-status", "0")
    return state_of(told, response.content)
