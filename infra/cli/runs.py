"""`slipway deliver | approve | cancel`: runs on Prefect."""

import dataclasses
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer
from rich.markdown import Markdown

from flows.origin import tag_of
from infra.cli import exits
from infra.cli.options import (
    Builder,
    Context,
    Despite,
    DockerHost,
    Json,
    Kubeconfig,
    Registry,
    Run,
)
from infra.cli.origin import own_origin
from infra.cli.output import console, print_json, say, show_stages
from infra.server import connect, start
from infra.server.client import Runs, RunView
from infra.target import Named, chosen
from tasks.core.errors import ConfigError, GateClosed
from tasks.core.repository import last_word

__all__ = [
    "Wait",
    "address_of",
    "approve",
    "asked",
    "begin",
    "cancel",
    "deliver",
    "started",
]

Wait = Annotated[bool, typer.Option(help="Follow the run until it is over or waits.")]


def deliver(  # noqa: PLR0913 one parameter an option
    repository: Annotated[str, typer.Argument(help="Path or address of a git repository.")] = ".",
    *,
    revision: Annotated[
        str, typer.Option("--revision", "-r", help="Commit, tag, branch.")
    ] = "HEAD",
    until: Annotated[str | None, typer.Option(help="Last environment to go to.")] = None,
    despite: Despite = None,
    context: Context = None,
    registry: Registry = None,
    kubeconfig: Kubeconfig = None,
    builder: Builder = None,
    docker_host: DockerHost = None,
    wait: Wait = True,
    as_json: Json = False,
) -> None:
    """Take a commit through every stage, environment by environment.

    Ctrl-C only ends the following; the run goes on.

    Example: `slipway deliver . --revision main --until staging`
    """
    target = chosen(Named(context, registry, kubeconfig, builder, docker_host))
    place = address_of(repository)
    parameters: dict[str, object] = {
        "repository": place,
        "revision": revision,
        "until": until,
        "despite": despite,
        "target": dataclasses.asdict(target),
    }
    name = f"{last_word(place)}@{revision[:12]}"
    begin(started("deliver/deliver", parameters, name), wait=wait, as_json=as_json)


def started(deployment: str, parameters: dict[str, object], name: str | None = None) -> UUID:
    """Start a run that says where the command was given; return its id.

    Raises:
        ConfigError: Prefect refuses it.
        Unavailable: Prefect does not answer, or knows no such deployment.
    """
    return start(deployment, parameters, name, tags=(tag_of(own_origin()),))


def approve(  # noqa: PLR0913 one parameter an option
    run: Annotated[
        str | None, typer.Argument(help="Name or id of a run; the only waiting one if absent.")
    ] = None,
    *,
    approver: Annotated[
        str | None, typer.Option("--as", help="Your name; asked for where absent.")
    ] = None,
    code: Annotated[
        str | None,
        typer.Option(
            envvar="SLIPWAY_CODE",
            help="From your authenticator; better left out: it is asked for without an echo.",
        ),
    ] = None,
    reject: Annotated[bool, typer.Option("--reject", help="Say no.")] = False,
    comment: Annotated[str, typer.Option(help="Stands in the record.")] = "",
    question: Annotated[
        str | None,
        typer.Option(help="Name of the question that was read; what is asked now if absent."),
    ] = None,
    wait: Wait = True,
    as_json: Json = False,
) -> None:
    """Let a waiting release into its environment, or refuse it.

    Shows what waits, then asks for your name and the code of your authenticator.

    Example: `slipway approve --as maria`
    """
    runs = connect()
    view = runs.named(run) if run else _only_waiting(runs)
    if view.state != "PAUSED":
        raise GateClosed(
            f"does not wait for an approval, it is {view.word.lower()}",
            where=f"{view.name} ({view.short_id})",
            next_step="slipway status lists what waits",
        )
    # before it is shown: an answer is to nothing that came later
    question = question or runs.asks(view.id)
    if (approver is None or code is None) and not as_json:
        console.print(Markdown(runs.question(view.id)), soft_wrap=False)
    form = {
        "approver": approver or asked("Approver", "--as NAME"),
        "code": code or asked("One-time code", "SLIPWAY_CODE=123456", hide=True),
        "decision": "reject" if reject else "approve",
        "comment": comment,
        "question": question,
        "sent_from": own_origin(),
    }
    before = runs.view(view.id)
    runs.answer(view.id, form)
    _follow(runs, before, wait=wait, as_json=as_json)


