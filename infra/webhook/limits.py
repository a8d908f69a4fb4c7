"""What a sender may do to us: how often, how much, how slowly."""

import asyncio
from collections import Counter, OrderedDict
from dataclasses import dataclass, field
from datetime import timedelta
from functools import lru_cache
from ipaddress import IPv6Address, ip_address

from starlette.requests import ClientDisconnect, Request

from infra.webhook.model import Refused

__all__ = ["Allowance", "Body", "Intake", "sender_of", "source_of"]

TOO_LARGE, TOO_SLOW, GONE, FULL = 413, 408, 400, 503
MOST_SOURCES = 10_000
ONES_OWN = 64
"""Bits of an IPv6 address behind which somebody has all the others (RFC 6177)."""


@lru_cache(MOST_SOURCES)
def source_of(host: str) -> str:
    """Return what counts as one sender: an IPv4 address, or the network of an IPv6 one."""
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:  # a socket of this machine has none
        return host
    if not isinstance(address, IPv6Address):
        return str(address)
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(IPv6Address(int(address) >> ONES_OWN << ONES_OWN))


def sender_of(request: Request) -> str:
    """Return who counts as the sender of a request; empty where it has no address."""
    return source_of(request.client.host) if request.client else ""


@dataclass(slots=True)
class Allowance:
    """Requests of each source address: a bucket that fills at a rate (token bucket).

    Attributes:
        rate: requests a second in the long run.
        burst: requests at once.
        fine: what a refused request costs beside its own place.
    """

    rate: float = 2_000
    burst: float = 4_000
    fine: float = 20
    _left: OrderedDict[str, tuple[float, float]] = field(default_factory=OrderedDict)

    def admits(self, source: str, now: float) -> bool:
        """Take a place for one request; now in seconds of a clock that never goes back."""
        left = self._filled(source, now)
        admitted = left >= 1
        self._keep(source, left - admitted, now)
        return admitted

    def charge(self, source: str, now: float) -> None:
        """Let a source pay for a request that was refused."""
        self._keep(source, max(self._filled(source, now) - self.fine, 0), now)

    def _filled(self, source: str, now: float) -> float:
        left, since = self._left.get(source, (self.burst, now))
        return min(self.burst, left + (now - since) * self.rate)

    def _keep(self, source: str, left: float, now: float) -> None:
        self._left[source] = (left, now)
        self._left.move_to_end(source)
        while len(self._left) > MOST_SOURCES:
            self._left.popitem(last=False)


@dataclass(frozen=True, slots=True)
class Body:
    """What a request may send."""

    most_bytes: int = 25 * 2**20
    within: timedelta = timedelta(seconds=10)


@dataclass(slots=True)
class Intake:
    """Reads bodies as they come; all that is being read at once has a limit too.

    Attributes:
        most_bytes: of all senders.
        most_from_one: of one of them, so that nobody fills the room of all.
    """

    most_bytes: int = 256 * 2**20
    most_from_one: int = 128 * 2**20
    _held: Counter[str] = field(default_factory=Counter)

    async def read(self, request: Request, body: Body) -> bytes:
        """Return the whole body.

        Raises:
            Refused: it is too large, too slow or cut off, or there is no room for it.
        """
        source = sender_of(request)
        if int(request.headers.get("content-length", "0")) > body.most_bytes:
            raise Refused(TOO_LARGE, "size")
        parts: list[bytes] = []
        size = 0
        try:
            async with asyncio.timeout(body.within.total_seconds()):
                async for part in request.stream():
                    parts.append(part)
                    size += len(part)
                    self._hold(source, len(part))
                    if size > body.most_bytes:
                        raise Refused(TOO_LARGE, "size")
        except TimeoutError as error:
            raise Refused(TOO_SLOW, "slow") from error
        except ClientDisconnect as error:
            raise Refused(GONE, "cut off") from error
        finally:
            self._let_go(source, size)
        return b"".join(parts)

    def _hold(self, source: str, size: int) -> None:
        self._held[source] += size
        if self._held[source] > self.most_from_one or self._held.total() > self.most_bytes:
            raise Refused(FULL, "full")

    def _let_go(self, source: str, size: int) -> None:
        self._held[source] -= size
        if not self._held[source]:
            del self._held[source]
