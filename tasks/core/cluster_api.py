"""The adapter to a real Kubernetes API server."""

import contextlib
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
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
    conflicts,
    document,
)
from tasks.core.cluster_server import CONNECT_TIMEOUT, ApiServer, closing
from tasks.core.cluster_streams import PodTunnel, open_stream, run_command
from tasks.core.cluster_watch import follow
from tasks.core.errors import ConfigError, Unavailable
from tasks.core.objects import Kind, Object, Ref, Resource, ref_of
from tasks.core.target import Target

__all__ = ["KubernetesCluster", "connect"]

LOG_BYTES = 100_000


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


@dataclass(slots=True)
class KubernetesCluster:
    """A cluster as its API server shows it."""

    api: client.ApiClient
    context: str
    clock: Clock = field(default_factory=SystemClock)
    _server: ApiServer = field(init=False)

    def __post_init__(self) -> None:
        self._server = ApiServer(self.api, self.context)

    def resource(self, kind: Kind) -> Resource:
        """Return how the cluster calls a kind.

        Raises:
            ConfigError: it knows no such kind.
        """
        return self._server.resource(kind)

    def read(self, ref: Ref) -> Object | None:
        """Return an object, None where there is none."""
        status, body = self._server.ask("GET", self._server.path(ref))
        return None if status == NOT_FOUND else self._server.checked(status, body, str(ref))

    def find(self, scope: Scope) -> tuple[Object, ...]:
        """Return every object of a scope, sorted by kind and name."""
        found = [thing for kind in scope.kinds for thing in self.page(kind, scope)[0]]
        return tuple(sorted(found, key=ref_of))

    def page(self, kind: Kind, scope: Scope) -> tuple[list[Object], str]:
        """Return the objects of one kind and the version of that list, to watch from."""
        path = self._server.collection(kind, scope.namespace) + _selectors(scope)
        listed = self._server.checked(*self._server.ask("GET", path), kind.name)
        names = {"apiVersion": kind.api_version, "kind": kind.name}
        objects = [{**names, **item} for item in listed.get("items") or ()]
        return objects, listed["metadata"]["resourceVersion"]

    def apply(self, thing: Object, options: ApplyOptions = WRITE) -> Applied:
        """Apply an object server-side; a conflict is an answer, not an error."""
        query = {"fieldManager": options.manager, "force": str(options.force).lower()}
        if options.dry_run:
            query["dryRun"] = "All"
        ref = ref_of(thing)
        path = f"{self._server.path(ref)}?{urlencode(query)}"
        status, body = self._server.ask("PATCH", path, thing, "application/apply-patch+yaml")
        if status == CONFLICT and body.get("details", {}).get("causes"):
            return Applied(None, tuple(conflicts(body["details"]["causes"])))
        if status >= SERVER_FAULT:
            self._refuse_malformed(thing)
        return Applied(self._server.checked(status, body, str(ref)))

    def _refuse_malformed(self, thing: Object) -> None:
        """Tell a wrong manifest from a sick server: server-side apply answers 500 to both.

        The same object as a strict dry run is a bad request, https://kep.k8s.io/2885.
        """
        ref = ref_of(thing)
        place = self._server.collection(ref.kind, ref.namespace)
        path = f"{place}?dryRun=All&fieldValidation=Strict"
        status, body = self._server.ask("POST", path, thing)
        if status == BAD_REQUEST:
            self._server.checked(status, body, str(ref))

    def create(self, thing: Object) -> Object:
        """Make an object."""
        ref = ref_of(thing)
        path = self._server.collection(ref.kind, ref.namespace) + "?fieldManager=slipway"
        return self._server.checked(*self._server.ask("POST", path, thing), str(ref))

    def replace(self, thing: Object) -> Object:
        """Write an object over the version that it was read in."""
        ref = ref_of(thing)
        path = f"{self._server.path(ref)}?fieldManager=slipway"
        status, body = self._server.ask("PUT", path, thing)
        return self._server.checked(CONFLICT if status == NOT_FOUND else status, body, str(ref))

    def delete(self, ref: Ref) -> None:
        """Delete an object and what it owns; nothing happens where there is none."""
        options = {"propagationPolicy": "Background"}
        status, body = self._server.ask("DELETE", self._server.path(ref), options)
        if status != NOT_FOUND:
            self._server.checked(status, body, str(ref))

    def watch(self, scope: Scope, until: datetime) -> Iterator[tuple[Object, ...]]:
        """Yield the objects of a scope at once and after each change, until an instant."""
        return follow(self, scope, until, self.clock)

    def stream(self, kind: Kind, scope: Scope, version: str, seconds: int) -> BaseHTTPResponse:
        """Open the changes of one kind since a version, one JSON document a line."""
        query = {"watch": "1", "resourceVersion": version, "timeoutSeconds": str(seconds)}
        path = self._server.collection(kind, scope.namespace) + _selectors(scope, query)
        timeout = urllib3.Timeout(connect=CONNECT_TIMEOUT.total_seconds(), read=seconds + 10)
        response = self._server.open("GET", path, timeout=timeout)
        if response.status >= HTTP_ERROR:
            with closing(response):
                self._server.checked(response.status, document(response.data), kind.name)
        return response

    def logs(self, pod: Ref, container: str, lines: int) -> tuple[str, ...]:
        """Return the last lines of a container, of its previous run where it has crashed."""
        for previous in ("true", "false"):
            options = {"container": container, "tailLines": lines, "limitBytes": LOG_BYTES}
            query = urlencode({**options, "previous": previous})
            response = self._server.open("GET", f"{self._server.path(pod)}/log?{query}")
            with closing(response):
                text = response.data.decode(errors="replace")
            if response.status < HTTP_ERROR:
                return tuple(text.splitlines())
        return ()

    def request(
        self, subject: Ref, port: int | str, path: str, within: timedelta, scheme: str = "http"
    ) -> Answer:
        """GET a path of a pod or a Service; redirects are not followed, certificates not read."""
        place, _, query = path.partition("?")
        collection = self._server.collection(subject.kind, subject.namespace)
        name = f"{'https:' if scheme == 'https' else ''}{subject.name}:{port}"
        url = f"{collection}/{name}/proxy{quote(place)}"
        seconds = within.total_seconds()
        started = time.monotonic()
        try:
            response = self._server.open("GET", f"{url}?{query}", timeout=urllib3.Timeout(seconds))
            with closing(response):
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
        return run_command(self.api, f"{self._server.path(pod)}/exec?{asked}", within)

    def open_tunnel(self, pod: Ref, port: int, within: timedelta) -> Tunnel:
        """Connect to a port of a pod; whether the pod accepts shows in what is received."""
        path = f"{self._server.path(pod)}/portforward?ports={port}"
        return PodTunnel(open_stream(self.api, path, within))


def _selectors(scope: Scope, more: Mapping[str, str] | None = None) -> str:
    query = dict(more or {})
    if scope.labels:
        query["labelSelector"] = scope.labels
    if scope.name:
        query["fieldSelector"] = f"metadata.name={scope.name}"
    return f"?{urlencode(query)}" if query else ""
