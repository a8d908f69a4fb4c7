"""Commands in pods and connections to them, over the API server's WebSockets.

A frame's first byte is its channel (subprotocol v4.channel.k8s.io): output, errors and the end of
a command; data and errors of a tunnel.
"""

import json
import time
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import websocket
from kubernetes import client

from tasks.core.cluster import Answer
from tasks.core.errors import Unavailable

__all__ = ["PodTunnel", "open_stream", "run_command"]

PROTOCOL = "v4.channel.k8s.io"
ENDED = 3
TUNNEL_ERROR = 1
OUTPUT_KEPT = 4_000


def open_stream(api: client.ApiClient, path: str, within: timedelta) -> websocket.WebSocket:
    """Open a WebSocket to a path of the API server.

    Raises:
        Unavailable: it refuses or does not answer.
    """
    settings = api.configuration
    headers: dict[str, str] = {}
    api.update_params_for_auth(headers, [], ["BearerToken"], path, "GET", None)
    try:
        return websocket.create_connection(
            f"ws{settings.host.removeprefix('http')}{path}",
            timeout=within.total_seconds(),
            header=headers,
            subprotocols=[PROTOCOL],
            sslopt=_tls(settings),
            redirect_limit=0,
            **_proxy(settings),
        )
    except websocket.WebSocketBadStatusException as error:
        raise Unavailable(_refusal(error)) from error
    except (websocket.WebSocketException, OSError) as error:
        raise Unavailable(f"the cluster does not answer: {error}") from error


def run_command(api: client.ApiClient, path: str, within: timedelta) -> Answer:
    """Follow a command to its end; the path names it and its container."""
    started = time.monotonic()
    text = b""
    try:
        stream = open_stream(api, path, within)
        try:
            while True:
                stream.settimeout(max(0.001, within.total_seconds() + started - time.monotonic()))
                channel, data = _frame(stream)
                if channel == ENDED and data:  # every channel begins with an empty frame
                    break
                text = (text + data)[-OUTPUT_KEPT:]
        finally:
            stream.close()
    except websocket.WebSocketTimeoutException:
        late = f"did not end within {within.total_seconds():g} s"
        return Answer(None, late, time.monotonic() - started)
    except (Unavailable, websocket.WebSocketException, OSError) as error:
        return Answer(None, str(error), time.monotonic() - started)
    status, fault = _exit_status(data)
    printed = text.decode(errors="replace")
    return Answer(status, fault or printed, time.monotonic() - started)


@dataclass(slots=True)
class PodTunnel:
    """One forwarded port.

    Attributes:
        seen: channels whose first frame, the port's number, has come.
    """

    stream: websocket.WebSocket
    seen: set[int] = field(default_factory=set)

    def send(self, data: bytes) -> None:
        """Write bytes to the pod."""
        try:
            self.stream.send_binary(b"\0" + data)
        except (websocket.WebSocketException, OSError) as error:
            raise Unavailable(f"the connection broke: {error}") from error

    def receive(self, within: timedelta) -> bytes | None:
        """Return what came next, nothing where the pod has closed, None where nothing came."""
        until = time.monotonic() + within.total_seconds()
        while True:
            self.stream.settimeout(max(0.001, until - time.monotonic()))
            try:
                channel, data = _frame(self.stream)
            except websocket.WebSocketTimeoutException:
                return None
            except websocket.WebSocketConnectionClosedException:
                return b""
            except (websocket.WebSocketException, OSError) as error:
                raise Unavailable(f"the connection broke: {error}") from error
            if channel not in self.seen:
                self.seen.add(channel)
            elif channel == TUNNEL_ERROR:
                raise Unavailable(data.decode(errors="replace").strip())
            elif data:
                return data

    def close(self) -> None:
        """End the connection."""
        self.stream.close()


def _frame(stream: websocket.WebSocket) -> tuple[int, bytes]:
    """Return the next frame's channel and content."""
    opcode, data = stream.recv_data()
    if opcode == websocket.ABNF.OPCODE_CLOSE or not data:
        raise websocket.WebSocketConnectionClosedException("the connection was closed")
    return data[0], data[1:]


def _exit_status(data: bytes) -> tuple[int | None, str]:
    """Read the Status that ends a command: its exit status, or why it did not run."""
    status = json.loads(data)
    if status.get("status") == "Success":
        return 0, ""
    for cause in (status.get("details") or {}).get("causes") or ():
        if cause.get("reason") == "ExitCode":
            return int(cause["message"]), ""
    return None, str(status.get("message"))


def _refusal(error: websocket.WebSocketBadStatusException) -> str:
    try:
        return str(json.loads(error.resp_body or b"")["message"])
    except (ValueError, KeyError, TypeError):
        return f"the cluster answers {error.status_code}"


def _tls(settings: client.Configuration) -> dict[str, Any]:
    """Say how the API server is verified, in the words of websocket-client."""
    verify: dict[str, Any] = {"ca_certs": settings.ssl_ca_cert} if settings.ssl_ca_cert else {}
    if not settings.verify_ssl:
        verify = {"cert_reqs": 0, "check_hostname": False}
    named = {
        "certfile": settings.cert_file,
        "keyfile": settings.key_file,
        "server_hostname": settings.tls_server_name,
    }
    return {**verify, **{key: value for key, value in named.items() if value}}


def _proxy(settings: client.Configuration) -> dict[str, Any]:
    """Take the same way to the API server as every other request."""
    if not settings.proxy:
        return {"http_no_proxy": ["*"]}
    proxy = urlsplit(settings.proxy)
    return {"http_proxy_host": proxy.hostname, "http_proxy_port": proxy.port, "proxy_type": "http"}
