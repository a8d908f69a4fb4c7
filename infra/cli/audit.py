"""`slipway audit`: who did what, when and from where, and whether anybody has changed that."""

import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from json import dumps
from pathlib import Path
from typing import Annotated

import typer
from pydantic import TypeAdapter

from infra.cli import exits
from infra.cli.options import Application, Context, Json, Kubeconfig
from infra.cli.output import console, say, table
from infra.cli.rollouts import connected, described_in, place_in
from infra.target import Named, chosen
from tasks.audit import Anchor, Entry, Fault, Kept, Subject
from tasks.audit.decide import find_fault, read_anchor, read_entry
from tasks.audit.effects import fetch
from tasks.core.cluster import OWN_NAMESPACE
from tasks.core.errors import ConfigError
from tasks.core.record import Record
from tasks.core.target import Target
from tasks.rollout import records

__all__ = ["Trail", "about", "anchors_in", "audit", "read_trail"]

_ENTRY = TypeAdapter(Entry)


@dataclass(frozen=True, slots=True)
class Trail:
    """The chain of one namespace.

    Attributes:
        name: as people call it: `prod/myfin`, or the namespace.
        fault: the first entry that is not as it was written.
    """

    name: str
    kept: tuple[Kept, ...]
    fault: Fault | None


def audit(  # noqa: PLR0913 one parameter an option
    environment: Annotated[
        str | None,
        typer.Argument(help="One environment; all of them, and the approvers' trail, if absent."),
    ] = None,
    *,
    verify: Annotated[
        bool, typer.Option("--verify", help="Recompute every hash; exit code 1 where one is wrong.")
    ] = False,
    namespace: Annotated[
        str | None, typer.Option(help="Of one trail: no slipway.yaml is needed then.")
    ] = None,
    application: Application = Path(),
    context: Context = None,
    kubeconfig: Kubeconfig = None,
    as_json: Json = False,
) -> None:
    """Show who did what, when and from where: approvals, refusals, rollbacks, overrides, clears.

    Example: `slipway audit prod --verify`
    """
    named = Named(context, kubeconfig=kubeconfig)
    places = (
        [(namespace, namespace, chosen(named))]
        if namespace
        else list(_places(environment, application, named))
    )
    trails = [read_trail(*place) for place in places]
    if as_json:
        sys.stdout.write(dumps([_plain(trail) for trail in trails], indent=2) + "\n")
    elif verify:
        for trail in trails:
            _say_verdict(trail)
    else:
        _show(trails)
    if verify and any(trail.fault for trail in trails):
        raise typer.Exit(exits.NO)


def read_trail(name: str, namespace: str, target: Target) -> Trail:
    """Return the trail of a namespace, held against its own hashes and what records say of it."""
    with connected(target) as cluster:
        kept = fetch(cluster, namespace)
        known = records.fetch(cluster, namespace)
    anchors = anchors_in(each.record for each in known)
    return Trail(name, kept, find_fault(kept, anchors))


def anchors_in(known: Iterator[Record]) -> Iterator[Anchor]:
    """Yield what rollouts say about a trail."""
    for record in known:
        anchor = read_anchor(record.trail, f"rollout {record.number}")
        if anchor is not None:
            yield anchor


def about(subject: Subject) -> str:
    """Say what an entry was about in a few words."""
    rollout = f"rollout {subject.rollout}" if subject.rollout is not None else ""
    words = (subject.person, subject.release, subject.plan, rollout)
    return " ".join(word for word in words if word)


def _places(
    environment: str | None, folder: Path, named: Named
) -> Iterator[tuple[str, str, Target]]:
    names = [environment] if environment else list(described_in(folder).environments)
    for name in names:
        place = place_in(folder, name, named)
        yield str(place), place.namespace, place.target
    if environment is None:
        with suppress(ConfigError):
            target = chosen(named)
            if target.context:
                yield "approvers", OWN_NAMESPACE, target


def _say_verdict(trail: Trail) -> None:
    if trail.fault:
        say("✗", "red", f"{trail.name}: {trail.fault}")
    else:
        counted = "1 entry" if len(trail.kept) == 1 else f"{len(trail.kept)} entries"
        say("✓", "green", f"{trail.name}: {counted}, unbroken")


def _show(trails: list[Trail]) -> None:
    rows = [_row(trail.name, kept) for trail in trails for kept in trail.kept]
    if rows:
        heads = ("WHERE", "NO", "AT", "WHO", "PROOF", "FROM", "WHAT", "ABOUT", "WHY")
        table(heads, sorted(rows, key=lambda row: row[2]))
    else:
        console.print("nobody has done anything yet that is written down")
    for trail in trails:
        if trail.fault:
            say("✗", "red", f"{trail.name}: {trail.fault}")


def _row(where: str, kept: Kept) -> tuple[str, ...]:
    entry = read_entry(kept)
    if entry is None:
        return (where, str(kept.number), "", "", "", "", "cannot be read", "", "")
    deed = entry.deed
    at = f"{entry.at:%Y-%m-%d %H:%M:%S}"
    who = (deed.actor or "unknown", deed.proof.value, deed.origin)
    return (where, str(entry.number), at, *who, deed.act.value, about(deed.about), deed.reason)


def _plain(trail: Trail) -> dict[str, object]:
    entries = []
    for kept in trail.kept:
        entry = read_entry(kept)
        content = _ENTRY.dump_python(entry, mode="json") if entry else {"number": kept.number}
        entries.append({**content, "sha256": kept.stated})
    fault = asdict(trail.fault) if trail.fault else None
    return {"where": trail.name, "fault": fault, "entries": entries}
