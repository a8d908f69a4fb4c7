"""A door of the receiver's with TLS, beside those on loopback; none until somebody asks."""

import ssl
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from tasks.core.errors import ConfigError
from tasks.core.files import write_whole

__all__ = ["OFF", "Named", "Tls", "chosen", "context_of", "keep", "load", "named", "place"]

OFF = "off"
"""In the place of an address: there is no such door any more."""


@dataclass(frozen=True, slots=True)
class Tls:
    """What the door is made of; files are PEM.

    Attributes:
        listen: ADDRESS:PORT.
        certificate: with the certificates between it and its authority.
        key: of the certificate.
        client_ca: whose certificates are Alertmanager's; None where it has a token only.
    """

    listen: str
    certificate: Path
    key: Path
    client_ca: Path | None = None


@dataclass(frozen=True, slots=True)
class Named:
    """What a person named on the command line; None where they were silent."""

    listen: str | None = None
    certificate: Path | None = None
    key: Path | None = None
    client_ca: Path | None = None


_KEPT = TypeAdapter(Tls | None)


def named(words: Named, before: Tls | None) -> Tls | None:
    """Return the door that a person's words ask for; the one of before where they are silent.

    Raises:
        ConfigError: they do not make a door.
    """
    if words == Named():
        return before
    if words.listen == OFF:
        return None
    if words.listen is None or words.certificate is None or words.key is None:
        raise ConfigError(
            "--tls-listen, --tls-certificate and --tls-key belong together",
            next_step=f"name all three, or --tls-listen {OFF} for no door with TLS",
        )
    place(words.listen)
    client_ca = words.client_ca and words.client_ca.absolute()
    return Tls(words.listen, words.certificate.absolute(), words.key.absolute(), client_ca)


def place(listen: str) -> tuple[str, int]:
    """Return address and port of ADDRESS:PORT; an address with colons stands in brackets.

    Raises:
        ConfigError: it is not of that form.
    """
    address, _, port = listen.rpartition(":")
    if not address or not port.isdecimal() or not 0 <= int(port) < 2**16:
        raise ConfigError("is not ADDRESS:PORT", where=listen, next_step="such as 0.0.0.0:8443")
    return address.removeprefix("[").removesuffix("]"), int(port)


def context_of(tls: Tls) -> ssl.SSLContext:
    """Return what a server speaks TLS with.

    A client may show a certificate and need not; one that does not stem from the clients'
    authority ends the handshake.

    Raises:
        ConfigError: the files are not there, or do not belong together.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        load(context, tls)
        if tls.client_ca:
            context.load_verify_locations(tls.client_ca)
            context.verify_mode = ssl.CERT_OPTIONAL
    except (OSError, ValueError) as error:
        where = ", ".join(str(file) for file in (tls.certificate, tls.key, tls.client_ca) if file)
        raise ConfigError(
            f"the door with TLS cannot be made of them: {error}",
            where=where,
            next_step="name a certificate and its key as PEM files, without a password",
        ) from error
    return context


def load(context: ssl.SSLContext, tls: Tls) -> None:
    """Show the certificate to whoever comes from now on.

    Raises:
        OSError, ValueError: it cannot be read, or is not that of the key.
    """
    context.load_cert_chain(tls.certificate, tls.key, password=_no_password)


def _no_password() -> str:
    raise ValueError("the key has a password")  # else OpenSSL asks the terminal


def keep(tls: Tls | None, file: Path) -> bool:
    """Make a door the one that the receiver opens and say whether it is another than before.

    Raises:
        ConfigError: it cannot be made.
    """
    if tls is not None:
        context_of(tls)
    if tls == chosen(file):
        return False
    file.parent.mkdir(parents=True, exist_ok=True)
    write_whole(file, _KEPT.dump_json(tls, indent=2))
    return True


def chosen(file: Path) -> Tls | None:
    """Return the door that was asked for last, None where there is none.

    Raises:
        ConfigError: the file is damaged.
    """
    try:
        return _KEPT.validate_json(file.read_bytes())
    except FileNotFoundError:
        return None
    except ValidationError as error:
        raise ConfigError(
            "is damaged", where=str(file), next_step="remove it, then slipway up --tls-listen ..."
        ) from error
