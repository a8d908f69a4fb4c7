import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from kubernetes import client

from tasks.core.cluster_api import KubernetesCluster
from tasks.core.errors import ConfigError, SlipwayError, Unavailable
from tasks.core.objects import Object, ref_of

KINDS = {"resources": [{"name": "configmaps", "kind": "ConfigMap", "namespaced": True}]}
THING: Object = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "one", "namespace": "shop"},
    "data": ["no map"],
}


@contextmanager
def api_server(
    *, lost: str = "", seen: list[str] | None = None, **answers: int
) -> Iterator[KubernetesCluster]:
    """Answer each method with a status; GET is the discovery of kinds.

    The first answer to the method that is lost breaks off after the request was read.
    """
    heard = [] if seen is None else seen

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            heard.append(self.command)
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if self.command == lost and heard.count(lost) == 1:
                self.close_connection = True
                return
            status = answers.get(self.command, 200)
            said = KINDS if self.command == "GET" else {"message": f"{self.command} {status}"}
            body = json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_PATCH = do_POST = do_PUT = do_DELETE = _answer  # noqa: N815 the library's names

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 its own name
            del format, args

    serving = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=serving.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    settings = client.Configuration(host=f"http://127.0.0.1:{serving.server_address[1]}")
    try:
        with client.ApiClient(settings) as api:
            yield KubernetesCluster(api, "here")
            api.rest_client.pool_manager.clear()
    finally:
        serving.shutdown()
        thread.join()
        serving.server_close()


@pytest.mark.parametrize(
    ("strict_status", "error", "words"),
    [
        pytest.param(400, ConfigError, "POST 400", id="wrong: say so, never try again"),
        pytest.param(409, Unavailable, "PATCH 500", id="well formed: the server is ill"),
        pytest.param(500, Unavailable, "PATCH 500", id="no answer to that either"),
    ],
)
def test_an_apply_answered_with_500_is_looked_at_twice(
    strict_status: int, error: type[SlipwayError], words: str
) -> None:
    cluster_of = api_server(PATCH=500, POST=strict_status)
    with cluster_of as cluster, pytest.raises(error, match=words):
        cluster.apply(THING)


def test_a_read_whose_answer_was_lost_is_read_again() -> None:
    seen: list[str] = []
    with api_server(lost="GET", seen=seen) as cluster:
        cluster.delete(ref_of(THING))
    assert seen == ["GET", "GET", "DELETE"]


WRITES: list[tuple[str, Callable[[KubernetesCluster], object]]] = [
    ("PATCH", lambda cluster: cluster.apply(THING)),
    ("POST", lambda cluster: cluster.create(THING)),
    ("PUT", lambda cluster: cluster.replace(THING)),
    ("DELETE", lambda cluster: cluster.delete(ref_of(THING))),
]


@pytest.mark.parametrize(("method", "write"), WRITES, ids=[method for method, _ in WRITES])
def test_a_write_whose_answer_was_lost_may_have_been_done_and_is_not_sent_again(
    method: str, write: Callable[[KubernetesCluster], object]
) -> None:
    seen: list[str] = []
    cluster_of = api_server(lost=method, seen=seen)
    with cluster_of as cluster, pytest.raises(Unavailable, match="does not answer"):
        write(cluster)
    assert seen == ["GET", method]
