"""The adapter to a real Kubernetes API server."""

import contextlib
import json
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode

import urllib3
import yaml
from kubernetes import client, config
from kubernetes.config.config_exception import ConfigException
from urllib3 import BaseHTTPResponse

from tasks.core.clock import Clock, SystemClock
from tasks.core.cluster import WRITE, Answer, Applied, ApplyOptions, Scope, Tunnel
from tasks.core.cluster_answers import (
    BAD_REQUEST,
    CONFLICT,
    HTTP_ERROR,
    NOT_FOUND,
    SERVER_FAULT,
    answer,
    checked,
    conflicts,
    document,
)
from tasks.core.cluster_streams import PodTunnel, open_stream, run_command
from tasks.core.cluster_watch import follow
from tasks.core.errors import ConfigError, Unavailable
from tasks.core.objects import Kind, Object, Ref, ref_of
from tasks.core.target import Target

__all__ = ["KubernetesCluster", "connect"]

REQUEST_TIMEOUT = timedelta(seconds=30)
LOG_BYTES = 100_000
CONNECT_TIMEOUT = timedelta(seconds=5)
_RETRIES = urllib3.Retry(
    connect=2, read=2, redirect=False, status=False, allowed_methods=frozenset({"GET"})
)
"""What was not sent is sent again, and what was only read is read again.

A write whose answer was lost may have been done: sent again, a replace would be a conflict with
itself, and look like another run's. It is Unavailable, and whoever asked for it looks again.
"""


@contextlib.contextmanager
def connect(target: Target) -> Iterator["KubernetesCluster"]:
    """Open the named context of the named kubeconfig, and close it afterwards.

    Raises:
        ConfigError: the file or the context does not exist.
    """
    try:
        api = config.new_client_from_config(  # type: ignore[no-untyped-call]
            config_file=target.kubeconfig, context=target.context, persist_config=False
        )
    except (ConfigException, OSError, ValueError, yaml.YAMLError) as error:
        raise ConfigError(
            f"kube context {target.context!r} cannot be used: {' '.join(str(error).split())}",
            where=target.kubeconfig,
            next_step="name a context that the kubeconfig has (--context)",
        ) from error
    with api:
        yield KubernetesCluster(api, target.context)


@dataclass(frozen=True, slots=True)
class _Resource:
    path: str
    namespaced: bool


