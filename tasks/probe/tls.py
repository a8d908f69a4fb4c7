"""TLS over a connection to a pod."""

import ssl
from dataclasses import dataclass
from datetime import timedelta

from tasks.core.cluster import Tunnel
from tasks.core.errors import Unavailable

__all__ = ["TlsTunnel", "inside_tls"]

CHUNK = 65_536


@dataclass(frozen=True, slots=True)
class TlsTunnel:
    """What is sent and received is encrypted; certificates are not verified, as everywhere inside.

    Attributes:
        tunnel: carries the records.
        tls: makes and reads them.
        incoming: records of the pod; outgoing: those for it.
    """

    tunnel: Tunnel
    tls: ssl.SSLObject
    incoming: ssl.MemoryBIO
    outgoing: ssl.MemoryBIO

    def send(self, data: bytes) -> None:
        """Write bytes to the pod."""
        self.tls.write(data)
        self._flush()

    def receive(self, within: timedelta) -> bytes | None:
        """Return what came next, nothing where the pod has closed, None where nothing came."""
        while True:
            try:
                return self.tls.read(CHUNK)
            except ssl.SSLWantReadError:
                came = self.fill(within)
            except ssl.SSLZeroReturnError:
                return b""
            except ssl.SSLError as error:
                raise Unavailable(f"the connection broke: {error}") from error
            if not came:
                return came

    def close(self) -> None:
        """End the connection."""
        self.tunnel.close()

    def fill(self, within: timedelta) -> bytes | None:
        """Send what is to be sent, and take in what comes then."""
        self._flush()
        data = self.tunnel.receive(within)
        self.incoming.write(data or b"")
        return data

    def _flush(self) -> None:
        if self.outgoing.pending:
            self.tunnel.send(self.outgoing.read())


def inside_tls(tunnel: Tunnel, within: timedelta) -> TlsTunnel:
    """Shake hands with a server of HTTP/2 behind a tunnel.

    Raises:
        Unavailable: the server does not speak TLS, or does not answer.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols(["h2"])
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    made = TlsTunnel(tunnel, context.wrap_bio(incoming, outgoing), incoming, outgoing)
    while True:
        try:
            made.tls.do_handshake()
        except ssl.SSLWantReadError:
            if not made.fill(within):
                raise Unavailable("no TLS handshake; is it a server of TLS?") from None
        except ssl.SSLError as error:
            raise Unavailable(f"no TLS handshake: {error}") from error
        else:
            return made
