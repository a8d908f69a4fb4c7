"""What a registry's name and its answers mean."""

import json
import re
from datetime import datetime
from email.utils import parsedate_to_datetime
from ipaddress import ip_address
from urllib.parse import urlsplit

from tasks.core.errors import ConfigError, SlipwayError, StageFailed, ToolFailed
from tasks.core.model import Digest
from tasks.core.oci import Descriptor
from tasks.core.registry import is_registry_host
from tasks.push.model import Challenge, Interrupted, Reference, Refusal

__all__ = [
    "INDEX_TYPE",
    "backoff",
    "is_loopback",
    "is_transient",
    "judge_refusal",
    "next_offset",
    "parse_challenge",
    "parse_reference",
    "parse_refusal",
    "parse_retry_after",
    "with_referrer",
]

LONGEST_WAIT_SECONDS = 60.0
SHOWN_CHARACTERS = 300
TOO_MANY_REQUESTS = 429
INDEX_TYPE = "application/vnd.oci.image.index.v1+json"
_NAME = re.compile(r"[a-z0-9]+([._-]+[a-z0-9]+)*(/[a-z0-9]+([._-]+[a-z0-9]+)*)*")
_TAG = re.compile(r"\w[\w.-]{0,127}", re.ASCII)
_PARAMETER = re.compile(r'(\w+)="([^"]*)"')


def parse_reference(repository: str) -> Reference:
    """Read `host/path` or `host/path:tag`.

    Raises:
        ConfigError: it names no registry, or something that no registry would take.
    """
    host, slash, path = repository.partition("/")
    name, colon, tag = path.partition(":")
    valid = slash and is_registry_host(host) and _NAME.fullmatch(name)
    if not valid or (colon and not _TAG.fullmatch(tag)):
        raise ConfigError(
            "is no repository in a registry",
            where=repository,
            next_step="write host/path in small letters, such as ghcr.io/team/api",
        )
    scheme = "http" if is_loopback(host) else "https"
    return Reference(scheme, host, name, tag or None)


def is_loopback(host: str) -> bool:
    """Say whether a host, perhaps with a port, is this machine."""
    name = urlsplit(f"//{host}").hostname or ""
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return name == "localhost"


def parse_challenge(header: str) -> Challenge:
    """Read WWW-Authenticate (RFC 9110, distribution specification: token authentication)."""
    kind, _, rest = header.partition(" ")
    parameters = dict(_PARAMETER.findall(rest))
    if kind.lower() != "bearer":
        return Challenge("")
    return Challenge(parameters.get("realm", ""), parameters.get("service", ""))


def is_transient(status: int) -> bool:
    """Say whether a request may succeed when it is sent again; a full disk does not empty."""
    return status in (408, TOO_MANY_REQUESTS) or (status >= 500 and status not in (501, 505, 507))  # noqa: PLR2004 RFC 9110


def parse_retry_after(header: str | None, now: datetime) -> float | None:
    """Read Retry-After, seconds or a date (RFC 9110, 10.2.3), as seconds from now."""
    if not header:
        return None
    try:
        return max(0.0, float(header))
    except ValueError:
        pass
    try:
        return max(0.0, (parsedate_to_datetime(header) - now).total_seconds())
    except (ValueError, TypeError):
        return None


def backoff(error: Exception) -> bool | float:
    """Say how long to wait before the next try: our own time, the registry's, or not at all."""
    if not isinstance(error, Interrupted):
        return False
    asked = error.retry_after_seconds
    if asked is None:
        return True
    return asked if asked <= LONGEST_WAIT_SECONDS else False


def parse_refusal(status: int, body: bytes) -> Refusal:
    """Read the errors of an answer; a body that is none of the specification's stays text."""
    try:
        errors = json.loads(body)["errors"]
        parts = [f"{error.get('code', '')} {error.get('message', '')}".strip() for error in errors]
        reason = "; ".join(filter(None, parts))
    except (ValueError, KeyError, TypeError, AttributeError):
        reason = " ".join(body.decode(errors="replace").split())
    return Refusal(status, reason[:SHOWN_CHARACTERS])


def judge_refusal(refusal: Refusal, reference: Reference) -> SlipwayError:
    """Turn a refusal into what a person should know and do."""
    said = f" ({refusal.reason})" if refusal.reason else ""
    where = reference.repository
    match refusal.status:
        case 401:
            return ConfigError(
                f"the registry refuses the credentials{said}",
                where=where,
                next_step=f"docker login {reference.host} where the worker runs",
            )
        case 403 | 402:
            return ConfigError(
                f"these credentials may not push here{said}",
                where=where,
                next_step="let the token write there (ghcr.io: write:packages); check the quota",
            )
        case 404:
            return ConfigError(
                f"the registry has no such repository{said}",
                where=where,
                next_step="create it there, or correct the registry's name",
            )
        case 413 | 507:
            return StageFailed(
                f"the registry takes no image of this size (HTTP {refusal.status}){said}",
                where=where,
                next_step="free space or raise the quota there, or make the image smaller",
            )
        case status:
            return ToolFailed(
                f"the registry answered HTTP {status}{said}",
                where=where,
                next_step="look into the registry's log",
            )


def next_offset(range_header: str | None) -> int:
    """Return how many bytes an upload has, from `Range: 0-N`; both 0 and 1 byte are `0-0`."""
    match = re.fullmatch(r"(?:bytes=)?0-(\d+)", range_header or "")
    last = int(match[1]) if match else 0
    return last + 1 if last else 0


def with_referrer(index: bytes | None, referrer: Descriptor, artifact_type: str) -> bytes:
    """Return the index of an image's referrers with one more (referrers tag schema)."""
    known = json.loads(index)["manifests"] if index else []
    others = [entry for entry in known if Digest(entry["digest"]) != referrer.digest]
    added = {
        "mediaType": referrer.media_type,
        "digest": referrer.digest,
        "size": referrer.size_bytes,
        "artifactType": artifact_type,
    }
    document = {"schemaVersion": 2, "mediaType": INDEX_TYPE, "manifests": [*others, added]}
    return json.dumps(document, sort_keys=True).encode()
