"""`slipway plan | history`: what is and what would be in an environment."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from pydantic import TypeAdapter
from rich.text import Text

from infra.cli.options import Application, Context, Json, Kubeconfig
from infra.cli.output import console, print_json, say, shown, table
from infra.target import Named, chosen
from tasks.core.application import Application as Described
from tasks.core.config import FILE, load
from tasks.core.errors import ConfigError
from tasks.core.model import Release
from tasks.core.record import ChangeKind, Plan, Record
from tasks.core.target import Target
from tasks.core.units import format_duration
from tasks.rollout import history as past
from tasks.rollout import plan as planning
from tasks.rollout.model import Place, Stored
from tasks.rollout.place import place_of
from tasks.rollout.render import count_changes

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from tasks.core.cluster import Cluster

__all__ = [
    "connected",
    "described_in",
    "diff_text",
    "for_scripts",
    "pick_release",
    "place_in",
    "plan",
    "show_history",
    "show_plan",
    "state_of",
    "took",
]

Name = Annotated[str, typer.Argument(help="Name of the environment.")]
COLOURS = {ChangeKind.CREATE: "green", ChangeKind.UPDATE: "yellow", ChangeKind.DELETE: "red"}
MARKS = {ChangeKind.CREATE: "+", ChangeKind.UPDATE: "~", ChangeKind.DELETE: "-"}
DIFF = {"+": "green", "-": "red", "@": "cyan"}
BULK = frozenset({"samples", "plan"})
"""Fields of a record that are long: `slipway show` has them."""

OWN = (
    "this is what its own live release would put right; what has not been delivered yet cannot be "
    "planned, --release names what has"
)

WIDE = 140
"""Columns from which on the history shows everything."""


def plan(  # noqa: PLR0913 one parameter an option
    environment: Name,
    *,
    release: Annotated[
        str | None,
        typer.Option(
            help="Id of a release that reached any environment, or number of a rollout here; "
            "what is live in the environment before if absent."
        ),
    ] = None,
    application: Application = Path(),
    context: Context = None,
    kubeconfig: Kubeconfig = None,
    as_json: Json = False,
) -> None:
    """Show what a release would change here: that of the environment before. Changes nothing.

    The first environment has none before it: there the release that is live shows what has drifted
    from it; --release names another one.

    Example: `slipway plan prod`, or `slipway plan dev --release r-0123456789ab`
    """
    described, target = described_in(application), chosen(Named(context, kubeconfig=kubeconfig))
    place = place_of(described, environment, target)
    names = list(described.environments)
    before = names[max(0, names.index(environment) - 1)]
    if release is None:
        coming = _live_release(place_of(described, before, target))
    else:
        others = (place_of(described, name, target) for name in names if name != environment)
        coming = _find_release(release, place, others)
    with connected(place.target) as cluster:
        found = planning.plan(coming, place, cluster)
    if as_json:
        print_json(found)
        return
    if release is None and before == environment:
        say("!", "yellow", f"no environment comes before {place.name}: {OWN}")
    show_plan(found)


def show_history(
    environment: Name,
    *,
    application: Application = Path(),
    context: Context = None,
    kubeconfig: Kubeconfig = None,
    as_json: Json = False,
) -> None:
    """Show the rollouts of an environment, from its own cluster, the newest first.

    Example: `slipway history prod --json`
    """
    place = place_in(application, environment, Named(context, kubeconfig=kubeconfig))
    with connected(place.target) as cluster:
        found = past.stored_history(place, cluster)
    if as_json:
        print_json([for_scripts(each, without=BULK) for each in found])
    elif not found:
        console.print(
            f"{place}: nothing has been rolled out yet. Next: slipway deliver; "
            "slipway status names runs that are under way or wait"
        )
    elif console.is_terminal and console.width < WIDE:
        table(("NO", "STATE", "COMMIT", "STARTED", "TOOK", "BY", "REASON"), map(_short, found))
    else:
        heads = ("NO", "STATE", "RELEASE", "COMMIT", "STARTED", "TOOK", "APPROVED BY", "REASON")
        table(heads, map(_row, found))


def described_in(folder: Path) -> Described:
    """Return the application of a folder.

    Raises:
        ConfigError: its slipway.yaml has a problem.
    """
    if not (folder / FILE).is_file():
        raise ConfigError(
            f"holds no {FILE}", where=str(folder.resolve()), next_step="name another folder with -a"
        )
    return load(folder / FILE)


def diff_text(diff: str) -> Text:
    """Colour a unified diff."""
    lines = [Text(shown(line), style=DIFF.get(line[:1], "")) for line in diff.splitlines()]
    return Text("\n").join(lines)


def connected(target: Target) -> "AbstractContextManager[Cluster]":
    """Return a connection to the cluster for as long as a block runs."""
    from tasks.core.cluster_api import connect  # noqa: PLC0415 the client's import is slow

    return connect(target)


def show_plan(found: Plan) -> None:
    """Print what a rollout changes, with the diff of each object."""
    counted = count_changes(found)
    console.print(f"{found.release} to {found.environment}, plan {found.id}: {counted}")
    if found.how:
        console.print(found.how)
    for warning in found.warnings:
        say("!", "yellow", warning)
    for change in found.changed:
        say(MARKS[change.kind], f"bold {COLOURS[change.kind]}", change.object)
        console.print(diff_text(change.diff))


def place_in(folder: Path, name: str, named: Named) -> Place:
    """Return an environment of a folder's application, with the cluster that was named."""
    return place_of(described_in(folder), name, chosen(named))


