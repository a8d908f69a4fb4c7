"""The receiver's process; `slipway up` starts it."""

import logging
import socket

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


def main() -> None:
    """Receive until a signal comes."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)  # a line a request
    where = settings()
    store, metrics = Store(where.store), Metrics()
    ensure_token(key_file())
    courier = Courier(store, start_flow, metrics, AnswerDesk().answer)
    lookout = Lookout(store, metrics, courier.wake)
    receiver = Receiver(
        store=store,
        keys=Keys(where.secrets),
        token=ensure_token(where.alertmanager_token),
        courier=courier,
        slack=SlackDoor(),
        metrics=metrics,
    )
    lookout.begin()
    Server(configured(receiver), chosen(where.tls)).run(sockets=_sockets(where))
    lookout.end()
    store.close()


def start_flow(start: Start, key: str) -> str:
    """Create a flow run, once for each key.

    Raises:
        ConfigError: Prefect refuses it.
        Unavailable: Prefect does not answer.
    """
    return str(server.start(start.deployment, start.parameters, start.run_name, key))


def _sockets(where: Settings) -> list[socket.socket]:
    return [listening("127.0.0.1", where.port), listening(where.lab_address, where.port)]


if __name__ == "__main__":
    main()
