import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from kubernetes import client

from tasks.core.cluster_api import KubernetesCluster
from tasks.core.errors import ConfigError, SlipwayError, Unavailable
from tasks.core.objects import Object

KINDS = {"resources": [{"name": "configmaps", "kind": "ConfigMap", "namespaced": True}]}
THING: Object = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "one", "namespace": "shop"},
    "data": ["no map"],
}


@contextmanager
def api_server(**answers: int) -> Iterator[KubernetesCluster]:
    """Answer each method with a status; GET is the discovery of kinds."""

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status = answers.get(self.command, 200)
            said = KINDS if self.command == "GET" else {"message": f"{self.command} {status}"}
            body = json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_PATCH = do_POST = _answer  # noqa: N815 the library's names

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
