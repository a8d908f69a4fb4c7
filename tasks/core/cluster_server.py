"""Requests to a Kubernetes API server, and the paths that it has for objects."""

import contextlib
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import urllib3
from kubernetes import client
from urllib3 import BaseHTTPResponse

from tasks.core.cluster_answers import NOT_FOUND, checked, document
from tasks.core.errors import ConfigError, Unavailable
from tasks.core.objects import Kind, Object, Ref, Resource

__all__ = ["CONNECT_TIMEOUT", "ApiServer", "closing"]

CONNECT_TIMEOUT = timedelta(seconds=5)
REQUEST_TIMEOUT = timedelta(seconds=30)
_RETRIES = urllib3.Retry(
    connect=2, read=2, redirect=False, status=False, allowed_methods=frozenset({"GET"})
)
"""What was not sent is sent again, and what was only read is read again.

A write whose answer was lost may have been done: sent again, a replace would be a conflict with
itself, and look like another run's. It is Unavailable, and whoever asked for it looks again.
"""


@dataclass(slots=True)
class ApiServer:
    """Speaks JSON; every request has a timeout and every error a class."""

    api: client.ApiClient
    context: str
    _resources: dict[Kind, Resource] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def path(self, ref: Ref) -> str:
        """Return where an object is."""
        return f"{self.collection(ref.kind, ref.namespace)}/{quote(ref.name, safe=':')}"

    def collection(self, kind: Kind, namespace: str) -> str:
        """Return where the objects of a kind are, in one namespace or in all of them."""
        resource = self.resource(kind)
        root = _root(kind.api_version)
        middle = f"namespaces/{namespace}/" if resource.namespaced and namespace else ""
        return f"{root}/{middle}{resource.name}"

    def resource(self, kind: Kind) -> Resource:
        """Ask the cluster once how it calls a kind.

        Raises:
            ConfigError: it knows no such kind.
        """
        with self._lock:
            if kind not in self._resources:
                self._resources.update(self._discover(kind.api_version))
            if kind in self._resources:
                return self._resources[kind]
        raise ConfigError(
            f"the cluster knows no {kind.name} in {kind.api_version}",
            where=self.context,
            next_step="install what defines it, or take the object out of the manifests",
        )

    def _discover(self, api_version: str) -> dict[Kind, Resource]:
        status, body = self.ask("GET", _root(api_version))
        if status == NOT_FOUND:
            return {}
        listed = self.checked(status, body, api_version)["resources"]
        return {
            Kind(api_version, item["kind"]): Resource(item["name"], item["namespaced"])
            for item in listed
            if "/" not in item["name"]
        }

    def ask(
        self, method: str, path: str, body: Object | None = None, mime: str = "application/json"
    ) -> tuple[int, Object]:
        """Send a request and return the answer's status and document."""
        response = self.open(method, path, body=body, mime=mime)
        with closing(response):
            return response.status, document(response.data)

    def open(
        self,
        method: str,
        path: str,
        *,
        body: Object | None = None,
        mime: str = "application/json",
        timeout: urllib3.Timeout | None = None,
    ) -> BaseHTTPResponse:
        """Send a request; whoever has read the answer closes it.

        Raises:
            Unavailable: nobody answers.
        """
        headers: dict[str, Any] = {"Accept": "application/json", "Content-Type": mime}
        self.api.update_params_for_auth(headers, [], ["BearerToken"], path, method, body)
        try:
            response: BaseHTTPResponse = self.api.rest_client.pool_manager.request(
                method,
                self.api.configuration.host + path,
                body=None if body is None else json.dumps(body),
                headers=headers,
                timeout=timeout or _timeout(),
                preload_content=False,
                redirect=False,
                retries=_RETRIES if timeout is None else False,
            )
        except urllib3.exceptions.HTTPError as error:
            raise Unavailable(
                f"the cluster does not answer: {error}",
                where=self.context,
                next_step="check that the cluster runs and that this machine reaches it",
            ) from error
        return response

    def checked(self, status: int, body: Object, what: str) -> Object:
        """Return an answer's document, or raise what its status stands for."""
        return checked(status, body, f"{self.context}: {what}")


def _timeout() -> urllib3.Timeout:
    return urllib3.Timeout(
        connect=CONNECT_TIMEOUT.total_seconds(), read=REQUEST_TIMEOUT.total_seconds()
    )


@contextlib.contextmanager
def closing(response: BaseHTTPResponse) -> Iterator[None]:
    """Give the connection back to the pool, or close it where the body was not read."""
    try:
        yield
    except urllib3.exceptions.HTTPError as error:
        response.close()
        raise Unavailable(f"the cluster's answer broke off: {error}") from error
    except BaseException:
        response.close()
        raise
    response.release_conn()


def _root(api_version: str) -> str:
    return f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}"