def cancel(run: Run, *, as_json: Json = False) -> None:
    """End a run. A rollout under way goes back, or, where it is nearly over, to its end.

    Example: `slipway cancel shop@main`
    """
    runs = connect()
    view = runs.cancel(runs.named(run).id)
    if as_json:
        print_json(view)
        return
    how = "is cancelled" if view.state == "CANCELLED" else "is being cancelled by its worker"
    say("✓", "green", f"{view.name} ({view.short_id}) {how}")


def address_of(repository: str) -> str:
    """Return a local repository by its full path, another one as it was given.

    Raises:
        ConfigError: it looks like a path, and there is nothing.
    """
    local = Path(repository)
    if local.exists():
        return str(local.resolve())
    if "://" in repository or ":" in repository.partition("/")[0]:
        return repository
    raise ConfigError(
        "there is no such folder", where=repository, next_step="name a repository's path or address"
    )


def asked(what: str, instead: str, *, hide: bool = False) -> str:
    """Ask the person at the terminal.

    Raises:
        ConfigError: nobody is there.
    """
    if not sys.stdin.isatty():
        raise ConfigError(f"{what} is missing, and nobody can be asked", next_step=instead)
    return str(typer.prompt(what, hide_input=hide))


def begin(run_id: UUID, *, wait: bool, as_json: bool) -> None:
    """Say that a run has started, and follow it."""
    runs = connect()
    view = runs.view(run_id)
    if not as_json:
        console.print(f"{view.name} ({view.short_id}) {view.url}", markup=False)
    _follow(runs, view, wait=wait, as_json=as_json)


def _follow(runs: Runs, since: RunView, *, wait: bool, as_json: bool) -> None:
    if not wait:
        if as_json:
            print_json(runs.view(since.id))
        return
    with _left_alone(since):
        views = runs.follow(since.id)
        view = list(views)[-1] if as_json else show_stages(views, since)
    if as_json:
        print_json(view)
    status = _end(runs, view, silent=as_json)
    if status != exits.OK:
        raise typer.Exit(status)


@contextmanager
def _left_alone(view: RunView) -> Iterator[None]:
    """End the following at Ctrl-C, not the run."""
    try:
        yield
    except KeyboardInterrupt:
        typer.echo(
            "\nNo longer following; the run goes on.\n"
            f"Next: slipway logs {view.short_id} -f to follow it, "
            f"slipway cancel {view.short_id} to end it",
            err=True,
        )
        raise typer.Exit(exits.INTERRUPTED) from None


def _end(runs: Runs, view: RunView, *, silent: bool) -> int:
    """Say how following ended, and return the exit code for it."""
    notice = runs.notice(view.id) if view.state == "PAUSED" else ""
    if not silent:
        _say_end(view, notice)
    match view.state:
        case "COMPLETED":
            return exits.OK
        case "PAUSED":
            return exits.GATE if notice else exits.OK
        case "CRASHED":
            return exits.UNAVAILABLE
        case _:
            return exits.GATE if view.word == "Superseded" else exits.code_for_name(view.error)


def _say_end(view: RunView, notice: str) -> None:
    match view.state:
        case "COMPLETED":
            say("✓", "green", f"{view.name}: {view.message}" if view.message else view.name)
        case "PAUSED":
            if notice:
                say("✗", "red", f"the answer did not count: {notice}")
            say("…", "yellow", f"{view.name} waits for an approval: {view.url}")
            console.print(f"Next: slipway approve {view.short_id}")
        case _:
            said = view.message or view.word.lower()
            say("✗", "red", f"{view.name}: {said}")


def _only_waiting(runs: Runs) -> RunView:
    waiting = runs.waiting()
    if len(waiting) != 1:
        names = ", ".join(f"{view.name} ({view.short_id})" for view in waiting) or "none"
        step = "name one: slipway approve RUN" if waiting else "slipway deliver"
        raise ConfigError(f"{len(waiting)} runs wait for an approval: {names}", next_step=step)
    return waiting[0]
