"""Compares `slipway deliver` with the bare commands that it stands for, in one run.

Each round changes one line of every component twice and takes it to an environment of its own:
once by `slipway deliver`, once by the commands a person would type, started as early as their
inputs allow. The order changes every round, so that a machine that gets slower hurts both.
"""

import argparse
import json
import shutil
import statistics
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path

from benchmarks.commands import Bare, Plan, critical_path
from benchmarks.myfin import Arm, change, make_repository, remove_namespace
from infra.lab import lifecycle as labs
from tasks.core import process
from tasks.core.errors import SlipwayError
from tasks.core.target import Target

GOAL_RATIO = 1.10
GOAL_REDELIVERY_SECONDS = 5.0
DEADLINE = timedelta(minutes=20)


@dataclass(frozen=True, slots=True)
class Round:
    """One pair, in seconds.

    Attributes:
        slipway: from the command's start to its end.
        bare: from the first bare command's start to the last one's end.
        critical: the longest chain of bare commands that wait for each other.
        redelivery: `slipway deliver` of the commit that it has just delivered.
    """

    slipway: float
    bare: float
    critical: float
    redelivery: float
    chain: tuple[str, ...]

    @property
    def ratio(self) -> float:
        """How much longer the pipeline takes than its commands must."""
        return self.slipway / self.critical


def main() -> None:
    options = _options()
    target = labs.target()
    with tempfile.TemporaryDirectory(prefix="slipway-overhead-") as folder:
        try:
            rounds = _measure(options.rounds, target, Path(folder))
        finally:
            for name in ("slipway", "bare"):
                remove_namespace(Arm(name, target))
    if options.json:
        print(json.dumps(_summary(rounds), indent=2))
    else:
        _print_table(rounds)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rounds", type=int, default=3, help="pairs after the warm-up (3)")
    parser.add_argument("--json", action="store_true", help="print JSON for scripts")
    return parser.parse_args()


def _measure(count: int, target: Target, folder: Path) -> list[Round]:
    """Warm both arms up once (base images, packages, MySQL's first start), then take pairs."""
    slipway = make_repository(folder / "slipway", Arm("slipway", target))
    bare = make_repository(folder / "bare", Arm("bare", target))
    _progress("warming up")
    _deliver(slipway, target)
    _run_bare(bare, target, folder, "warm-up")
    rounds = []
    for number in range(1, count + 1):
        change(slipway, number)
        change(bare, number)
        seconds: dict[str, float] = {}
        order = ("slipway", "bare") if number % 2 else ("bare", "slipway")
        plan: Plan | None = None
        for name in order:
            if name == "slipway":
                seconds["slipway"] = _deliver(slipway, target)
            else:
                plan = _run_bare(bare, target, folder, str(number))
        seconds["redelivery"] = _deliver(slipway, target)
        rounds.append(_round(seconds, plan))
        _progress(f"round {number} of {count}: {rounds[-1].ratio:.2f}")
    return rounds


def _round(seconds: dict[str, float], plan: Plan | None) -> Round:
    if plan is None:
        raise RuntimeError("a round without its bare commands")
    chain, critical = critical_path(plan)
    told = tuple(f"{name} {plan.took[name]:.1f} s" for name in chain)
    return Round(seconds["slipway"], plan.seconds, critical, seconds["redelivery"], told)


def _deliver(repository: Path, target: Target) -> float:
    """Run the command as a person would and return its wall time."""
    program = Path(sys.executable).with_name("slipway")
    argv = [str(program), "deliver", str(repository), "--until", "dev"]
    argv += ["--registry", f"{target.registry}/overhead-slipway"]
    return process.run(argv, timeout=DEADLINE).seconds


def _run_bare(repository: Path, target: Target, folder: Path, name: str) -> Plan:
    work = folder / f"work-{name}"
    try:
        return Bare(Arm("bare", target), repository, work).run()
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _summary(rounds: list[Round]) -> dict[str, object]:
    return {
        "ratio": statistics.median(each.ratio for each in rounds),
        "ratio_goal": GOAL_RATIO,
        "redelivery_seconds": statistics.median(each.redelivery for each in rounds),
        "redelivery_goal_seconds": GOAL_REDELIVERY_SECONDS,
        "rounds": [{**asdict(each), "ratio": each.ratio} for each in rounds],
    }


def _print_table(rounds: list[Round]) -> None:
    print(f"{'round':<8}{'slipway':>10}{'bare':>10}{'critical':>10}{'ratio':>8}{'again':>8}")
    for number, each in enumerate(rounds, start=1):
        print(_row(str(number), each))
    ratio = statistics.median(each.ratio for each in rounds)
    again = statistics.median(each.redelivery for each in rounds)
    print(f"\nmedian ratio {ratio:.2f} (goal {GOAL_RATIO:.2f} or less)")
    print(f"median redelivery {again:.1f} s (goal {GOAL_REDELIVERY_SECONDS:.0f} s)")
    print(f"critical path: {' > '.join(rounds[-1].chain)}")


def _row(name: str, each: Round) -> str:
    times: Iterable[float] = (each.slipway, each.bare, each.critical)
    cells = "".join(f"{seconds:>8.1f} s" for seconds in times)
    return f"{name:<8}{cells}{each.ratio:>8.2f}{each.redelivery:>6.1f} s"


def _progress(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    try:
        main()
    except SlipwayError as error:
        sys.exit(str(error))
