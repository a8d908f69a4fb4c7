"""`slipway slo`: the service level objectives against the live Prometheus."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from infra.cli import exits
from infra.cli.options import Context, Json, Kubeconfig
from infra.cli.output import console, print_json, say
from infra.cli.rollouts import connected
from infra.target import Named, chosen
from tasks.analysis.check import Answered, Mark, check, pods_that_show
from tasks.analysis.questions import Counted, Histogram, Pods, questions
from tasks.analysis.scrape import scrape
from tasks.analysis.series import Selector
from tasks.core.cluster import Cluster, Scope
from tasks.core.config import load
from tasks.core.errors import ConfigError
from tasks.core.objects import Kind, pod_template
from tasks.core.prometheus import prometheus_at
from tasks.core.tracks import CANARY, TRACK
from tasks.rollout.model import Place
from tasks.rollout.place import place_of

__all__ = ["app"]

app = typer.Typer(help="Service level objectives.", no_args_is_help=True)
DEPLOYMENT = Kind("apps/v1", "Deployment")
MARKS = {
    Mark.GOOD: ("✓", "green"),
    Mark.EMPTY: ("·", "dim"),
    Mark.WRONG: ("✗", "red"),
    Mark.UNAVAILABLE: ("?", "yellow"),
}


@dataclass(frozen=True, slots=True)
class Looked:
    """What one environment's objectives came to.

    Attributes:
        direct: on how many pods each indicator is counted directly, once a second.
    """

    environment: str
    answers: tuple[Answered, ...]
    direct: dict[str, int]


@app.command("check")
def slo_check(
    path: Annotated[
        Path, typer.Argument(help="Folder that holds the slipway.yaml, or the file itself.")
    ] = Path(),
    *,
    environment: Annotated[
        str | None, typer.Option(help="Only this one; every environment otherwise.")
    ] = None,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
    as_json: Json = False,
) -> None:
    """Run every query of the objectives against the live Prometheus and say what comes back.

    Exit code 1 where a query has to be put right, 3 where Prometheus does not answer.

    Example: `slipway slo check examples/myfin --environment dev`
    """
    application = load(path)
    target = chosen(Named(context, kubeconfig=kubeconfig))
    names = (environment,) if environment else tuple(application.environments)
    looked = tuple(_look(place_of(application, name, target)) for name in names)
    if as_json:
        print_json(looked)
    else:
        for each in looked:
            _show(each)
    marks = {answer.mark for each in looked for answer in each.answers}
    if Mark.WRONG in marks:
        raise typer.Exit(exits.NO)
    if Mark.UNAVAILABLE in marks:
        raise typer.Exit(exits.UNAVAILABLE)


def _look(place: Place) -> Looked:
    asked = questions(place.rules.slos, place.namespace)
    if not asked:
        raise ConfigError(
            "names no service level objective",
            where=f"{place.application}: slos",
            next_step="see slos in docs/slipway-yaml.md",
        )
    counted = [each for each in asked if isinstance(each, Counted | Histogram)]
    names = {Selector.read(query).name for each in counted for query in each.queries}
    with (
        connected(place.target) as cluster,
        prometheus_at(place.target.prometheus) as prometheus,
    ):
        if prometheus is None:
            raise ConfigError(
                "no Prometheus is named",
                where=str(place),
                next_step=f"name it as environments.{place.name}.prometheus in slipway.yaml",
            )
        pods = Pods.between(place.namespace, tuple(_workloads(cluster, place)))
        scraped = scrape(cluster, place.namespace, names)
        answers = tuple(check(asked, pods, prometheus))
    return Looked(
        place.name, answers, {each.name: pods_that_show(each, scraped) for each in counted}
    )


def _workloads(cluster: Cluster, place: Place) -> Iterator[str]:
    """Name the Deployments that are no canary's."""
    found = cluster.find(Scope((DEPLOYMENT,), place.namespace))
    named = {thing["metadata"]["name"]: pod_template(thing) or {} for thing in found}
    if not named:
        what = "no Deployment runs there, whose pods could be asked for"
        raise ConfigError(what, where=str(place), next_step="slipway deliver")
    for name, template in named.items():
        labels = (template.get("metadata") or {}).get("labels") or {}
        if labels.get(TRACK) != CANARY:
            yield name


def _show(looked: Looked) -> None:
    console.print(f"{looked.environment}:", style="bold")
    for each in looked.answers:
        mark, colour = MARKS[each.mark]
        remedy = f" Next: {each.remedy}" if each.remedy else ""
        say(mark, colour, f"{each.indicator}.{each.key}, {each.track}: {each.what}.{remedy}")
        say(" ", "", f"  {' '.join(each.query.split())}")
    for name, pods in looked.direct.items():
        how = (
            f"counted on {pods} pods directly, once a second"
            if pods
            else "counted as often as Prometheus scrapes; no pod shows it at prometheus.io/port"
        )
        say("→", "cyan", f"{name}: {how}")
