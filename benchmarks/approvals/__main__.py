"""What a thousand runs cost that wait for an approval at once, and how fast one of them goes on.

    python -m benchmarks.approvals [--runs 1000] [--answered 10] [--json]

A Prefect server and a worker are started in a folder of their own. Each run asks its question
through the module that all our approvals use; then nobody does anything for a minute, and then some
of them, taken at random, are answered one after the other, as `slipway approve` does.
"""

import argparse
import json
import os
import random
import statistics
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import psutil

from infra import server
from infra.server.client import Runs
from infra.target import choose
from tasks.core.clock import SystemClock
from tasks.core.errors import Unavailable
from tasks.core.process import Options, run
from tasks.core.target import Target

HERE = Path(__file__).parents[2]
MAKERS = 3
"""Programs that make runs side by side."""
MAKE_WITHIN = timedelta(minutes=15)
QUIET = timedelta(seconds=60)
SETTLE = timedelta(seconds=10)
"""For the process of a run that is over to end."""
GOES_ON_WITHIN = timedelta(minutes=2)
LOOK_EVERY = timedelta(milliseconds=50)
MEGABYTE = 1_000_000
WATCHED = ("prefect-server", "worker")
FORM = {"approver": "ana", "code": "000000", "decision": "approve", "comment": ""}


@dataclass(frozen=True, slots=True)
class Cost:
    """What server and worker take: resident memory in MB, and processes with all children."""

    waiting: int
    server_mb: float
    worker_mb: float
    processes: int


@dataclass(frozen=True, slots=True)
class Report:
    """What came of it; seconds are from the answer until the run was over."""

    runs: int
    made_per_second: float
    costs: tuple[Cost, ...]
    seconds: tuple[float, ...]


def main() -> None:
    """Run the benchmark, print what came of it, and end with 1 where a run did not go on."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=1000, help="how many wait at once")
    parser.add_argument("--answered", type=int, default=10, help="how many are answered")
    parser.add_argument("--json", action="store_true", help="print JSON")
    words = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"SLIPWAY_STATE": folder, "SLIPWAY_INSTANCE": "bench-approvals"}
        os.environ["PYTHONPATH"] = str(HERE)  # benchmarks are not installed, and engines import one
        choose(Target(folder, "none", "none", "none", "none"))
        try:
            with suppress(Unavailable):  # on a busy machine it takes longer than its patience
                server.up()
            server.up()
            report = _play(words.runs, words.answered)
        finally:
            server.down()
    if words.json:
        print(json.dumps(asdict(report), indent=2))
    else:
        _print(report)


def _play(count: int, answered: int) -> Report:
    clock, runs = SystemClock(), server.connect()
    _waiting("register")
    _warm_up(runs, clock)
    costs = [_cost(runs)]
    began, half = clock.now(), count // 2
    made = _make(1, half)
    costs.append(_cost(runs))
    made += _make(1 + half, count - half)
    rate = count / (clock.now() - began).total_seconds()
    costs.append(_cost(runs))
    clock.wait(QUIET)
    costs.append(_cost(runs))
    chosen = random.sample(made, min(answered, count))
    seconds = tuple(_answer(runs, each, clock) for each in chosen)
    costs.append(_cost(runs))
    return Report(count, rate, tuple(costs), seconds)


def _warm_up(runs: Runs, clock: SystemClock) -> None:
    """Let server and worker do once what they do later, so that only the waiting is counted."""
    for each in _make(0, 1):
        _answer(runs, each, clock)


def _make(first: int, count: int) -> list[UUID]:
    """Let some runs wait, made by several programs at once."""
    shares = [
        (first + count * n // MAKERS, first + count * (n + 1) // MAKERS) for n in range(MAKERS)
    ]
    wanted = [(one, other - one) for one, other in shares if other > one]
    with ThreadPoolExecutor(MAKERS) as pool:
        told = pool.map(lambda share: _waiting("make", *map(str, share)), wanted)
        return [UUID(line) for text in told for line in text.split()]


def _waiting(*words: str) -> str:
    argv = (sys.executable, "-m", "benchmarks.approvals.waiting", *words)
    options = Options(env={**server.server().environment(), "PREFECT_LOGGING_LEVEL": "ERROR"})
    return run(argv, timeout=MAKE_WITHIN, options=options).stdout


def _answer(runs: Runs, run_id: UUID, clock: SystemClock) -> float:
    """Answer a run and return after how many seconds it was over."""
    began = clock.now()
    runs.answer(run_id, {**FORM, "question": runs.asks(run_id)})
    return (_over(runs, run_id, clock, began) - began).total_seconds()


def _over(runs: Runs, run_id: UUID, clock: SystemClock, began: datetime) -> datetime:
    while runs.view(run_id).state != "COMPLETED":
        if clock.now() - began > GOES_ON_WITHIN:
            sys.exit(f"run {run_id} does not go on: {runs.view(run_id)}")
        clock.wait(LOOK_EVERY)
    return clock.now()


def _cost(runs: Runs) -> Cost:
    SystemClock().wait(SETTLE)
    families = [_family(name) for name in WATCHED]
    server_mb, worker_mb = (
        sum(each.memory_info().rss for each in family) / MEGABYTE for family in families
    )
    return Cost(len(runs.waiting()), server_mb, worker_mb, sum(map(len, families)))


def _family(name: str) -> list[psutil.Process]:
    leader = server.daemon(name).process()
    if leader is None:
        sys.exit(f"{name} has ended")
    return [leader, *leader.children(recursive=True)]


def _print(report: Report) -> None:
    print(f"made: {report.runs} runs, {report.made_per_second:.1f} a second")
    print("waiting  server MB  worker MB  processes")
    for cost in report.costs:
        print(f"{cost.waiting:7}  {cost.server_mb:9.0f}  {cost.worker_mb:9.0f}  {cost.processes:9}")
    median, most = statistics.median(report.seconds), max(report.seconds)
    print(
        f"answered: {len(report.seconds)}; over after {median:.1f} s (median), {most:.1f} s (max)"
    )


if __name__ == "__main__":
    main()
