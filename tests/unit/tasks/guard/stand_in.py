"""PagerDuty as it is over HTTP, played by a server of the test's own."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

__all__ = ["StandIn", "paging_goes_to", "standing_in"]


@dataclass
class StandIn:
    """Answers with what is written down, the last answer again and again; keeps what it heard."""

    answers: list[tuple[int, Any]]
    heard: list[Any] = field(default_factory=list)
    url: str = ""


@contextmanager
def standing_in() -> Iterator[StandIn]:
    """Listen for as long as a block runs."""
    told = StandIn([(202, {"status": "success"})])

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers["content-length"])
            told.heard.append(json.loads(self.rfile.read(length)))
            status, content = told.answers.pop(0) if len(told.answers) > 1 else told.answers[0]
            self.send_response(status)
            self.end_headers()
            self.wfile.write(json.dumps(content).encode())

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        told.url = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}).start()
        yield told
        server.shutdown()


def paging_goes_to(told: StandIn, state: Path) -> None:
    """Set PagerDuty up in a state folder."""
    key = state / "default" / "pagerduty-key"
    key.parent.mkdir(parents=True, exist_ok=True)
    key.touch(mode=0o600)
    key.write_text(f"key\n{told.url}\n")
