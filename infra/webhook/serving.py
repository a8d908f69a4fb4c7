"""How the receiver is served: its sockets, its limits on connections, and TLS where asked for."""

import asyncio
import logging
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from infra.webhook.app import CLIENT, Receiver, make_app
from infra.webhook.limits import source_of
from infra.webhook.tls import Tls, context_of, load, place

__all__ = ["Door", "Limits", "Protocol", "Server", "configured", "listening"]

log = logging.getLogger(__name__)

BACKLOG = 2_048
STOP_WITHIN_SECONDS = 5
RENEWAL_TICKS = 600
"""How often the certificate is looked at; uvicorn ticks ten times a second."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What connections may do.

    Attributes:
        most: at once.
        most_from_one: of those, so that one sender does not take the places of all others.
        head_within: seconds for the handshake, and then for a request up to its body, which has a
            limit of its own.
    """

    most: int = 1_000
    most_from_one: int = 250
    head_within: float = 10


def configured(receiver: Receiver, allowed: Limits | None = None) -> uvicorn.Config:
    """Return how a receiver is served."""

    class Counting(Protocol):
        limits = allowed or Protocol.limits

        def turned_away(self) -> None:
            receiver.metrics.refused("connection", "too many")

    return uvicorn.Config(
        make_app(receiver),
        http=Counting,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=Counting.limits.most,
        timeout_graceful_shutdown=STOP_WITHIN_SECONDS,
    )


class Protocol(HttpToolsProtocol):
    """HTTP for which heads may not take for ever, and that knows the client's certificate.

    Nobody has more than his share of connections.
    """

    limits = Limits()
    _late: asyncio.TimerHandle | None = None
    _client: Mapping[str, Any] | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a request."""
        super().connection_made(transport)
        session = transport.get_extra_info("ssl_object")
        self._client = session.getpeercert() if session else None
        if self._is_one_too_many():
            self.turned_away()
            transport.abort()  # with TLS, closing waits for the other side
        else:
            self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing any more."""
        self._head_is_here()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """Tell the doors whose certificate it was."""
        super().on_message_begin()
        if self._client:
            self.scope[CLIENT] = self._client  # type: ignore[literal-required]
        self._await_head()

    def on_headers_complete(self) -> None:
        """Leave the body to the doors."""
        self._head_is_here()
        super().on_headers_complete()

    def turned_away(self) -> None:
        """Note that somebody has his share already."""

    def _is_one_too_many(self) -> bool:
        if len(self.connections) <= self.limits.most_from_one:
            return False
        others = (each for each in self.connections if isinstance(each, HttpToolsProtocol))
        sources = [source_of(each.client[0]) for each in others if each.client]
        mine = source_of(self.client[0]) if self.client else ""
        return sources.count(mine) > self.limits.most_from_one

    def _await_head(self) -> None:
        self._head_is_here()
        self._late = self.loop.call_later(self.limits.head_within, self.transport.abort)

    def _head_is_here(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None


class Door:
    """A socket with TLS, whose certificate may be renewed.

    Raises:
        ConfigError: it cannot be made of its files.
    """

    def __init__(self, tls: Tls) -> None:
        self._tls = tls
        self._loaded = _changed(tls)
        self.context = context_of(tls)
        self.socket = listening(*place(tls.listen))

    def renew(self) -> None:
        """Show a certificate that was renewed to whoever comes from now on."""
        try:
            changed = _changed(self._tls)
            if changed != self._loaded:
                load(self.context, self._tls)
                self._loaded = changed
        except (OSError, ValueError) as error:  # half of it is there yet, or it is damaged
            log.warning("the certificate of before is kept: %s", error)


class Server(uvicorn.Server):
    """A server that may listen with TLS, too; one lifespan, one set of limits for both.

    Raises:
        ConfigError: the door with TLS cannot be made.
    """

    def __init__(self, config: uvicorn.Config, tls: Tls | None = None) -> None:
        super().__init__(config)
        self._made = cast("type[Protocol]", config.http)
        self._door = Door(tls) if tls else None

    @property
    def tls_port(self) -> int | None:
        """Where it listens with TLS."""
        return int(self._door.socket.getsockname()[1]) if self._door else None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen."""
        await super().startup(sockets)
        if self._door is None:
            return
        self.servers.append(
            await asyncio.get_running_loop().create_server(
                self._protocol,
                sock=self._door.socket,
                ssl=self._door.context,
                ssl_handshake_timeout=self._made.limits.head_within,
                backlog=BACKLOG,
            )
        )

    async def on_tick(self, counter: int) -> bool:
        """Look now and then whether somebody has renewed the certificate."""
        if self._door and counter % RENEWAL_TICKS == 0:
            self._door.renew()
        return await super().on_tick(counter)

    def _protocol(self) -> asyncio.Protocol:
        return self._made(
            config=self.config, server_state=self.server_state, app_state=self.lifespan.state
        )


def listening(address: str, port: int) -> socket.socket:
    """Return a socket that listens on an address, which need not be there yet."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    made = socket.socket(family, socket.SOCK_STREAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    # the lab's link may come and go while the receiver runs
    made.setsockopt(socket.IPPROTO_IP, _IP_FREEBIND, 1)
    made.bind((address, port))
    made.listen(BACKLOG)
    return made


def _changed(tls: Tls) -> tuple[int, ...]:
    """Return when the files were written; a file that is missing was never."""
    found = (tls.certificate, tls.key)
    return tuple(file.stat().st_mtime_ns if file.exists() else 0 for file in found)


_IP_FREEBIND = 15
"""linux/in.h; Python has no name for it."""
