"""A Slipway with a worker on the lab, in the three words of a test."""

import contextlib
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import httpx
import psutil
import pyotp

from infra import server
from infra.examples import commit_all, make_repository
from infra.target import chosen
from tasks.approval import dismiss, enrol
from tasks.core import process
from tasks.core.clock import SystemClock
from tasks.core.cluster import Scope
from tasks.core.cluster_api import connect
from tasks.core.config import load
from tasks.core.errors import ConfigError
from tasks.core.model import Record, RolloutState, Target
from tasks.core.objects import Kind, Object, Ref
from tasks.rollout import history
from tasks.rollout.model import Place
from tasks.rollout.place import place_of

if TYPE_CHECKING:
    from infra.server.client import Runs, RunView

__all__ = ["PEOPLE", "Pipeline", "Shop", "enrolled"]

PATIENCE = timedelta(minutes=5)
LOOK_EVERY = timedelta(milliseconds=200)
OVER = {"COMPLETED", "FAILED", "CANCELLED", "PAUSED"}
"""A crashed run is not over: the worker starts it again."""
PEOPLE = ("demo", "ann", "ben", "cleo", "eve", "flo", "gus", "hal", "ida", "jan")
"""A code counts once, so that everybody is asked in turn and no test has to wait for the next."""
AUTHOR = "dora"
ANY_STATUS = tuple(range(256))
COMMAND_TIMEOUT = timedelta(minutes=3)


@dataclass(frozen=True, slots=True)
class Shop:
    """The guestbook under a name and in namespaces of its own."""

    name: str
    repository: Path
    target: Target

    def place(self, environment: str) -> Place:
        """Return an environment as the work tree describes it."""
        return place_of(load(self.repository / "slipway.yaml"), environment, self.target)

    def given_change(self, file: str, old: str, new: str) -> str:
        """Commit another text in a file and return the commit."""
        path = self.repository / file
        assert old in path.read_text(), f"{file} does not hold {old!r}"
        path.write_text(path.read_text().replace(old, new))
        return self.given_commit(f"Say {new.splitlines()[0][:40]} in {file}")

    def given_commit(self, message: str) -> str:
        """Commit what is in the work tree and return the commit."""
        return commit_all(self.repository, message)

    def given_greeting(self, words: str) -> str:
        """Commit another configuration: a new release of the same image."""
        path = self.repository / "deploy" / "base" / "kustomization.yaml"
        lines = path.read_text().splitlines()
        new = [f"      - GREETING={words}" if "GREETING=" in line else line for line in lines]
        path.write_text("\n".join(new) + "\n")
        return self.given_commit(f"Greet with {words}")

    def history(self, environment: str) -> tuple[Record, ...]:
        """Return the records of an environment, newest first."""
        place = self.place(environment)
        with connect(place.target) as cluster:
            return history.history(place, cluster)

    def states(self, environment: str) -> list[tuple[int, str]]:
        """Return number and state of each rollout, oldest first."""
        return [(each.number, each.state.value) for each in reversed(self.history(environment))]

    def objects(self, environment: str, kind: str, api_version: str = "v1") -> tuple[Object, ...]:
        """Return the objects of a kind in an environment."""
        place = self.place(environment)
        with connect(place.target) as cluster:
            return cluster.find(Scope((Kind(api_version, kind),), place.namespace))

    def workload(self, environment: str) -> Object:
        """Return the only Deployment of an environment."""
        (found,) = self.objects(environment, "Deployment", "apps/v1")
        return found

    def config(self, environment: str) -> set[str]:
        """Return the greetings of the ConfigMaps that Slipway put there."""
        found = self.objects(environment, "ConfigMap")
        return {each["data"]["GREETING"] for each in found if "GREETING" in each.get("data", {})}

    def pods(self, environment: str) -> tuple[Object, ...]:
        """Return the pods that stay."""
        pods = self.objects(environment, "Pod")
        return tuple(pod for pod in pods if "deletionTimestamp" not in pod["metadata"])

    def get(self, environment: str, path: str = "/") -> httpx.Response:
        """GET a path of an environment's public address through the ingress."""
        place = self.place(environment)
        url = httpx.URL(f"{place.environment.url}{path}")
        through = url.copy_with(netloc=str(place.target.ingress).encode())
        return httpx.get(through, headers={"host": url.host}, timeout=10, trust_env=False)

    def patch(self, environment: str, thing: Object) -> None:
        """Change something in the cluster as somebody else would: with kubectl."""
        place = self.place(environment)
        kubectl = (place.target.kubectl, "--kubeconfig", place.target.kubeconfig)
        where = ("--context", place.target.context, "--namespace", place.namespace)
        argv = (*kubectl, *where, "apply", "--server-side", "--force-conflicts", "-f", "-")
        options = process.Options(stdin=json.dumps(thing))
        process.run(argv, timeout=COMMAND_TIMEOUT, options=options)

    def remove(self) -> None:
        """Delete the namespaces."""
        with connect(self.target) as cluster:
            for name in load(self.repository / "slipway.yaml").environments:
                cluster.delete(Ref(Kind("v1", "Namespace"), "", self.place(name).namespace))


