"""A client of one repository in a registry; every request may be sent again."""

import base64
import ssl
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Self, TypeVar
from urllib.parse import urljoin, urlsplit

import httpx
import stamina

from tasks.core.clock import utc_now
from tasks.core.errors import ConfigError, Unavailable
from tasks.core.http import authorities
from tasks.core.model import Digest
from tasks.core.oci import Descriptor
from tasks.push.decide import (
    backoff,
    is_loopback,
    is_transient,
    judge_refusal,
    next_offset,
    parse_challenge,
    parse_refusal,
    parse_retry_after,
)
from tasks.push.model import Challenge, Credentials, Interrupted, Reference

__all__ = ["Registry"]

ATTEMPTS = 5
TIMEOUT = httpx.Timeout(60.0, connect=10.0)
CHUNK_BYTES = 1 << 20
ONE_REQUEST_BYTES = 4 << 20
_OCTETS = {"Content-Type": "application/octet-stream"}
_PATIENT = stamina.RetryingCaller(
    attempts=ATTEMPTS, timeout=180.0, wait_initial=0.5, wait_max=10.0, wait_jitter=0.5
)
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class _Slice:
    """A file from an offset on; each iteration reads it anew, so that it can be sent again."""

    file: Path
    offset: int

    def __iter__(self) -> Iterator[bytes]:
        with self.file.open("rb") as stream:
            stream.seek(self.offset)
            while chunk := stream.read(CHUNK_BYTES):
                yield chunk


@dataclass(frozen=True, slots=True)
class _Request:
    """A request and the statuses that are an answer to it."""

    method: str
    address: str
    ok: tuple[int, ...]
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes | _Slice | None = None


@dataclass(slots=True)
class _Upload:
    """An upload that the registry knows; its address changes with every answer."""

    blob: Descriptor
    file: Path
    address: str | None = None