def _live_release(place: Place) -> Release:
    with connected(place.target) as cluster:
        live = past.live(place, cluster)
    if live is None:
        raise ConfigError(
            "no release has reached it yet", where=str(place), next_step="slipway deliver"
        )
    return live.release


def _find_release(wanted: str, place: Place, others: Iterable[Place]) -> Release:
    """Return a release out of the records of an environment, or, by its id, of the others.

    Raises:
        ConfigError: no record tells of it, or it has nothing for the environment.
    """
    for where in (place, *others):
        with connected(where.target) as cluster:
            records = past.history(where, cluster)
        found = pick_release(wanted, records, by_number=where is place)
        if found is not None:
            return _require_manifests(found, place)
    raise ConfigError(
        f"no record tells of {wanted}",
        where=str(place),
        next_step=f"choose a number or a release of `slipway history {place.name}`",
    )


def pick_release(wanted: str, records: Iterable[Record], *, by_number: bool) -> Release | None:
    """Return the release that a person means, by its id or by the number of a rollout."""
    for record in records:
        if wanted == record.release.id or (by_number and wanted == str(record.number)):
            return record.release
    return None


def _require_manifests(release: Release, place: Place) -> Release:
    if place.name not in {each.environment for each in release.manifests}:
        raise ConfigError(
            f"{release.id} was made without {place.name}",
            where=str(place),
            next_step="slipway deliver makes a release for every environment of slipway.yaml",
        )
    return release


def for_scripts(stored: Stored, *, without: frozenset[str] = frozenset()) -> dict[str, object]:
    """Return a record and its marks as JSON has them, without some of its fields."""
    record = TypeAdapter(Record).dump_python(
        stored.record, mode="json", exclude=dict.fromkeys(without, True)
    )
    return {**record, "bad": stored.bad, "cleared": stored.cleared}


def state_of(stored: Stored) -> str:
    """Say how a rollout ended, and what is held against its release."""
    mark = ", bad" if stored.bad else ", cleared" if stored.cleared else ""
    return f"{stored.record.state.value}{mark}"


def _row(stored: Stored) -> Sequence[str]:
    record = stored.record
    return (
        str(record.number),
        state_of(stored),
        record.release.id,
        record.release.commit[:12],
        f"{record.started_at:%Y-%m-%d %H:%M:%S}",
        took(record),
        ", ".join(record.approved_by),
        record.reason,
    )


def _short(stored: Stored) -> Sequence[str]:
    record = stored.record
    return (
        str(record.number),
        state_of(stored),
        record.release.commit[:7],
        f"{record.started_at:%m-%d %H:%M}",
        took(record),
        ", ".join(record.approved_by),
        record.reason,
    )


def took(record: Record) -> str:
    """Say how long a rollout took, or that it is not over."""
    ended = record.finished_at
    return format_duration(ended - record.started_at) if ended else "…"