@dataclass(frozen=True, slots=True)
class Pipeline:
    """What a test does with a running Slipway; secrets are those of its approvers."""

    runs: "Runs"
    folder: Path
    secrets: Mapping[str, str]
    turns: Iterator[str] = field(default_factory=lambda: cycle(PEOPLE))

    @contextlib.contextmanager
    def shop(self, *environments: str) -> Iterator[Shop]:
        """Give an application with these environments, and take it away afterwards."""
        name = f"gb-{uuid4().hex[:6]}"
        folder = make_repository("guestbook", self.folder / name)
        for file in (folder / "slipway.yaml", *(folder / "deploy").rglob("*.yaml")):
            file.write_text(_renamed(file.read_text(), name))
        _keep_environments(folder / "slipway.yaml", environments or ("dev", "prod"))
        shop = Shop(name, folder, chosen())
        shop.given_commit("Name it")
        try:
            yield shop
        finally:
            shop.remove()

    def when_started(self, shop: Shop, until: str | None = None, **more: str) -> UUID:
        """Deliver the head of a repository, without waiting."""
        parameters = {
            "repository": str(shop.repository),
            "revision": "HEAD",
            "until": until,
            "target": asdict(shop.target),
            **more,
        }
        return self.runs.start("deliver/deliver", parameters)

    def when_delivered(self, shop: Shop, until: str | None = None, **more: str) -> "RunView":
        """Deliver the head of a repository and wait until the run is over or waits."""
        return self.until_over(self.when_started(shop, until, **more))

    def when_approved(self, run: UUID) -> "RunView":
        """Answer a waiting run with yes and wait until it is over or waits again."""
        return self.when_answered(run, self.answer())

    def when_answered(self, run: UUID, form: dict[str, str]) -> "RunView":
        """Answer a waiting run and wait until it is over or waits again."""
        self.runs.answer(run, form)
        return self.until_over(run)

    def when_rolled_back(self, shop: Shop, environment: str, to: int | None = None) -> "RunView":
        """Run the flow `rollback` and wait for its end."""
        place = shop.place(environment)
        parameters = {
            "application": place.application,
            "environment": place.name,
            "namespace": place.namespace,
            "target": asdict(place.target),
            "reason": "users suffer",
            "to": to,
        }
        return self.until_over(self.runs.start("rollback/rollback", parameters))

    def answer(self, approver: str | None = None, **changed: str) -> dict[str, str]:
        """Return the form as an approver fills it in."""
        approver = approver or next(self.turns)
        code = pyotp.TOTP(self.secrets[approver]).now()
        form = {"approver": approver, "code": code, "decision": "approve", "comment": ""}
        return {**form, **changed}

    def question(self, run: UUID) -> str:
        """Return what the approver of a waiting run reads."""
        state = self.runs.client.read_flow_run(run).state
        assert state is not None
        keyset = state.state_details.run_input_keyset
        assert keyset is not None
        content = self.runs.client.read_flow_run_input(run, keyset["description"])
        return str(json.loads(content))

    def when_killed(self, run: UUID, when: Callable[[], bool]) -> None:
        """Kill a run's process with -9 as soon as something holds, and see it killed."""
        self._wait(when, lambda: f"never came to it: {self._told(run)}")
        engine = self.engine(run)
        assert engine is not None, self._told(run)
        engine.kill()
        psutil.wait_procs([engine], timeout=10)

    def engine(self, run: UUID) -> psutil.Process | None:
        """Return the process that a run lives in, None where it has none."""
        return next(filter(_is_engine, self.processes(run)), None)

    def processes(self, run: UUID) -> list[psutil.Process]:
        """Return every process that belongs to a run, children and leftovers included."""
        from infra.server.worker import run_processes  # noqa: PLC0415 after the environment

        return run_processes().get(str(run), [])

    def runs_program(self, run: UUID, program: str) -> bool:
        """Say whether a run has started a program that still runs."""
        names = [_name(each) for each in self.processes(run) if not _is_engine(each)]
        return any(program in name for name in names)

    def pushes(self, run: UUID) -> bool:
        """Say whether a run's own process speaks with the registry."""
        engine, port = self.engine(run), int(chosen().registry.partition("/")[0].split(":")[1])
        if engine is None:
            return False
        with contextlib.suppress(psutil.Error):
            connections = engine.net_connections("tcp")
            return any(port in each.raddr[1:] for each in connections)
        return False

    def rolls_out(self, shop: Shop, environment: str) -> bool:
        """Say whether a rollout is under way and its workload has been applied."""
        newest = next(iter(shop.history(environment)), None)
        if newest is None or newest.state is not RolloutState.STARTED:
            return False
        return len(shop.objects(environment, "Deployment", "apps/v1")) == 1

    def until_over(self, run: UUID) -> "RunView":
        """Wait until a run is over or waits for somebody."""
        return self.until(run, lambda view: view.state in OVER)

    def until(self, run: UUID, holds: "Callable[[RunView], bool]") -> "RunView":
        """Wait until something holds of a run."""
        self._wait(lambda: holds(self.runs.view(run)), lambda: self._told(run))
        return self.runs.view(run)

    def stages(self, view: "RunView") -> set[str]:
        """Return the names of the stages that did something in a run."""
        return {stage.name for stage in view.stages}

    def log(self, run: UUID) -> str:
        """Return what a run said."""
        return "\n".join(line for _, line in self.runs.log_lines(run))

    def restart(self) -> None:
        """End the server and the worker, and start them again."""
        server.down()
        server.up()

    def slipway(self, *words: str, **variables: str) -> process.Completed:
        """Run the real command, with any exit status."""
        program = str(Path(sys.executable).parent / "slipway")
        options = process.Options(env=variables, cwd=self.folder, ok=ANY_STATUS)
        return process.run((program, *words), timeout=COMMAND_TIMEOUT, options=options)

    def _wait(self, holds: Callable[[], bool], told: Callable[[], str]) -> None:
        clock = SystemClock()
        deadline = clock.now() + PATIENCE
        while not holds():
            assert clock.now() < deadline, told()
            clock.wait(LOOK_EVERY)

    def _told(self, run: UUID) -> str:
        view = self.runs.view(run)
        return f"{view.name} is {view.state}: {view.message}\n{self.log(run)}"


