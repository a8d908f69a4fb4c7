"""What HTTP clients trust, read once: by itself each httpx client reads all authorities anew."""

import ssl
from functools import cache
from pathlib import Path

import httpx

from tasks.core.errors import ConfigError

__all__ = ["authorities", "system_authorities"]

_SYSTEM = Path("/etc/ssl/certs/ca-certificates.crt")


def authorities(address: httpx.URL | str, *, http2: bool = False) -> ssl.SSLContext:
    """Return what a client of this address should trust; SSL_CERT_FILE and SSL_CERT_DIR count.

    Nobody where the address is plain http: reading what httpx trusts by default takes longer
    than most requests.

    Args:
        address: whose client it is; the beginning of all that it asks.
        http2: whether that is spoken, which a context is told at each handshake.

    Raises:
        ConfigError: what the environment names is not there.
    """
    return _default(http2) if httpx.URL(address).scheme == "https" else _nobody()


def system_authorities() -> str | None:
    """Return the file of what this machine trusts; None where it is kept elsewhere."""
    return str(_SYSTEM) if _SYSTEM.exists() else None


@cache
def _default(http2: bool) -> ssl.SSLContext:  # noqa: ARG001, FBT001 one for each
    try:
        return httpx.create_ssl_context()
    except OSError as error:
        raise ConfigError(
            f"certificate authorities cannot be read: {error}",
            where="SSL_CERT_FILE or SSL_CERT_DIR",
            next_step="name a file or folder that is there, or none",
        ) from error


@cache
def _nobody() -> ssl.SSLContext:
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
