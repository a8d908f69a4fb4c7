"""The receiver's process; `slipway up` starts it."""

import gc
import logging
import socket
import sys

import httpx

from infra import server
from infra.webhook.answers import AnswerDesk
from infra.webhook.app import Receiver
from infra.webhook.courier import Courier
from infra.webhook.keys import Keys, ensure_token
from infra.webhook.lookout import Lookout
from infra.webhook.metrics import Metrics
from infra.webhook.model import Start
from infra.webhook.serving import Server, configured, listening
from infra.webhook.settings import Settings, settings
from infra.webhook.slack_door import SlackDoor
from infra.webhook.store import Store
from infra.webhook.tls import chosen
from tasks.approval.key import key_file

__all__ = ["main"]

SWITCH_SECONDS = 0.0002


def main() -> None:
    """Receive until a signal comes."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)  # a line a request
    where = settings()
    store, metrics = Store(where.store), Metrics()
    ensure_token(key_file())
    launcher = server.Launcher()

    def launch(start: Start, key: str) -> str:
        words = (start.deployment, start.parameters, start.run_name, key)
        return str(server.start(*words, over=launcher))

    courier = Courier(store, launch, metrics, AnswerDesk().answer)
    lookout = Lookout(store, metrics, courier.wake)
    receiver = Receiver(
        store=store,
        keys=Keys(where.secrets),
        token=ensure_token(where.alertmanager_token),
        courier=courier,
        slack=SlackDoor(),
        metrics=metrics,
    )
    _answer_first()
    lookout.begin()
    Server(configured(receiver), chosen(where.tls)).run(sockets=_sockets(where))
    lookout.end()
    store.close()


def _answer_first() -> None:
    """Let requests wait less for the threads beside them, and for the collector of garbage.

    A thread that computes gives way after a fifth of a millisecond instead of five. What was
    imported stays for good and need not be looked through again; what httpx imports with its first
    client is imported now.
    """
    httpx.Client(trust_env=False).close()
    sys.setswitchinterval(SWITCH_SECONDS)
    gc.collect()
    gc.freeze()


def _sockets(where: Settings) -> list[socket.socket]:
    return [listening("127.0.0.1", where.port), listening(where.lab_address, where.port)]


if __name__ == "__main__":
    main()
