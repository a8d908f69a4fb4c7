"""`make demo`: MyFin from a commit to prod, then a bad release and its restore."""

import argparse
import shlex
import sys
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from pathlib import Path
from uuid import UUID

import httpx
import pyotp
from rich.rule import Rule

from infra import server
from infra.cli import machine
from infra.cli.apply import keep
from infra.cli.approver import add_approver
from infra.cli.main import end_with
from infra.cli.monitoring import load_into_lab
from infra.cli.output import console, show_stages, table
from infra.cli.rollouts import connected
from infra.examples import (
    EXAMPLES,
    commit_all,
    commit_patch,
    head_of,
    make_repository,
    revert_to,
)
from infra.server.client import Runs, RunView
from infra.target import chosen
from infra.webhook.keys import Keys
from infra.webhook.settings import settings
from infra.webhook.stand_in import await_outcome, push, send
from tasks.approval import SecretApprovers
from tasks.core.clock import SystemClock, utc_now
from tasks.core.config import load
from tasks.core.errors import StageFailed
from tasks.core.markdown import public_address
from tasks.core.paths import state_dir

__all__ = ["hints", "main"]

APPROVER = "demo"
WORTH_SAYING = 0.5
"""Seconds from which a stage stands in the summary."""
UNASKED = (
    "[green]✓[/green] nobody was asked: this very release is live in prod since an earlier demo, "
    "and nothing changes there (after make clean the demo asks again)"
)


@dataclass(frozen=True, slots=True)
class Demo:
    """What the chapters of the demo share.

    Attributes:
        secret: of the demo's approver.
        signing: what the demo's pushes are signed with.
    """

    runs: Runs
    secret: str
    signing: str
    wait: bool


def main() -> None:
    """Run the demo; its exit statuses are those of `slipway`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--wait", action="store_true", help="leave the approval to you")
    arguments = parser.parse_args()
    end_with(lambda: _play(wait=arguments.wait))


def _play(*, wait: bool) -> None:
    _chapter("The lab, Prefect's server and the worker")
    machine.up(with_lab=True)
    demo = Demo(server.connect(), _enrol(), _signing_secret(), wait)
    folder = make_repository("myfin", state_dir() / "demo" / "myfin")
    load_into_lab(load(folder))

    _chapter("A commit of MyFin to dev, staging and prod")
    delivered = _deliver(demo, folder)
    if delivered.state == "COMPLETED":
        console.print(UNASKED)
    good = _approve_when_asked(demo, delivered)
    _require(good.state == "COMPLETED", f"the good release did not arrive: {good.message}")
    answers, good_commit = _ask_everywhere(), head_of(folder)

    _chapter("A bad release, taken back")
    _spoil(folder)
    bad = _deliver(demo, folder)
    revert_to(folder, good_commit)
    _require(bad.state == "FAILED", f"the bad release ended as {bad.state}: {bad.message}")
    console.print(f"[green]✓[/green] taken back: {bad.message}")
    _require(_ask_everywhere() == answers, "the application is not what it was before")
    _summary(good, bad)
    for line in hints(folder, Path.cwd()):
        console.print(line, markup=False)


def _chapter(title: str) -> None:
    console.print(Rule(title, align="left"), width=min(console.width, 100))


def _require(holds: object, complaint: str) -> None:
    if not holds:
        raise StageFailed(complaint, where="demo", next_step="slipway status, slipway logs RUN")


def _enrol() -> str:
    """Make the demo's approver, as `slipway approver add` does, and return the TOTP secret.

    The secret of an earlier demo counts where the cluster knows the approver still.
    """
    note = state_dir() / "demo" / "approver"
    with connected(chosen()) as cluster:
        known = {each.name for each in SecretApprovers(cluster).everybody()}
        if not note.exists() or APPROVER not in known:
            note.parent.mkdir(parents=True, exist_ok=True)
            note.touch(mode=0o600)
            note.write_text(add_approver(APPROVER, ("demo@example.com",), cluster))
    return note.read_text()


def _signing_secret() -> str:
    """Make the secret of the demo's pushes, as `slipway webhook secret add` does."""
    keys = Keys(settings().secrets)
    known = {key.name: key.secret for key in keys.all()}
    return known.get(APPROVER) or keys.add(APPROVER, utc_now())


def _deliver(demo: Demo, folder: Path) -> RunView:
    """Push the head to the receiver, as GitHub does, and follow the run that it starts."""
    clock, repository = SystemClock(), keep(folder, str(folder))
    now = int(clock.now().timestamp())
    request = push(repository.name, head_of(folder), demo.signing, pushed_at=now)
    _require(send(request, settings()) == HTTPStatus.ACCEPTED, "the push was refused")
    outcome = await_outcome(request[1]["x-github-delivery"], settings(), clock)
    _require(outcome.run, f"the push started nothing: {outcome.reason}")
    console.print(f"[green]✓[/green] a signed push started {outcome.reason}")
    run = UUID(outcome.run)
    console.print(demo.runs.view(run).url)
    return _follow(demo, run)


