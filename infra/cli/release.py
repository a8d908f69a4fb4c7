"""`slipway release clear`: a release that was taken back may be deployed again."""

import getpass
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from infra.cli.options import Application, Context, Kubeconfig
from infra.cli.output import say
from infra.cli.rollouts import connected, described_in, place_in
from infra.cli.trail import write_down
from infra.target import Named
from tasks.audit import Act, Subject
from tasks.core.clock import SystemClock
from tasks.core.errors import ConfigError
from tasks.rollout.clear import Clearance
from tasks.rollout.clear import clear as take_off
from tasks.rollout.history import is_bad
from tasks.rollout.model import Place

__all__ = ["app"]

app = typer.Typer(help="Releases that were taken back.", no_args_is_help=True)


@app.command()
def clear(  # noqa: PLR0913 one parameter an option
    release: Annotated[str, typer.Argument(help="Its id, as `slipway history` shows it.")],
    environment: Annotated[
        str | None, typer.Argument(help="Where; every environment that marks it bad if absent.")
    ] = None,
    *,
    reason: Annotated[str, typer.Option(help="Why; it stands in the record.")],
    application: Application = Path(),
    context: Context = None,
    kubeconfig: Kubeconfig = None,
) -> None:
    """Let a release that was taken back be deployed again. Deploys nothing.

    Example: `slipway release clear r-0123456789ab prod --reason "the database was at fault"`
    """
    named = Named(context, kubeconfig=kubeconfig)
    names = [environment] if environment else list(described_in(application).environments)
    places = [place_in(application, name, named) for name in names]
    chosen = places if environment else list(_where_bad(release, places))
    if not chosen:
        raise ConfigError(
            f"no environment marks {release!r} bad",
            where=", ".join(names),
            next_step="slipway history ENV shows which releases are",
        )
    clearance = Clearance(release, getpass.getuser(), reason)
    for place in chosen:
        with connected(place.target) as cluster:
            if is_bad(release, place, cluster):
                about = Subject(place.application, place.name, release)
                write_down(Act.CLEARED, about, reason, place.namespace, cluster)
            cleared = take_off(clearance, place, cluster, SystemClock())
        numbers = ", ".join(str(record.number) for record in cleared)
        say("✓", "green", f"{place}: {release} may be deployed again (rollout {numbers})")


def _where_bad(release: str, places: list[Place]) -> Iterator[Place]:
    for place in places:
        with connected(place.target) as cluster:
            if is_bad(release, place, cluster):
                yield place