@contextlib.contextmanager
def enrolled() -> Iterator[dict[str, str]]:
    """Enrol the people of the tests, each with an address of their own; the author is one."""
    emails = {name: f"{name}@example.com" for name in (*PEOPLE, AUTHOR)}
    for name in emails:
        with contextlib.suppress(ConfigError):
            dismiss(name)  # left by tests that were killed
    try:
        yield {name: enrol(name, (email,)) for name, email in emails.items()}
    finally:
        for name in emails:
            with contextlib.suppress(ConfigError):
                dismiss(name)


def _renamed(text: str, name: str) -> str:
    """Give the guestbook another name, namespaces and public addresses; the image stays."""
    for environment in ("dev", "prod"):
        text = text.replace(f"guestbook-{environment}", f"{name}-{environment}")
        text = text.replace(f"{environment}.guestbook.localhost", f"{environment}.{name}.localhost")
    text = text.replace("application: guestbook", f"application: {name}")
    return text.replace("approvers: [demo]", f"approvers: [{', '.join((*PEOPLE, AUTHOR))}]")


def _keep_environments(file: Path, names: tuple[str, ...]) -> None:
    """Leave other environments out of a slipway.yaml."""
    kept, inside, drops = [], False, False
    for line in file.read_text().splitlines():
        if not line.startswith(" ") and line.strip():
            inside, drops = line == "environments:", False
        elif inside and line.startswith("  ") and not line.startswith("   "):
            drops = line.strip().removesuffix(":") not in names
        if not drops:
            kept.append(line)
    file.write_text("\n".join(kept) + "\n")


def _is_engine(running: psutil.Process) -> bool:
    with contextlib.suppress(psutil.Error):
        return any("prefect.engine" in word for word in running.cmdline())
    return False


def _name(running: psutil.Process) -> str:
    with contextlib.suppress(psutil.Error):
        return " ".join(running.cmdline())
    return ""
