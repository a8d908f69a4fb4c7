"""Slipway as a user has it: `slipway deliver`, a worker, and the guard behind Alertmanager."""

import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from string import Template

from benchmarks.rollback.application import Application
from benchmarks.rollback.side import Stage
from benchmarks.rollback.steps import BAKE_SECONDS, PAUSE_SECONDS, SHARES
from tasks.core import process

__all__ = ["Slipway", "slipway"]

DEADLINE = timedelta(minutes=15)
DESCRIPTION = Path(__file__).parent / "slipway.template.yaml"
ENDED = process.Options(ok=(0, 1))
"""A delivery that was taken back ends with 1."""


@dataclass(frozen=True, slots=True)
class Slipway:
    """One application, delivered by commits."""

    application: Application
    pool: ThreadPoolExecutor
    runs: dict[int, Future[process.Completed]] = field(default_factory=dict)

    def release(self, number: int, faults: float) -> None:
        """Commit a release and deliver it."""
        self.application.commit(number, faults)
        self.runs[number] = self.pool.submit(self.command, "deliver", "--until", "prod")

    def is_promoted(self, number: int) -> bool:
        """Say whether the delivery has ended well."""
        run = self.runs[number]
        return run.done() and run.result().code == 0

    def command(self, verb: str, *words: str) -> process.Completed:
        """Run `slipway VERB` on the application."""
        program = str(Path(sys.executable).with_name("slipway"))
        argv = [program, verb, str(self.application.folder), *words]
        return process.run(argv, timeout=DEADLINE, options=ENDED)


@contextmanager
def slipway(stage: Stage) -> Iterator[Slipway]:
    """Describe the application to Slipway, and load its alerts into the lab."""
    application = stage.application
    words = {
        "name": application.namespace,
        "host": application.host,
        "bake": str(BAKE_SECONDS),
        "steps": ", ".join(f"{{share: {share}, wait: {PAUSE_SECONDS}s}}" for share in SHARES),
    }
    description = Template(DESCRIPTION.read_text()).substitute(words)
    (application.folder / "slipway.yaml").write_text(description)
    application.commit(0, 0.0)
    with ThreadPoolExecutor(1) as pool:
        side = Slipway(application, pool)
        side.command("apply")  # the receiver takes no alert about strangers
        side.command("monitoring", "--load")
        try:
            yield side
        finally:
            side.command("monitoring", "--unload")
