"""How many events a second the receiver takes, and whether kill -9 loses or repeats any.

    python -m benchmarks.webhooks [--rate 1000] [--seconds 20]

A Prefect server and a receiver are started in a folder of their own. Pushes are offered
at a fixed rate, whether or not the ones before were answered (latency counts from the moment at
which a push was due). Half-way the receiver is killed with -9, and its keeper starts it again; what
had no answer is sent again at the end, as somebody would do at GitHub. One push in a hundred starts
a flow.
"""

import argparse
import asyncio
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import httpx

from infra import server
from infra.server.registration import register
from infra.server.settings import server as prefect
from infra.target import choose
from infra.webhook.keys import Keys
from infra.webhook.model import Repository, State
from infra.webhook.settings import settings
from infra.webhook.stand_in import Request, push
from infra.webhook.store import Store
from tasks.core.application import Application, Component, Environment
from tasks.core.clock import SystemClock, utc_now
from tasks.core.target import Target

CONNECTIONS = 64
START_EVERY = 100
DRAIN_WITHIN = timedelta(minutes=5)
NOBODY, SHOP = "acme/unknown", "acme/shop"


@dataclass
class Load:
    """What is offered, and what came of it; answers and latencies by the push's number.

    Pushes are made and signed beforehand: it is not the sender that is measured.
    """

    rate: int
    count: int
    secret: str
    answers: dict[int, int] = field(default_factory=dict)
    latencies: dict[int, float] = field(default_factory=dict)
    requests: list[bytes] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Make the pushes."""
        self.requests = [_on_the_wire(self._push(number)) for number in range(self.count)]

    def _push(self, number: int) -> Request:
        repository = NOBODY if number % START_EVERY else SHOP
        return push(repository, f"{number + 1:040x}", self.secret, pushed_at=number)

    async def offer(self, numbers: list[int], meanwhile: Callable[[], None] | None = None) -> None:
        """Offer pushes at the rate, and do something else half-way."""
        loop = asyncio.get_running_loop()
        due: asyncio.Queue[tuple[float, int]] = asyncio.Queue()
        port = settings().port
        workers = [asyncio.create_task(self._work(due, port)) for _ in range(CONNECTIONS)]
        began = loop.time()
        beside: list[asyncio.Task[None]] = []
        for place, number in enumerate(numbers):
            at = began + place / self.rate
            await asyncio.sleep(max(0.0, at - loop.time()))
            due.put_nowait((at, number))
            if meanwhile and place == len(numbers) // 2:
                beside.append(asyncio.create_task(asyncio.to_thread(meanwhile)))
        await due.join()
        await asyncio.gather(*beside)
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)

    async def _work(self, due: asyncio.Queue[tuple[float, int]], port: int) -> None:
        streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        while True:
            at, number = await due.get()
            try:
                streams = streams or await asyncio.open_connection("127.0.0.1", port)
                self.answers[number] = await _ask(*streams, self.requests[number])
                self.latencies[number] = asyncio.get_running_loop().time() - at
            except (OSError, asyncio.IncompleteReadError):
                streams = None
            finally:
                due.task_done()


def _on_the_wire(request: Request) -> bytes:
    body, headers = request
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return (
        f"POST /github HTTP/1.1\r\nhost: receiver\r\n{head}content-length: {len(body)}\r\n\r\n"
    ).encode() + body


async def _ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> int:
    writer.write(request)
    head = await reader.readuntil(b"\r\n\r\n")
    return int(head.split(b" ", 2)[1])


def main() -> None:
    """Run the benchmark and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=int, default=1000, help="pushes a second")
    parser.add_argument("--seconds", type=int, default=20)
    words = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"SLIPWAY_STATE": folder, "SLIPWAY_INSTANCE": "bench-webhooks"}
        secret = Keys(settings().secrets).add("benchmark", utc_now())
        _prepare(Path(folder))
        load = Load(words.rate, words.rate * words.seconds, secret)
        try:
            _play(load)
        finally:
            server.down()


def _prepare(folder: Path) -> None:
    """Start what is needed; the worker is not: the runs that are created stay where they are."""
    choose(Target(str(folder), "none", "none", "none", "none"))
    store = Store(settings().store)
    environments = {"prod": Environment(overlay=".", namespace="shop")}
    application = Application("shop", {"web": Component(context=".")}, environments)
    store.register(Repository(SHOP, f"https://git.example/{SHOP}.git", application))
    store.close()
    server.up()
    register()
    server.daemon("worker").stop()


def _play(load: Load) -> None:
    numbers = list(range(load.count))
    asyncio.run(load.offer(numbers, _kill))
    silent = [number for number in numbers if number not in load.answers]
    _report(load, len(silent))
    asyncio.run(load.offer(silent))
    _drain()
    _compare(load)


def _kill() -> None:
    """Kill the receiver with -9."""
    process = server.daemon("receiver").process()
    if process is not None:
        process.kill()


def _report(load: Load, silent: int) -> None:
    half = load.count // 2
    print(f"offered: {load.count} pushes, {load.rate} a second; killed after {half}")
    print(f"answered 2xx: {sum(status in {200, 202} for status in load.answers.values())}")
    print(f"without an answer: {silent}; other answers: {_others(load)}")
    for name, numbers in (("before the kill", range(half)), ("all", range(load.count))):
        found = sorted(load.latencies[each] for each in numbers if each in load.latencies)
        p50, p99 = (found[int(len(found) * share)] * 1000 for share in (0.5, 0.99))
        print(f"latency, {name}: p50 {p50:.1f} ms, p99 {p99:.1f} ms, max {found[-1] * 1000:.1f} ms")


def _others(load: Load) -> dict[int, int]:
    other = [status for status in load.answers.values() if status not in {200, 202}]
    return {status: other.count(status) for status in sorted(set(other))}


def _drain() -> None:
    clock, store = SystemClock(), Store(settings().store)
    deadline = clock.now() + DRAIN_WITHIN
    while store.lag()[0] and clock.now() < deadline:
        clock.wait(timedelta(seconds=0.5))
    store.close()


def _compare(load: Load) -> None:
    """Hold store and Prefect against what was answered."""
    store = Store(settings().store)
    kept = store.newest(load.count + 1)
    store.close()
    answered = {number for number, status in load.answers.items() if status in {200, 202}}
    pushed = {int(each.event.facts.commit, 16) - 1 for each in kept}  # type: ignore[union-attr, arg-type]
    started = sum(each.outcome.state is State.DELIVERED for each in kept)
    runs = httpx.post(f"{prefect().api}/flow_runs/count", json={}, timeout=30).json()
    print(f"stored: {len(kept)}, each once: {len(kept) == len(pushed)}")
    print(f"answered and not stored: {len(answered - pushed)}")
    print(f"flows started: {started}; runs that Prefect has: {runs}")


if __name__ == "__main__":
    main()
