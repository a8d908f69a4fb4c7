"""`slipway lab`: the commands."""

import dataclasses
import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Annotated

import psutil
import typer
from rich.console import Console
from rich.table import Table

from infra.cli import exits
from infra.lab import lifecycle
from infra.lab.components import COMPONENTS
from infra.lab.layout import current
from infra.lab.lifecycle import Health, LabStatus
from infra.lab.progress import showing
from tasks.core.errors import ConfigError

__all__ = ["app"]

app = typer.Typer(
    name="lab",
    help="The embedded lab: a real single-node Kubernetes, registry, BuildKit and Prometheus.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)

_COLOURS = {Health.HEALTHY: "green", Health.UNHEALTHY: "yellow", Health.DEAD: "red"}


@app.command()
def up() -> None:
    """Bring the lab up, or repair what is dead; nothing else is touched.

    Example: `slipway lab up`
    """
    with _interruptible(), showing(sys.stdout) as report:
        found = lifecycle.up(report)
    print(f"The lab is {found.health}: {found.api_server}")  # noqa: T201
    print(f"export KUBECONFIG={found.kubeconfig}")  # noqa: T201


@app.command()
def down(
    *,
    purge: Annotated[bool, typer.Option(help="Remove the cluster's data and images, too.")] = False,
) -> None:
    """End the lab. What the cluster holds stays for the next `up`, unless --purge.

    Example: `slipway lab down --purge`
    """
    with _interruptible():
        lifecycle.down(purge=purge)
    print("The lab is down.")  # noqa: T201


@app.command()
def status(
    *, as_json: Annotated[bool, typer.Option("--json", help="For scripts.")] = False
) -> None:
    """Show how each component is; exit 0 when all are healthy, 1 when not.

    Example: `slipway lab status --json`
    """
    found = lifecycle.status()
    if as_json:
        print(json.dumps(dataclasses.asdict(found), indent=2))  # noqa: T201
    else:
        _show(found)
    raise typer.Exit(exits.OK if found.health is Health.HEALTHY else exits.NO)


@app.command()
def logs(
    component: Annotated[str | None, typer.Argument(help="One component; all without it.")] = None,
    *,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on as lines come.")] = False,
    lines: Annotated[int, typer.Option("--lines", "-n", help="How many of the last lines.")] = 50,
) -> None:
    """Show the last lines of one component's log, or of all.

    Example: `slipway lab logs kubelet -f`
    """
    files = _log_files(component)
    if not files:
        raise ConfigError("no component has written a log", "lab", "slipway lab up")
    argv = ["tail", "-n", str(lines), *(["-F"] if follow else []), *files]
    sys.stdout.flush()
    os.execvp(argv[0], argv)  # noqa: S606 becomes tail, which ends with the terminal


def _log_files(component: str | None) -> list[str]:
    layout = current()
    names = ["node", *(one.name for one in COMPONENTS)]
    if component is not None and component not in names:
        known = ", ".join(names)
        raise ConfigError(f"no component is called {component}", "lab", f"take one of {known}")
    wanted = names if component is None else [component]
    return [str(layout.log(name)) for name in wanted if layout.log(name).exists()]


def _show(found: LabStatus) -> None:
    table = Table(box=None, pad_edge=False)
    for heading in ("component", "health", "pid"):
        table.add_column(heading)
    for one in found.components:
        colour = _COLOURS.get(one.health, "dim")
        table.add_row(one.name, f"[{colour}]{one.health}[/]", str(one.pid or "-"))
    console = Console()
    console.print(f"lab {found.instance}: {found.health}")
    console.print(table)
    for name in ("kubeconfig", "context", "api_server", "registry", "ingress", "prometheus"):
        console.print(f"{name.replace('_', ' '):<12} {getattr(found, name)}", soft_wrap=True)
    console.print("logs         slipway lab logs COMPONENT")
    for limit in found.limits:
        console.print(f"note: {limit}", soft_wrap=True)


@contextmanager
def _interruptible() -> Iterator[None]:
    """End what this process has started when a person, or the system, asks it to end."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before: Callable[..., object] | int | None = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    except KeyboardInterrupt:
        print("interrupted; `slipway lab up` goes on from here", file=sys.stderr)  # noqa: T201
        raise typer.Exit(exits.INTERRUPTED) from None
    finally:
        _end_children()
        signal.signal(signal.SIGTERM, before)


def _end_children() -> None:
    """End builds that still run; components are children of the lab's first process."""
    for child in psutil.Process().children(recursive=True):
        child.kill()
