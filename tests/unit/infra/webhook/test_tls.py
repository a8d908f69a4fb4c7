import contextlib
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import pytest
from cryptography import x509

from infra.webhook.serving import Door, Server
from infra.webhook.tls import Named, Tls, chosen, keep, named
from tasks.core.errors import ConfigError
from tests.unit.infra.webhook.certificates import Authority, Pair
from tests.unit.infra.webhook.world import TOKEN, World, alert, push, repository

BEARER = {"authorization": f"Bearer {TOKEN}"}


@dataclass
class Doors:
    """A receiver with a door with TLS, and who may come in."""

    world: World
    server: Server
    clients: Authority
    folder: Path

    def client(self, shown: Pair | None = None) -> httpx.Client:
        context = ssl.create_default_context(cafile=str(self.folder / "servers.crt"))
        if shown:
            context.load_cert_chain(shown.certificate, shown.key)
        return httpx.Client(
            base_url=f"https://127.0.0.1:{self.server.tls_port}", verify=context, trust_env=False
        )

    def alert(self, shown: Pair | None = None, headers: dict[str, str] | None = None) -> int:
        with self.client(shown) as client:
            return client.post("/alertmanager", json=alert(), headers=headers).status_code


@pytest.fixture
def doors(tmp_path: Path) -> Iterator[Doors]:
    world = World(tmp_path)
    world.store.register(repository())
    clients = Authority(tmp_path, "clients")
    shown = Authority(tmp_path, "servers").sign("receiver", for_servers=True)
    tls = Tls("127.0.0.1:0", shown.certificate, shown.key, clients.certificate)
    with world.serving(tls) as server:
        yield Doors(world, server, clients, tmp_path)
    world.store.close()


def test_alertmanager_comes_in_with_a_certificate_and_no_token(doors: Doors) -> None:
    assert doors.alert(doors.clients.sign("alertmanager")) == 202
    assert [each.event.subject for each in doors.world.store.waiting(10)] == ["prod/shop"]


def test_without_a_certificate_the_token_still_counts_and_nothing_else(doors: Doors) -> None:
    assert doors.alert() == 401
    assert doors.alert(headers={"authorization": "Bearer guessed"}) == 401
    assert doors.world.states() == []
    assert doors.alert(headers=BEARER) == 202


@pytest.mark.parametrize("kind", ["of another authority", "for servers"])
def test_a_certificate_that_is_no_clients_ends_the_handshake(doors: Doors, kind: str) -> None:
    others = Authority(doors.folder, "others")
    shown = (
        doors.clients.sign("server", for_servers=True)
        if kind == "for servers"
        else others.sign("alertmanager")
    )
    with pytest.raises((httpx.ReadError, httpx.ConnectError, httpx.RemoteProtocolError)):
        doors.alert(shown, BEARER)
    assert doors.world.states() == []


def test_a_certificate_is_no_proof_to_be_github(doors: Doors) -> None:
    headers = {"content-type": "application/json", "x-github-event": "push"}
    with doors.client(doors.clients.sign("alertmanager")) as client:
        assert client.post("/github", json=push(), headers=headers).status_code == 401
    assert doors.world.states() == []


def test_no_header_stands_for_a_certificate(doors: Doors) -> None:
    claims = ("slipway.client", "x-client-cert", "x-ssl-client-verify", "x-forwarded-client-cert")
    for name in claims:
        assert doors.alert(headers={name: "CN=alertmanager"}) == 401
        answer = doors.world.client.post("/alertmanager", json=alert(), headers={name: "1"})
        assert answer.status_code == 401


def test_what_listens_without_tls_is_there_as_before(doors: Doors) -> None:
    assert doors.world.send(push()).status_code == 202
    assert doors.world.send_alert(alert()).status_code == 202


def test_a_renewed_certificate_is_shown_and_half_of_one_is_not(tmp_path: Path) -> None:
    def serial() -> int:
        """Look at the certificate, through a door of memory instead of a network."""
        inward, outward = ssl.MemoryBIO(), ssl.MemoryBIO()
        client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        client.check_hostname, client.verify_mode = False, ssl.CERT_NONE
        here = client.wrap_bio(inward, outward)
        there = door.context.wrap_bio(outward, inward, server_side=True)
        for _ in range(3):
            for side in (here, there):
                with contextlib.suppress(ssl.SSLWantReadError):
                    side.do_handshake()
        shown = here.getpeercert(binary_form=True)
        return x509.load_der_x509_certificate(shown or b"").serial_number

    def written() -> int:
        return x509.load_pem_x509_certificate(pair.certificate.read_bytes()).serial_number

    authority = Authority(tmp_path, "servers")
    pair = authority.sign("receiver", for_servers=True)
    door = Door(Tls("127.0.0.1:0", pair.certificate, pair.key))
    first = serial()
    authority.sign("receiver", for_servers=True)
    assert first != written()
    door.renew()
    second = serial()
    assert second == written()
    for break_it in (lambda: pair.key.write_text("half of a k"), pair.key.unlink):
        break_it()
        door.renew()
        assert serial() == second
    door.socket.close()


FILES = Named("0.0.0.0:8443", Path("/c.crt"), Path("/c.key"))
DOOR = Tls("0.0.0.0:8443", Path("/c.crt"), Path("/c.key"))


@pytest.mark.parametrize(
    ("words", "before", "expected"),
    [
        pytest.param(Named(), None, None, id="off by default"),
        pytest.param(Named(), DOOR, DOOR, id="silence leaves it as it is"),
        pytest.param(FILES, None, DOOR, id="a door"),
        pytest.param(
            replace(FILES, client_ca=Path("/ca.crt")),
            DOOR,
            replace(DOOR, client_ca=Path("/ca.crt")),
            id="one for clients with certificates",
        ),
        pytest.param(Named("off"), DOOR, None, id="off"),
    ],
)
def test_which_door_with_tls_there_is(
    words: Named, before: Tls | None, expected: Tls | None
) -> None:
    assert named(words, before) == expected


@pytest.mark.parametrize(
    ("words", "what"),
    [
        pytest.param(replace(FILES, key=None), "belong together", id="no key"),
        pytest.param(Named(client_ca=Path("/ca.crt")), "belong together", id="clients only"),
        pytest.param(replace(FILES, listen="8443"), "ADDRESS:PORT", id="no address"),
        pytest.param(replace(FILES, listen="0.0.0.0:https"), "ADDRESS:PORT", id="no number"),
        pytest.param(replace(FILES, listen="0.0.0.0:99999"), "ADDRESS:PORT", id="no port"),
    ],
)
def test_what_makes_no_door_is_said(words: Named, what: str) -> None:
    with pytest.raises(ConfigError, match=what):
        named(words, None)


def test_a_door_is_kept_when_its_files_make_one(tmp_path: Path) -> None:
    authority, file = Authority(tmp_path, "ca"), tmp_path / "state/tls.json"
    one, two = authority.sign("one"), authority.sign("two")
    tls = Tls("127.0.0.1:0", one.certificate, one.key)
    assert (chosen(file), keep(tls, file), keep(tls, file)) == (None, True, False)
    assert chosen(file) == tls
    hidden = authority.sign("hidden", password=b"of the tests")
    for wrong in (
        replace(tls, key=two.key),
        replace(tls, key=tmp_path / "missing"),
        replace(tls, client_ca=one.key),
        replace(tls, certificate=hidden.certificate, key=hidden.key),
    ):
        with pytest.raises(ConfigError, match="cannot be made"):
            keep(wrong, file)
    assert chosen(file) == tls
    assert (keep(None, file), chosen(file)) == (True, None)
