"""What a sender may do to us: how often, how much, how slowly."""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import timedelta

from starlette.requests import ClientDisconnect, Request

from infra.webhook.model import Refused

__all__ = ["Allowance", "Body", "Intake"]

TOO_LARGE, TOO_SLOW, GONE, FULL = 413, 408, 400, 503
MOST_SOURCES = 10_000


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
    """Reads bodies as they come; all that is being read at once has a limit too."""

    most_bytes: int = 256 * 2**20
    _held: int = 0

    async def read(self, request: Request, body: Body) -> bytes:
        """Return the whole body.

        Raises:
            Refused: it is too large, too slow or cut off, or there is no room for it.
        """
        if int(request.headers.get("content-length", "0")) > body.most_bytes:
            raise Refused(TOO_LARGE, "size")
        parts: list[bytes] = []
        size = 0
        try:
            async with asyncio.timeout(body.within.total_seconds()):
                async for part in request.stream():
                    parts.append(part)
                    size += len(part)
                    self._hold(len(part))
                    if size > body.most_bytes:
                        raise Refused(TOO_LARGE, "size")
        except TimeoutError as error:
            raise Refused(TOO_SLOW, "slow") from error
        except ClientDisconnect as error:
            raise Refused(GONE, "cut off") from error
        finally:
            self._held -= size
        return b"".join(parts)

    def _hold(self, size: int) -> None:
        self._held += size
        if self._held > self.most_bytes:
            raise Refused(FULL, "full")
