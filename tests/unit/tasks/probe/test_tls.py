import ssl
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tasks.core.errors import Unavailable
from tasks.probe.grpc_health import STATES, ask_health
from tasks.probe.tls import inside_tls
from tests.unit.tasks.probe.test_grpc_health import SECOND, Server, healthy


@dataclass
class Encrypted:
    """A gRPC server behind TLS."""

    server: Server
    context: ssl.SSLContext
    incoming: ssl.MemoryBIO = field(default_factory=ssl.MemoryBIO)
    outgoing: ssl.MemoryBIO = field(default_factory=ssl.MemoryBIO)
    is_open: bool = False

    def __post_init__(self) -> None:
        self.tls = self.context.wrap_bio(self.incoming, self.outgoing, server_side=True)

    def send(self, data: bytes) -> None:
        self.incoming.write(data)
        try:
            if not self.is_open:
                self.tls.do_handshake()
                self.is_open = True
            self.server.send(self.tls.read(65_536))
        except ssl.SSLWantReadError:
            return

    def receive(self, within: timedelta) -> bytes | None:
        answer = self.server.receive(within) if self.is_open else None
        if answer:
            self.tls.write(answer)
        return self.outgoing.read() or None

    def close(self) -> None:
        self.server.close()


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    """A server's side, with a certificate that nobody has signed."""
    folder: Path = tmp_path_factory.mktemp("tls")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "orders")])
    begins = datetime(2026, 1, 1, tzinfo=UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(begins).not_valid_after(begins + timedelta(days=36_500))
    text = builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    secret = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    (folder / "all.pem").write_bytes(secret + text)
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(folder / "all.pem")
    made.set_alpn_protocols(["h2"])
    return made


def test_health_is_asked_inside_tls(context: ssl.SSLContext) -> None:
    server = Server(healthy(b"\x08\x01"))
    tunnel = inside_tls(Encrypted(server, context), SECOND)
    assert STATES[ask_health(tunnel, "orders", SECOND, "https")] == "SERVING"
    assert server.headers[":scheme"] == "https"
    assert tunnel.tls.selected_alpn_protocol() == "h2"


def test_a_server_without_tls_is_named() -> None:
    class Plain(Server):
        def send(self, data: bytes) -> None:
            del data

        def receive(self, within: timedelta) -> bytes | None:
            del within
            return b"HTTP/1.1 400 Bad Request\r\n\r\n"

    with pytest.raises(Unavailable, match="no TLS handshake"):
        inside_tls(Plain(healthy(b"")), SECOND)


def test_a_server_that_says_nothing_is_not_waited_for_twice() -> None:
    class Silent(Server):
        def send(self, data: bytes) -> None:
            del data

        def receive(self, within: timedelta) -> bytes | None:
            del within
            return None

    with pytest.raises(Unavailable, match="is it a server of TLS"):
        inside_tls(Silent(healthy(b"")), SECOND)