def _follow(demo: Demo, run: UUID, since: RunView | None = None) -> RunView:
    view: RunView = show_stages(demo.runs.follow(run), since)
    return view


def _approve_when_asked(demo: Demo, view: RunView) -> RunView:
    """Answer through the run's form, or leave that to the person who watches."""
    if view.state != "PAUSED":
        return view
    console.print(f"[yellow]…[/yellow] prod waits for an approval: {view.url}")
    if demo.wait:
        console.print(
            f"In the form there: approver {APPROVER}, decision approve, and a code of "
            f"{pyotp.TOTP(demo.secret, name=APPROVER, issuer='Slipway demo').provisioning_uri()}\n"
            f"or: slipway approve --as {APPROVER}"
        )
        _await_somebody(demo, view)
    else:
        code = pyotp.TOTP(demo.secret).now()
        form = {"approver": APPROVER, "code": code, "decision": "approve", "comment": "demo"}
        demo.runs.answer(view.id, {**form, "question": demo.runs.asks(view.id)})
        console.print(f"[green]✓[/green] {APPROVER} approved, with a one-time code")
    return _approve_when_asked(demo, _follow(demo, view.id, since=view))


def _await_somebody(demo: Demo, view: RunView) -> None:
    clock = SystemClock()
    while demo.runs.view(view.id).state == "PAUSED":
        clock.wait(timedelta(seconds=1))


def _spoil(folder: Path) -> None:
    """Commit a release whose API stops being healthy, another one at each demo."""
    patch = EXAMPLES / "myfin" / "demo" / "bad-release.patch"
    commit_patch(folder, patch, "Show amounts in every currency")
    file = folder / "deploy" / "base" / "kustomization.yaml"
    words = "now in every currency"
    file.write_text(file.read_text().replace(words, f"{words} since {utc_now():%H:%M:%S}"))
    commit_all(folder, "Say since when")


def _ask_everywhere() -> dict[str, str]:
    """Ask the application in each environment through the ingress what it is."""
    return {name: _ask(url) for name, url in _addresses().items()}


def _ask(url: str) -> str:
    ingress = chosen().ingress
    address = httpx.URL(f"{url}/api/v1/about")
    host = address.host
    through = address.copy_with(netloc=ingress.encode()) if ingress else address
    answer = httpx.get(through, headers={"host": host}, timeout=5, trust_env=False)
    _require(answer.is_success, f"{address} answers {answer.status_code}")
    console.print(f"[green]✓[/green] {public_address(url, ingress)}api/v1/about: {answer.text}")
    return answer.text


def _addresses() -> dict[str, str]:
    described = load(EXAMPLES / "myfin" / "slipway.yaml")
    return {name: each.url for name, each in described.environments.items() if each.url}


def _summary(good: RunView, bad: RunView) -> None:
    _chapter("Summary")
    port = (chosen().ingress or "").rpartition(":")[2]
    table(
        ("WHAT", "WHERE"),
        [
            *((f"MyFin in {name}", f"{url}:{port}/") for name, url in _addresses().items()),
            ("Prefect UI", server.server().ui),
            ("the good release", good.url),
            ("the bad release", bad.url),
        ],
    )
    table(
        ("STAGE", "SECONDS"),
        [
            (stage.name, f"{stage.seconds:.1f}")
            for stage in good.stages
            if stage.seconds >= WORTH_SAYING
        ],
    )


def hints(folder: Path, here: Path) -> tuple[str, ...]:
    """Say what to try next, in commands that work.

    Args:
        folder: the demo's repository.
        here: where the person types.
    """
    program = Path(sys.executable).with_name("slipway")
    typed = program.relative_to(here) if program.is_relative_to(here) else program
    slipway, repository = shlex.quote(str(typed)), shlex.quote(str(folder))
    greeting = shlex.quote(str(folder / "deploy" / "base" / "kustomization.yaml"))
    return (
        "What prod has lived through, and the bad release step by step:",
        f"  {slipway} history prod -a {repository}",
        f"  {slipway} show dev -a {repository}",
        "A change of your own (each demo makes this repository anew), and the way back:",
        f"  sed -i 's/Welcome to MyFin/Good morning/' {greeting}",
        f"  git -C {repository} commit --quiet --all --message 'Another greeting'",
        f"  {slipway} deliver {repository} --until staging",
        f"  {slipway} rollback staging --reason 'trying it' -a {repository}",
        "The end of it all:",
        "  make clean",
    )


if __name__ == "__main__":
    main()
