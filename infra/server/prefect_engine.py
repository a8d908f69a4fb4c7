"""The warm process: it has imported Prefect and the flows, and a fork of it is a run's engine.

Importing takes seconds, a fork takes milliseconds. It has one thread and no connection of its
own, because a fork inherits neither. Where sources have changed since they were imported it
begins anew before it serves: no run meets code of yesterday.
"""

import contextlib
import gc
import importlib
import json
import logging
import os
import runpy
import select
import signal
import socket
import sys
import sysconfig
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

__all__ = ["HOUSE", "MODULE", "ROOM", "ROOM_VALUE", "RUN_VARIABLE", "Order", "fingerprint", "main"]

log = logging.getLogger(__name__)

RUN_VARIABLE = "PREFECT__FLOW_RUN_ID"
"""By this variable a run's processes are recognised."""
ROOM = "SLIPWAY_ROOM"
ROOM_VALUE = "-" * (len(RUN_VARIABLE) + len(str(UUID(int=0))) - len(ROOM))
"""A variable that takes as much memory as the one that names a run."""

MODULE = "infra.server.prefect_engine"
ENGINE = "prefect.engine"
HEAVY = ("prefect.flow_engine", "prefect.task_engine", "deployments.catalogue")
"""What a run imports."""
HOUSE = Path(__file__).resolve().parents[2]
PACKAGES = ("deployments", "flows", "infra", "tasks")
ENVIRONMENT_BEGINS = 47
"""Number, behind the name, of the field of /proc/PID/stat that says where the variables stand."""


@dataclass(frozen=True, slots=True)
class Order:
    """What the engine of a run is to have.

    Attributes:
        variables: its whole environment.
        folder: its working folder.
    """

    variables: dict[str, str]
    folder: str


def main() -> None:
    """Fork an engine for each connection that comes over a socket, until that closes.

    The command's words are the socket's number and the folder of the sources.
    """
    orders, house = socket.socket(fileno=int(sys.argv[1])), Path(sys.argv[2])
    imported = fingerprint(_sources(house))
    _import_all(HEAVY)
    gc.freeze()  # a collection in a fork would copy every page
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        select.select([orders], [], [])
        if fingerprint(_sources(house)) != imported:  # the order waits in the socket meanwhile
            log.warning("sources have changed, importing them anew")
            os.execv(sys.executable, [sys.executable, "-m", MODULE, *sys.argv[1:]])  # noqa: S606
        _, handles, _, _ = socket.recv_fds(orders, 1, 1)
        if not handles:
            return
        if os.fork() == 0:
            orders.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            _serve(handles[0])
            return  # the interpreter ends as any other does: logs are sent, threads are joined
        os.close(handles[0])


def fingerprint(files: Iterable[Path]) -> int:
    """Return a number that changes when one of the files does."""
    stats = []
    for file in files:
        with contextlib.suppress(FileNotFoundError):
            found = file.stat()
            stats.append((str(file), found.st_mtime_ns, found.st_size))
    return hash(tuple(sorted(stats)))


def _show_run(run_id: str) -> None:
    """Put a run's id where others read this process's environment.

    /proc/PID/environ shows the memory that a process was started with, and what it sets later
    stands elsewhere. So the process is started with a variable of the same length as the one
    that is wanted, and the memory of the one is overwritten with the other.
    """
    begins = int(Path("/proc/self/stat").read_text().rpartition(")")[2].split()[ENVIRONMENT_BEGINS])
    offset = Path("/proc/self/environ").read_bytes().find(f"{ROOM}={ROOM_VALUE}".encode())
    if offset >= 0:
        with Path("/proc/self/mem").open("r+b", buffering=0) as memory:
            memory.seek(begins + offset)
            memory.write(f"{RUN_VARIABLE}={run_id}".encode())


def _sources(house: Path) -> Iterable[Path]:
    """Return our own code, and the folder whose time changes with each package installed."""
    yield Path(sysconfig.get_path("purelib"))
    for package in PACKAGES:
        yield from (house / package).rglob("*.py")


def _import_all(modules: Iterable[str]) -> None:
    for module in modules:
        try:
            importlib.import_module(module)
        except Exception:
            # the run's engine imports it again and tells the run
            log.exception("importing %s failed", module)


def _serve(connection: int) -> None:
    """Become the engine that was ordered; say the process's number first and its status last.

    The connection stays open for as long as the process lives.
    """
    os.set_inheritable(connection, False)  # noqa: FBT003 the standard library's signature
    with open(connection, closefd=False) as lines:
        order = Order(**json.loads(lines.readline()))
    os.environ.clear()
    os.environ.update(order.variables)
    os.chdir(order.folder)
    _show_run(order.variables[RUN_VARIABLE])
    os.write(connection, f"{os.getpid()}\n".encode())
    sys.argv = [ENGINE]
    sys.modules.pop(ENGINE, None)  # run_module warns of a module that is there already
    status = 1
    try:
        runpy.run_module(ENGINE, run_name="__main__")
        status = 0
    except SystemExit as ended:
        status = int(ended.code or 0)
        raise
    finally:
        with contextlib.suppress(BrokenPipeError):  # the worker has gone
            os.write(connection, f"{status}\n".encode())


if __name__ == "__main__":
    main()