@dataclass(slots=True)
class Registry:
    """Speaks the OCI distribution specification with one repository.

    Every method tries again what may succeed later, at most ATTEMPTS times.

    Raises:
        ConfigError: the registry refuses the credentials or has no such repository.
        StageFailed: it has no room.
        Unavailable: it does not answer, or only with errors of its own.
        ToolFailed: it answers what the specification does not know.
    """

    reference: Reference
    credentials: Credentials | None
    http: httpx.Client
    _authorization: str | None = field(default=None, repr=False)

    @classmethod
    def connect(
        cls, reference: Reference, credentials: Credentials | None, ca_certificates: str | None
    ) -> Self:
        """Prepare a client; nothing is sent yet."""
        local = is_loopback(reference.host)
        verify = (
            authorities(reference.base)
            if local
            else ssl.create_default_context(cafile=ca_certificates)
        )
        client = httpx.Client(timeout=TIMEOUT, verify=verify, trust_env=not local)
        return cls(reference, credentials, client)

    def has_blob(self, blob: Descriptor) -> bool:
        """Ask whether the repository holds a blob."""
        request = _Request("HEAD", f"{self.reference.base}/blobs/{blob.digest}", ok=(200, 404))
        return self._patiently(lambda: self._send(request)).status_code == HTTPStatus.OK

    def upload_blob(self, blob: Descriptor, file: Path) -> None:
        """Send a blob; after an interruption go on where the registry stopped, or start again."""
        upload = _Upload(blob, file)
        self._patiently(lambda: self._upload(upload))

    def manifest(self, name: str, media_type: str) -> bytes | None:
        """Return a manifest or an index by tag or digest, None where there is none."""
        headers = {"Accept": media_type}
        address = f"{self.reference.base}/manifests/{name}"
        request = _Request("GET", address, ok=(200, 404), headers=headers)
        answer = self._patiently(lambda: self._send(request))
        return answer.content if answer.status_code == HTTPStatus.OK else None

    def manifest_digest(self, name: str, media_type: str) -> Digest | None:
        """Return the digest that the registry has under a name, None where it has nothing."""
        headers = {"Accept": media_type}
        address = f"{self.reference.base}/manifests/{name}"
        request = _Request("HEAD", address, ok=(200, 404), headers=headers)
        answer = self._patiently(lambda: self._send(request))
        if answer.status_code == HTTPStatus.NOT_FOUND:
            return None
        return Digest(answer.headers.get("Docker-Content-Digest", ""))

    def put_manifest(self, name: str, content: bytes, media_type: str) -> bool:
        """Store a manifest; say whether the registry itself lists it with its subject."""
        headers = {"Content-Type": media_type}
        address = f"{self.reference.base}/manifests/{name}"
        request = _Request("PUT", address, ok=(201,), headers=headers, content=content)
        return "OCI-Subject" in self._patiently(lambda: self._send(request)).headers

    def _upload(self, upload: _Upload) -> None:
        address, offset = self._resume(upload)
        size = upload.blob.size_bytes
        if offset == 0 and size <= ONE_REQUEST_BYTES:
            self._finish(upload, address, upload.file.read_bytes())
            return
        if offset < size:
            address = self._append(upload, address, offset)
        self._finish(upload, address, b"")

    def _resume(self, upload: _Upload) -> tuple[str, int]:
        """Find the open upload or open one; return its address and how many bytes it has."""
        if upload.address is not None:
            answer = self._send(_Request("GET", upload.address, ok=(204, 400, 404, 416)))
            if answer.status_code == HTTPStatus.NO_CONTENT:
                address = self._move(upload, answer, upload.address)
                return address, next_offset(answer.headers.get("Range"))
        start = f"{self.reference.base}/blobs/uploads/"
        return self._move(upload, self._send(_Request("POST", start, ok=(202,))), start), 0

    def _append(self, upload: _Upload, address: str, offset: int) -> str:
        size = upload.blob.size_bytes
        headers = {**_OCTETS, "Content-Length": str(size - offset)}
        if offset:
            headers["Content-Range"] = f"{offset}-{size - 1}"
        content = _Slice(upload.file, offset)
        answer = self._send(_Request("PATCH", address, (202, 404, 416), headers, content))
        if answer.status_code != HTTPStatus.ACCEPTED:
            upload.address = None
            raise Interrupted(f"the upload is gone (HTTP {answer.status_code})")
        return self._move(upload, answer, address)

    def _finish(self, upload: _Upload, address: str, content: bytes) -> None:
        """Close an upload; what does not have the blob's digest is sent again from its start."""
        closing = str(httpx.URL(address).copy_set_param("digest", upload.blob.digest))
        answer = self._send(_Request("PUT", closing, (201, 204, 400, 404), _OCTETS, content))
        if answer.status_code >= HTTPStatus.BAD_REQUEST:
            upload.address = None
            raise Interrupted(parse_refusal(answer.status_code, answer.content).reason)

    def _move(self, upload: _Upload, answer: httpx.Response, address: str) -> str:
        upload.address = urljoin(address, answer.headers["Location"])
        return upload.address

    def _patiently(self, operation: Callable[[], _T]) -> _T:
        try:
            return _PATIENT.on(backoff)(operation)
        except Interrupted as error:
            raise Unavailable(
                f"the registry does not do its work: {error}",
                where=self.reference.repository,
                next_step="deliver again when it answers; what it has is not sent twice",
            ) from error

    def _send(self, request: _Request) -> httpx.Response:
        answer = self._exchange(request)
        if answer.status_code == HTTPStatus.UNAUTHORIZED and self._authorize(answer):
            answer = self._exchange(request)
        if answer.status_code in request.ok:
            return answer
        raise self._fault(answer)

    def _exchange(self, request: _Request) -> httpx.Response:
        headers = dict(request.headers)
        if self._authorization and urlsplit(request.address).netloc == self.reference.host:
            headers["Authorization"] = self._authorization
        try:
            return self.http.request(
                request.method, request.address, headers=headers, content=request.content
            )
        except httpx.TransportError as error:
            raise Interrupted(f"{request.method} broke off: {error!r}") from error

    def _fault(self, answer: httpx.Response) -> Exception:
        if is_transient(answer.status_code):
            after = parse_retry_after(answer.headers.get("Retry-After"), utc_now())
            return Interrupted(f"it answers HTTP {answer.status_code}", after)
        return judge_refusal(parse_refusal(answer.status_code, answer.content), self.reference)

    def _authorize(self, answer: httpx.Response) -> bool:
        """Do what the registry's challenge asks for; say whether asking again makes sense."""
        challenge = parse_challenge(answer.headers.get("WWW-Authenticate", ""))
        if challenge.realm:
            self._authorization = f"Bearer {self._token(challenge)}"
            return True
        if self.credentials is None:
            return False
        account = f"{self.credentials.username}:{self.credentials.token}"
        self._authorization = "Basic " + base64.b64encode(account.encode()).decode()
        return True

    def _token(self, challenge: Challenge) -> str:
        realm = urlsplit(challenge.realm)
        if realm.scheme != "https" and not is_loopback(realm.netloc):
            raise ConfigError(
                f"the registry wants the credentials sent in the clear to {realm.netloc}",
                where=self.reference.repository,
                next_step="let it name an https:// address for tokens",
            )
        scope = f"repository:{self.reference.name}:pull,push"
        account = self.credentials and (self.credentials.username, self.credentials.token)
        try:
            answer = self.http.get(
                challenge.realm,
                params={"service": challenge.service, "scope": scope},
                auth=account or None,
            )
        except httpx.TransportError as error:
            raise Interrupted(f"no token: {error!r}") from error
        if answer.status_code != HTTPStatus.OK:
            raise self._fault(answer)
        content = answer.json()
        return str(content.get("token") or content.get("access_token"))
