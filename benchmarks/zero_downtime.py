"""Counts the requests that fail while the guestbook is rolled out and back under constant load.

No release of this benchmark answers badly: a verdict is told to fail, so that every request
without a good answer is one that a rollout, a promotion or a rollback has lost.
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from pathlib import Path

from benchmarks.guestbook import Guestbook
from benchmarks.load import Failure, Load, Road
from infra.lab import lifecycle as labs
from tasks.core.clock import Clock, SystemClock
from tasks.core.cluster import Cluster
from tasks.core.cluster_api import connect
from tasks.core.model import Outcome, Verdict
from tasks.core.objects import Kind, Ref
from tasks.core.record import Record, RolloutState
from tasks.core.strategy import BlueGreen, Canary, Rolling, Strategy
from tasks.core.target import Target
from tasks.core.watching import Reading, Watch
from tasks.rollout.model import Back, By, Judge, Place, Ports
from tasks.rollout.ports import probe
from tasks.rollout.roll_back import roll_back
from tasks.rollout.roll_out import roll_out
from tasks.rollout.unjudged import unjudged

ALL = 100
BAKE = timedelta(seconds=2)
SETTLE = timedelta(seconds=3)
"""Load before the first and after the last change, so that late failures are seen."""
STRATEGIES = {
    "rolling": Strategy(rolling=Rolling()),
    "canary": Strategy(canary=Canary(steps=(10, 50, 100), bake=BAKE)),
    "blueGreen": Strategy(blueGreen=BlueGreen(bake=BAKE)),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One kind of change under one strategy.

    Attributes:
        seconds: median of one change.
    """

    strategy: str
    change: str
    times: int
    seconds: float
    requests: int
    failed: int


@dataclass(frozen=True, slots=True)
class Result:
    """Everything that was counted."""

    lines: tuple[Line, ...]
    failures: tuple[Failure, ...]


@dataclass(slots=True)
class Run:
    """One strategy under load.

    Attributes:
        took: seconds of each change, by kind.
    """

    book: Guestbook
    place: Place
    cluster: Cluster
    load: Load
    took: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    number: int = 0

    def by(self) -> By:
        """Return another run's name."""
        self.number += 1
        return By(run=f"zero-downtime-{self.number}", actor="benchmark")

    def ports(self, judge: Judge = unjudged) -> Ports:
        """Return the world with a judge in it."""
        return Ports(self.cluster, SystemClock(), probe, judge)

    def forward(self) -> None:
        """Roll a new release out."""
        release = self.book.next_release()
        with self._timed("rollout"):
            record = roll_out(release, self.place, self.by(), self.ports())
        _require(record, RolloutState.SUCCEEDED)

    def back(self) -> None:
        """Roll the release before back by hand."""
        with self._timed("rollback"):
            record = roll_back(self.place, self.by(), Back("benchmark"), self.ports())
        _require(record, RolloutState.SUCCEEDED)

    def taken_back(self) -> None:
        """Roll a new release out and let its last share's verdict fail."""
        release = self.book.next_release()
        with self._timed("verdict"):
            record = roll_out(release, self.place, self.by(), self.ports(_fails_at_all))
        _require(record, RolloutState.RESTORED)

    @contextmanager
    def _timed(self, change: str) -> Iterator[None]:
        """Count requests under a kind of change and take its time."""
        self.load.during = change
        began = time.monotonic()
        yield
        self.took[change].append(time.monotonic() - began)
        _progress(f"{change} {len(self.took[change])}, {self.load.failed.total()} failed so far")


def main() -> None:
    options = _options()
    with tempfile.TemporaryDirectory(prefix="slipway-zero-") as folder:
        parts = [
            _measure(name, options.rounds, options.rate, Path(folder)) for name in options.strategy
        ]
    lines = tuple(line for part in parts for line in part.lines)
    result = Result(lines, tuple(each for part in parts for each in part.failures))
    if options.json:
        print(json.dumps(asdict(result), indent=2))
    else:
        _print_table(result)
    sys.exit(1 if result.failures else 0)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rounds", type=int, default=20, help="of each change (20)")
    parser.add_argument("--rate", type=int, default=50, help="requests a second (50)")
    parser.add_argument(
        "--strategy", action="append", choices=STRATEGIES, help="only this one; may be repeated"
    )
    parser.add_argument("--json", action="store_true", help="print JSON for scripts")
    options = parser.parse_args()
    options.strategy = options.strategy or list(STRATEGIES)
    return options


def _measure(name: str, rounds: int, rate: int, folder: Path) -> Result:
    target = labs.target()
    book = Guestbook(folder / name, target, f"zero-{name.lower()}")
    with connect(target) as cluster:
        try:
            return _under_load(name, rounds, _start(book, STRATEGIES[name], cluster, rate))
        finally:
            cluster.delete(Ref(Kind("v1", "Namespace"), "", book.name))


def _start(book: Guestbook, strategy: Strategy, cluster: Cluster, rate: int) -> Run:
    load = Load(Road(_ingress(book.target), book.host), rate)
    run = Run(book, book.place(strategy), cluster, load)
    _progress(f"{book.name}: first rollout")
    _require(
        roll_out(book.next_release(), run.place, run.by(), run.ports()), RolloutState.SUCCEEDED
    )
    return run


def _under_load(name: str, rounds: int, run: Run) -> Result:
    with run.load as load:
        SystemClock().wait(SETTLE)
        for _ in range(rounds):
            run.forward()
            run.back()
            if name != "rolling":
                run.taken_back()
        load.during = "afterwards"
        SystemClock().wait(SETTLE)
    lines = (
        Line(
            name,
            change,
            len(run.took[change]),
            statistics.median(run.took[change] or [SETTLE.total_seconds()]),
            load.sent[change],
            load.failed[change],
        )
        for change in load.sent
    )
    return Result(tuple(lines), tuple(load.failures))


def _fails_at_all(cluster: Cluster, clock: Clock, watch: Watch) -> Iterator[Reading]:
    """Say that nothing is wrong until the canary has all of the traffic."""
    for reading in unjudged(cluster, clock, watch):
        if watch.share == ALL:
            yield Reading(Verdict(Outcome.FAILED, "told to fail by the benchmark"), decided=True)
        yield reading


def _require(record: Record, state: RolloutState) -> None:
    if record.state is not state:
        raise SystemExit(f"rollout {record.number} is {record.state.value}: {record.reason}")


def _ingress(target: Target) -> str:
    if target.ingress is None:
        raise SystemExit("the target has no ingress: slipway lab up")
    return target.ingress


def _print_table(result: Result) -> None:
    print(
        f"{'strategy':<10} {'change':<12} {'times':>5} {'median':>8} {'requests':>9} {'failed':>7}"
    )
    for line in result.lines:
        shown = f"{line.seconds:7.1f}s"
        print(
            f"{line.strategy:<10} {line.change:<12} {line.times:>5} {shown:>8} "
            f"{line.requests:>9} {line.failed:>7}"
        )
    _print_failures(result.failures)


def _print_failures(failures: Sequence[Failure]) -> None:
    for each in failures:
        print(f"  {each.during} at {each.second:.1f} s: {each.what}")


def _progress(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