@dataclass(slots=True)
class KubernetesCluster:
    """Speaks to the API server in JSON; every request has a timeout and every error a class."""

    api: client.ApiClient
    context: str
    clock: Clock = field(default_factory=SystemClock)
    _resources: dict[Kind, _Resource] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def read(self, ref: Ref) -> Object | None:
        """Return an object, None where there is none."""
        status, body = self._json("GET", self._path(ref))
        return None if status == NOT_FOUND else self._checked(status, body, str(ref))

    def find(self, scope: Scope) -> tuple[Object, ...]:
        """Return every object of a scope, sorted by kind and name."""
        found = [thing for kind in scope.kinds for thing in self.page(kind, scope)[0]]
        return tuple(sorted(found, key=ref_of))

    def page(self, kind: Kind, scope: Scope) -> tuple[list[Object], str]:
        """Return the objects of one kind and the version of that list, to watch from."""
        path = self._collection(kind, scope.namespace) + _selectors(scope)
        listed = self._checked(*self._json("GET", path), kind.name)
        names = {"apiVersion": kind.api_version, "kind": kind.name}
        objects = [{**names, **item} for item in listed.get("items") or ()]
        return objects, listed["metadata"]["resourceVersion"]

    def apply(self, thing: Object, options: ApplyOptions = WRITE) -> Applied:
        """Apply an object server-side; a conflict is an answer, not an error."""
        query = {"fieldManager": options.manager, "force": str(options.force).lower()}
        if options.dry_run:
            query["dryRun"] = "All"
        ref = ref_of(thing)
        path = f"{self._path(ref)}?{urlencode(query)}"
        status, body = self._json("PATCH", path, thing, "application/apply-patch+yaml")
        if status == CONFLICT and body.get("details", {}).get("causes"):
            return Applied(None, tuple(conflicts(body["details"]["causes"])))
        if status >= SERVER_FAULT:
            self._refuse_malformed(thing)
        return Applied(self._checked(status, body, str(ref)))

    def _refuse_malformed(self, thing: Object) -> None:
        """Tell a wrong manifest from a sick server: server-side apply answers 500 to both.

        The same object as a strict dry run is a bad request, https://kep.k8s.io/2885.
        """
        ref = ref_of(thing)
        query = "?dryRun=All&fieldValidation=Strict"
        status, body = self._json("POST", self._collection(ref.kind, ref.namespace) + query, thing)
        if status == BAD_REQUEST:
            self._checked(status, body, str(ref))

    def create(self, thing: Object) -> Object:
        """Make an object."""
        ref = ref_of(thing)
        path = self._collection(ref.kind, ref.namespace) + "?fieldManager=slipway"
        return self._checked(*self._json("POST", path, thing), str(ref))

    def replace(self, thing: Object) -> Object:
        """Write an object over the version that it was read in."""
        ref = ref_of(thing)
        status, body = self._json("PUT", self._path(ref) + "?fieldManager=slipway", thing)
        return self._checked(CONFLICT if status == NOT_FOUND else status, body, str(ref))

    def delete(self, ref: Ref) -> None:
        """Delete an object and what it owns; nothing happens where there is none."""
        options = {"propagationPolicy": "Background"}
        status, body = self._json("DELETE", self._path(ref), options)
        if status != NOT_FOUND:
            self._checked(status, body, str(ref))

    def watch(self, scope: Scope, until: datetime) -> Iterator[tuple[Object, ...]]:
        """Yield the objects of a scope at once and after each change, until an instant."""
        return follow(self, scope, until, self.clock)

    def stream(self, kind: Kind, scope: Scope, version: str, seconds: int) -> BaseHTTPResponse:
        """Open the changes of one kind since a version, one JSON document a line."""
        query = {"watch": "1", "resourceVersion": version, "timeoutSeconds": str(seconds)}
        path = self._collection(kind, scope.namespace) + _selectors(scope, query)
        timeout = urllib3.Timeout(connect=CONNECT_TIMEOUT.total_seconds(), read=seconds + 10)
        response = self._open("GET", path, timeout=timeout)
        if response.status >= HTTP_ERROR:
            with _closing(response):
                self._checked(response.status, document(response.data), kind.name)
        return response

    def logs(self, pod: Ref, container: str, lines: int) -> tuple[str, ...]:
        """Return the last lines of a container, of its previous run where it has crashed."""
        for previous in ("true", "false"):
            options = {"container": container, "tailLines": lines, "limitBytes": LOG_BYTES}
            query = urlencode({**options, "previous": previous})
            response = self._open("GET", f"{self._path(pod)}/log?{query}")
            with _closing(response):
                text = response.data.decode(errors="replace")
            if response.status < HTTP_ERROR:
                return tuple(text.splitlines())
        return ()

    def request(
        self, subject: Ref, port: int | str, path: str, within: timedelta, scheme: str = "http"
    ) -> Answer:
        """GET a path of a pod or a Service; redirects are not followed, certificates not read."""
        place, _, query = path.partition("?")
        name = f"{'https:' if scheme == 'https' else ''}{subject.name}:{port}"
        url = f"{self._collection(subject.kind, subject.namespace)}/{name}/proxy{quote(place)}"
        seconds = within.total_seconds()
        started = time.monotonic()
        try:
            response = self._open("GET", f"{url}?{query}", timeout=urllib3.Timeout(seconds))
            with _closing(response):
                text = response.data.decode(errors="replace")
        except Unavailable:
            return Answer(None, f"no answer within {seconds:g} s", time.monotonic() - started)
        return answer(response.status, text, time.monotonic() - started)

    def execute(
        self, pod: Ref, container: str, command: tuple[str, ...], within: timedelta
    ) -> Answer:
        """Run a command in a container; text is what it printed last."""
        query = [("container", container), *(("command", word) for word in command)]
        asked = urlencode([*query, ("stdout", "true"), ("stderr", "true")])
        return run_command(self.api, f"{self._path(pod)}/exec?{asked}", within)

    def open_tunnel(self, pod: Ref, port: int, within: timedelta) -> Tunnel:
        """Connect to a port of a pod; whether the pod accepts shows in what is received."""
        path = f"{self._path(pod)}/portforward?ports={port}"
        return PodTunnel(open_stream(self.api, path, within))

    def _path(self, ref: Ref) -> str:
        return f"{self._collection(ref.kind, ref.namespace)}/{quote(ref.name, safe=':')}"

    def _collection(self, kind: Kind, namespace: str) -> str:
        resource = self._resource(kind)
        root = _root(kind.api_version)
        middle = f"namespaces/{namespace}/" if resource.namespaced and namespace else ""
        return f"{root}/{middle}{resource.path}"

    def _resource(self, kind: Kind) -> _Resource:
        """Ask the cluster once how it calls a kind."""
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

    def _discover(self, api_version: str) -> dict[Kind, _Resource]:
        status, body = self._json("GET", _root(api_version))
        if status == NOT_FOUND:
            return {}
        listed = self._checked(status, body, api_version)["resources"]
        return {
            Kind(api_version, item["kind"]): _Resource(item["name"], item["namespaced"])
            for item in listed
            if "/" not in item["name"]
        }

    def _json(
        self, method: str, path: str, body: Object | None = None, mime: str = "application/json"
    ) -> tuple[int, Object]:
        response = self._open(method, path, body=body, mime=mime)
        with _closing(response):
            return response.status, document(response.data)

    def _open(
        self,
        method: str,
        path: str,
        *,
        body: Object | None = None,
        mime: str = "application/json",
        timeout: urllib3.Timeout | None = None,
    ) -> BaseHTTPResponse:
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

    def _checked(self, status: int, body: Object, what: str) -> Object:
        return checked(status, body, f"{self.context}: {what}")


def _timeout() -> urllib3.Timeout:
    return urllib3.Timeout(
        connect=CONNECT_TIMEOUT.total_seconds(), read=REQUEST_TIMEOUT.total_seconds()
    )


@contextlib.contextmanager
def _closing(response: BaseHTTPResponse) -> Iterator[None]:
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


def _selectors(scope: Scope, more: Mapping[str, str] | None = None) -> str:
    query = dict(more or {})
    if scope.labels:
        query["labelSelector"] = scope.labels
    if scope.name:
        query["fieldSelector"] = f"metadata.name={scope.name}"
    return f"?{urlencode(query)}" if query else ""
