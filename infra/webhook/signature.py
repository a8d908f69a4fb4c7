"""Proof that a request comes from whom it says: GitHub's signature, Alertmanager's token."""

import hmac
import re
from collections.abc import Iterable

__all__ = ["could_sign", "is_bearer", "is_signed", "sign"]

_PREFIX = "sha256="
_HEADER = re.compile(rf"(?:{_PREFIX}|v0=)[0-9a-f]{{64}}")


def sign(body: bytes, secret: str) -> str:
    """Return the header X-Hub-Signature-256 of a body.

    Source: docs.github.com, Validating webhook deliveries.
    """
    return _PREFIX + hmac.digest(secret.encode(), body, "sha256").hex()


def could_sign(header: str) -> bool:
    """Say whether a header has the form of a signature of GitHub's or of Slack's."""
    return _HEADER.fullmatch(header) is not None


def is_signed(body: bytes, header: str, secrets: Iterable[str]) -> bool:
    """Say whether a body was signed with one of the secrets, as slowly for each as for another."""
    given = header.encode("utf-8", "replace")
    found = [hmac.compare_digest(sign(body, secret).encode(), given) for secret in secrets]
    return any(found)


def is_bearer(header: str, token: str) -> bool:
    """Say whether an Authorization header carries a token; an empty token lets nobody in."""
    given = header.encode("utf-8", "replace")
    return bool(token) and hmac.compare_digest(f"Bearer {token}".encode(), given)
