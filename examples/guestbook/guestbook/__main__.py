"""Serve until SIGTERM, then finish what was begun."""

import os
import signal
import threading
from pathlib import Path

from guestbook.faults import Faults
from guestbook.server import Guestbook, Server


def main() -> None:
    """Serve on PORT with the words of the environment."""
    words = {
        "greeting": os.environ.get("GREETING", "Guestbook"),
        "environment": os.environ.get("ENVIRONMENT", "nowhere"),
        "version": os.environ.get("VERSION", "0"),
    }
    file = os.environ.get("FAULTS_FILE")
    faults = Faults(float(os.environ.get("FAULTS", "0")), Path(file) if file else None)
    guestbook = Guestbook(words, faults=faults)
    server = Server(("", int(os.environ.get("PORT", "8000"))), guestbook)
    for number in (signal.SIGTERM, signal.SIGINT):
        # shutdown() waits for the loop that this very thread is in, so another thread asks for it.
        signal.signal(number, lambda *_: threading.Thread(target=server.shutdown).start())
    with server:
        server.serve_forever(poll_interval=0.1)


if __name__ == "__main__":
    main()
