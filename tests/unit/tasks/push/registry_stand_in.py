"""A registry that speaks the OCI distribution specification over real sockets, with faults.

It holds one repository. A fault is something that the next matching request meets, once.
"""

import base64
import hashlib
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

__all__ = ["Fault", "RegistryStandIn", "running_registry"]

NAME = "team/api"


@dataclass(frozen=True, slots=True)
class Fault:
    """What the next request of a method and path meets instead of an answer.

    Attributes:
        drop_after: bytes of the body that are kept before the connection is closed.
        restarts: whether the registry forgets its open uploads with it.
    """

    method: str
    path: str
    status: int = 0
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    drop_after: int | None = None
    restarts: bool = False


@dataclass(slots=True)
class RegistryStandIn:
    """What the registry has and what it was asked."""

    host: str = ""
    token: str | None = None
    accounts: dict[str, str] = field(default_factory=dict)
    lists_referrers: bool = True
    says_digest: bool = True
    corrupts: bool = False
    blobs: dict[str, bytes] = field(default_factory=dict)
    manifests: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    uploads: dict[str, bytes] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    received_bytes: int = 0
    seen_headers: list[dict[str, str]] = field(default_factory=list)

    @property
    def repository(self) -> str:
        return f"{self.host}/{NAME}"

    def takes(self, method: str, path: str) -> Fault | None:
        """Take the fault that waits for a request."""
        for fault in self.faults:
            if fault.method == method and re.search(fault.path, path):
                self.faults.remove(fault)
                return fault
        return None


@contextmanager
def running_registry() -> Iterator[RegistryStandIn]:
    registry = RegistryStandIn()

    class Handler(_Handler):
        store = registry

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    registry.host = f"127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield registry
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    store: RegistryStandIn
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # an answer in one packet: two would wait for each other

    def log_message(self, *_: object) -> None:
        """Keep the tests' output quiet."""

    def handle_request(self) -> None:
        parts = urlsplit(self.path)
        self.store.requests.append(f"{self.command} {parts.path.removeprefix(f'/v2/{NAME}')}")
        self.store.seen_headers.append(dict(self.headers))
        if fault := self.store.takes(self.command, parts.path):
            self._meet(fault, parts.path)
        elif parts.path == "/token":
            self._hand_out_token()
        elif self._refuses():
            challenge = f'Bearer realm="http://{self.store.host}/token",service="stand-in"'
            self._answer(401, {"WWW-Authenticate": challenge})
        else:
            self._route(parts.path, parse_qs(parts.query))

    do_HEAD = do_GET = do_POST = do_PATCH = do_PUT = handle_request  # noqa: N815 the server's names

    def _refuses(self) -> bool:
        known = f"Bearer {self.store.token}"
        return self.store.token is not None and self.headers.get("Authorization") != known

    def _hand_out_token(self) -> None:

        user, _, password = (
            base64.b64decode(self.headers.get("Authorization", "Basic ")[6:])
            .decode()
            .partition(":")
        )
        self._body()
        if self.store.accounts.get(user) == password:
            self._answer(200, {}, f'{{"token": "{self.store.token}"}}'.encode())
        else:
            self._answer(401, {})

    def _route(self, path: str, query: dict[str, list[str]]) -> None:
        rest = path.removeprefix(f"/v2/{NAME}/")
        routes: tuple[tuple[str, Callable[..., None]], ...] = (
            (r"blobs/uploads/", self._start),
            (r"blobs/uploads/(?P<upload>.+)", self._upload),
            (r"blobs/(?P<digest>sha256:\w+)", self._blob),
            (r"manifests/(?P<name>.+)", self._manifest),
        )
        for pattern, handler in routes:
            if match := re.fullmatch(pattern, rest):
                handler(query, **match.groupdict())
                return
        self._answer(404, {})

    def _start(self, _: dict[str, list[str]]) -> None:
        self._body()
        upload = f"u{len(self.store.requests)}"
        self.store.uploads[upload] = b""
        self._answer(202, {"Location": f"/v2/{NAME}/blobs/uploads/{upload}?state=0"})

    def _upload(self, query: dict[str, list[str]], upload: str) -> None:
        if upload not in self.store.uploads:
            self._body()
            self._answer(404, {}, b'{"errors": [{"code": "BLOB_UPLOAD_UNKNOWN"}]}')
            return
        had = len(self.store.uploads[upload])
        content_range = self.headers.get("Content-Range")
        content = self._body()
        if content_range and int(content_range.partition("-")[0]) != had:
            self._answer(416, {})
            return
        self.store.uploads[upload] += content
        if self.command == "PUT":
            self._close(query["digest"][0], upload)
            return
        end = max(0, len(self.store.uploads[upload]) - 1)
        place = f"/v2/{NAME}/blobs/uploads/{upload}?state={end}"
        status = 202 if self.command == "PATCH" else 204
        self._answer(status, {"Location": place, "Range": f"0-{end}"})

    def _close(self, digest: str, upload: str) -> None:
        content = self.store.uploads.pop(upload)
        if f"sha256:{hashlib.sha256(content).hexdigest()}" != digest:
            self._answer(400, {}, b'{"errors": [{"code": "DIGEST_INVALID"}]}')
            return
        self.store.blobs[digest] = content
        self._answer(201, {})

    def _blob(self, _: dict[str, list[str]], digest: str) -> None:
        self._answer(200 if digest in self.store.blobs else 404, {})

    def _manifest(self, _: dict[str, list[str]], name: str) -> None:
        if self.command == "PUT":
            content = self._body() + (b" " if self.store.corrupts else b"")
            self.store.manifests[name] = (self.headers["Content-Type"], content)
            subject = b'"subject"' in content and self.store.lists_referrers
            self._answer(201, {"OCI-Subject": "yes"} if subject else {})
            return
        if name not in self.store.manifests:
            self._answer(404, {})
            return
        kind, content = self.store.manifests[name]
        digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
        said = {"Docker-Content-Digest": digest} if self.store.says_digest else {}
        self._answer(200, {"Content-Type": kind, **said}, content)

    def _meet(self, fault: Fault, path: str) -> None:
        if fault.restarts:
            self.store.uploads.clear()
        if fault.drop_after is None:
            self._body()
            self._answer(fault.status, dict(fault.headers), fault.body)
            return
        part = self.rfile.read(fault.drop_after)
        self.store.received_bytes += len(part)
        upload = path.rpartition("/")[2]
        if upload in self.store.uploads:
            self.store.uploads[upload] += part
        self.close_connection = True

    def _body(self) -> bytes:
        content = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        self.store.received_bytes += len(content)
        return content

    def _answer(self, status: int, headers: dict[str, str], body: bytes = b"") -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD" and status != 204:
            self.wfile.write(body)
