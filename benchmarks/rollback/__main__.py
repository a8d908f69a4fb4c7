"""Compares how long a bad release hurts under Slipway, Argo Rollouts and Flagger, in one run."""

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict
from pathlib import Path
from uuid import uuid4

from benchmarks.load import Load, Road
from benchmarks.rollback.alarms import RELEASES, false_alarms
from benchmarks.rollback.application import Application, build_image
from benchmarks.rollback.argo import argo
from benchmarks.rollback.bench import Bench
from benchmarks.rollback.flagger import flagger
from benchmarks.rollback.harm import Heard
from benchmarks.rollback.side import Side, Stage, apply
from benchmarks.rollback.slipway_side import slipway
from benchmarks.rollback.summary import Result, rows, summarise
from infra.lab import lifecycle as labs
from tasks.core.cluster_api import KubernetesCluster, connect
from tasks.core.errors import SlipwayError
from tasks.core.objects import Kind, Ref

SIDES: dict[str, Callable[[Stage], AbstractContextManager[Side]]] = {
    "slipway": slipway,
    "argo": argo,
    "flagger": flagger,
}
AT_ONCE, AFTER = "at-once", "after-promotion"


def main() -> None:
    options = _options()
    target = labs.target()
    results: list[Result] = []
    with tempfile.TemporaryDirectory(prefix="slipway-rollback-") as folder:
        image = build_image(target, Path(folder))
        for name in options.sides:
            for scenario, act in _acts(options):
                title = f"{scenario}-{act}-{uuid4().hex[:4]}"  # alerts know no earlier one
                side = Application(f"{name}-{title}", Path(folder) / name / title, target)
                logs = Path(options.logs or folder) / title
                with connect(target) as cluster, _stage(side, cluster, image, logs) as stage:
                    results += _play(name, scenario, stage, options)
    alarms, medians = false_alarms(), summarise(results)
    if options.json:
        found = {
            "results": [asdict(each) for each in results],
            "medians": [asdict(each) for each in medians],
            "false_alarms": alarms,
        }
        print(json.dumps(found, indent=2))
    else:
        _print_table(results)
        print("", *rows(medians), sep="\n")
        print(f"\nfalse alarms in {RELEASES} good releases with a noisy baseline (simulated):")
        print(", ".join(f"{name} {alarms[name]}" for name in options.sides))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--sides", nargs="+", default=[*SIDES], choices=[*SIDES])
    both = [AT_ONCE, AFTER]
    parser.add_argument("--scenarios", nargs="+", default=both, choices=both)
    parser.add_argument("--rounds", type=int, default=3, help="bad releases of each kind (3)")
    parser.add_argument("--patience", type=float, default=300, help="seconds of harm (300)")
    parser.add_argument("--rate", type=int, default=50, help="requests a second (50)")
    parser.add_argument("--logs", help="folder that keeps what the controllers say")
    parser.add_argument("--json", action="store_true", help="print JSON for scripts")
    return parser.parse_args()


def _acts(options: argparse.Namespace) -> Iterator[tuple[str, int]]:
    """Say how often the curtain rises: alerts remember what failed in a namespace before."""
    for scenario in options.scenarios:
        for act in range(options.rounds if scenario == AFTER else 1):
            yield scenario, act + 1


@contextmanager
def _stage(
    application: Application, cluster: KubernetesCluster, image: str, logs: Path
) -> Iterator[Stage]:
    """Give the application a repository and a namespace, and take the namespace away again."""
    application.start()
    metadata = {"name": application.namespace}
    apply([{"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}], cluster)
    try:
        yield Stage(application, cluster, image, logs)
    finally:
        cluster.delete(Ref(Kind("v1", "Namespace"), "", application.namespace))


def _play(name: str, scenario: str, stage: Stage, options: argparse.Namespace) -> Iterator[Result]:
    """Let a side meet one kind of bad release, in a namespace without a past."""
    application = stage.application
    road, heard = Road(application.target.ingress or "", application.host), Heard()
    with SIDES[name](stage) as side, Load(road, options.rate, hear=heard):
        bench = Bench(side, application, stage.cluster, heard, options.patience)
        bench.first()
        if scenario == AFTER:
            yield _told(Result(name, scenario, bench.after_promotion()))
            return
        for _ in range(options.rounds):
            yield _told(Result(name, scenario, bench.at_once()))


def _told(result: Result) -> Result:
    print(_row(result), file=sys.stderr, flush=True)
    return result


def _print_table(results: list[Result]) -> None:
    print(f"{'side':<10}{'it fails':<24}{'seconds':>9}{'bad':>6}{'others':>8}  taken back")
    for result in results:
        print(_row(result))


def _row(result: Result) -> str:
    head = f"{result.side:<10}{result.scenario:<24}"
    suffered = result.harm
    if suffered is None:
        return f"{head}{'-':>9}{0:>6}{0:>8}  met no user"
    numbers = f"{suffered.seconds:>9.1f}{suffered.bad:>6}{suffered.others:>8}"
    return f"{head}{numbers}  {'yes' if suffered.stopped else 'no'}"


if __name__ == "__main__":
    try:
        main()
    except SlipwayError as error:
        sys.exit(str(error))
