"""The warm process: real forks, which end before they would ask Prefect's server anything."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from uuid import UUID, uuid4

import psutil
import pytest
from prefect.settings import PREFECT_LOGGING_LEVEL, temporary_settings

from infra.server.prefect_engine import RUN_VARIABLE, Order, fingerprint
from infra.server.warm import Engine, WarmProcess
from infra.server.worker import run_processes

RUN = str(UUID(int=7))
SILENT_SERVER = "http://10.255.255.1:9/api"
"""Nobody answers there, so that an engine stays until it is ended."""


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("warm") / "worker.log"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of sources that the tests may edit."""
    folder = tmp_path_factory.mktemp("house")
    (folder / "flows").mkdir()
    return folder


@pytest.fixture(scope="module")
def warm(log: Path, house: Path) -> Iterator[WarmProcess]:
    with temporary_settings({PREFECT_LOGGING_LEVEL: "ERROR"}):  # silent where others have a server
        process = WarmProcess(log, house)
    yield process
    process.end()


def forked(warm: WarmProcess, act: Callable[[Engine], Awaitable[None]], **variables: str) -> Engine:
    """Fork an engine, do something with it and wait for its end."""

    async def session() -> Engine:
        environment = {**os.environ, RUN_VARIABLE: RUN, **variables}
        engine = await warm.fork(Order(environment, "/"))
        await act(engine)
        await engine.wait()
        return engine

    return asyncio.run(asyncio.wait_for(session(), timeout=60))


async def nothing(engine: Engine) -> None:
    del engine


async def killing(engine: Engine) -> None:
    os.kill(engine.pid, signal.SIGKILL)


def test_the_status_of_an_engine_comes_back(warm: WarmProcess, log: Path) -> None:
    engine = forked(warm, nothing, **{RUN_VARIABLE: "no run's id"})
    assert engine.returncode == 1
    assert "Invalid flow run id" in log.read_text()


def test_a_killed_engine_was_killed(warm: WarmProcess) -> None:
    engine = forked(warm, killing, PREFECT_API_URL=SILENT_SERVER)
    assert engine.returncode == -signal.SIGKILL


def test_an_engine_is_found_by_its_run_and_the_warm_process_is_not(warm: WarmProcess) -> None:
    found: list[psutil.Process] = []
    run_id = str(uuid4())

    async def look(engine: Engine) -> None:
        found.extend(run_processes()[run_id])
        await killing(engine)

    engine = forked(warm, look, **{RUN_VARIABLE: run_id}, PREFECT_API_URL=SILENT_SERVER)
    assert [process.pid for process in found] == [engine.pid]


def test_the_warm_process_has_nothing_that_a_fork_would_lose(warm: WarmProcess) -> None:
    forked(warm, killing, PREFECT_API_URL=SILENT_SERVER)  # it has imported everything by now
    process = psutil.Process(warm.pid)
    assert process.num_threads() == 1
    assert process.net_connections("inet") == []


def test_a_warm_process_that_died_is_started_again(warm: WarmProcess) -> None:
    before = psutil.Process(warm.pid)
    before.kill()
    before.wait(10)
    engine = forked(warm, killing, PREFECT_API_URL=SILENT_SERVER)
    assert engine.returncode == -signal.SIGKILL
    assert warm.pid != before.pid


def test_an_edited_flow_is_imported_anew(warm: WarmProcess, log: Path, house: Path) -> None:
    (house / "flows/deliver.py").write_text("edited = True\n")
    engine = forked(warm, killing, PREFECT_API_URL=SILENT_SERVER)
    assert engine.returncode == -signal.SIGKILL
    assert log.read_text().count("sources have changed") == 1


def test_files_have_another_fingerprint_after_every_change(tmp_path: Path) -> None:
    file, gone = tmp_path / "flow.py", tmp_path / "gone.py"
    file.write_text("a = 1\n")
    seen = [fingerprint([file]), fingerprint([file, gone])]
    assert seen[0] == seen[1], "a file that is not there counts for nothing"
    gone.write_text("")
    seen.append(fingerprint([file, gone]))
    file.write_text("a = 22\n")
    seen.append(fingerprint([file, gone]))
    os.utime(file, ns=(1, 1))
    seen.append(fingerprint([file, gone]))
    assert len(set(seen)) == len(seen) - 1
