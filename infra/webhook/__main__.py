"""The receiver's process; `slipway up` starts it."""

import logging
import socket

import uvicorn

from infra import server
from infra.webhook.answers import AnswerDesk
from infra.webhook.app import Receiver, make_app
from infra.webhook.courier import Courier
from infra.webhook.keys import Keys, ensure_token
from infra.webhook.metrics import Metrics
from infra.webhook.model import Start
from infra.webhook.settings import Settings, settings
from infra.webhook.slack_door import SlackDoor
from infra.webhook.store import Store
from tasks.approval.key import key_file

__all__ = ["configured", "main"]

MOST_CONNECTIONS = 1_000
BACKLOG = 2_048
STOP_WITHIN_SECONDS = 5


def main() -> None:
    """Receive until a signal comes."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)  # a line a request
    where = settings()
    store, metrics = Store(where.store), Metrics()
    ensure_token(key_file())
    receiver = Receiver(
        store=store,
        keys=Keys(where.secrets),
        token=ensure_token(where.alertmanager_token),
        courier=Courier(store, start_flow, metrics, AnswerDesk().answer),
        slack=SlackDoor(),
        metrics=metrics,
    )
    uvicorn.Server(configured(receiver)).run(sockets=_sockets(where))
    store.close()


def configured(receiver: Receiver) -> uvicorn.Config:
    """Return how a receiver is served."""
    return uvicorn.Config(
        make_app(receiver),
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=MOST_CONNECTIONS,
        timeout_graceful_shutdown=STOP_WITHIN_SECONDS,
    )


def start_flow(start: Start, key: str) -> str:
    """Create a flow run, once for each key.

    Raises:
        ConfigError: Prefect refuses it.
        Unavailable: Prefect does not answer.
    """
    return str(server.start(start.deployment, start.parameters, start.run_name, key))


def _sockets(where: Settings) -> list[socket.socket]:
    return [_listening("127.0.0.1", where.port), _listening(where.lab_address, where.port)]


def _listening(address: str, port: int) -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    # the lab's link may come and go while the receiver runs
    made.setsockopt(socket.IPPROTO_IP, _IP_FREEBIND, 1)
    made.bind((address, port))
    made.listen(BACKLOG)
    return made


_IP_FREEBIND = 15
"""linux/in.h; Python has no name for it."""


if __name__ == "__main__":
    main()
