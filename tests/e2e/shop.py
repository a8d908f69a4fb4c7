"""The guestbook as an application of a test's own."""

import base64
import contextlib
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import httpx

from infra.examples import commit_all, make_repository
from infra.target import chosen
from tasks.core import process
from tasks.core.cluster import Scope
from tasks.core.cluster_api import connect
from tasks.core.config import load
from tasks.core.objects import Kind, Object, Ref, ref_of
from tasks.core.record import Record, RolloutState
from tasks.core.target import Target
from tasks.rollout import history
from tasks.rollout.access import account_of
from tasks.rollout.model import Place
from tasks.rollout.place import place_of

__all__ = ["AUTHOR", "AUTHORS_EMAIL", "PEOPLE", "Shop", "make_shop", "slipway"]

SIDE = os.environ.get("PYTEST_XDIST_WORKER", "")
"""Which of the processes that share a Slipway this is."""
NAMES = ("demo", "ann", "ben", "cleo", "eve", "flo", "gus", "hal", "ida", "jan")
PEOPLE = tuple(f"{name}{SIDE}" for name in NAMES)
"""A code counts once, so that everybody is asked in turn and no test has to wait for the next."""
AUTHOR = f"dora{SIDE}"
AUTHORS_EMAIL = "dora@example.com"
PATIENCE = timedelta(minutes=3)


@dataclass(frozen=True, slots=True)
class Shop:
    """The guestbook under a name and in namespaces of its own.

    Attributes:
        target: what the test looks with; it may do everything.
        acting: what Slipway works with, where that is less.
    """

    name: str
    repository: Path
    target: Target
    acting: Target | None = None

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

    @contextlib.contextmanager
    def files_kept(self) -> Iterator[None]:
        """Bring the work tree's files back afterwards; what was committed stays committed."""
        files = [file for file in self.repository.rglob("*") if _is_source(file)]
        saved = {file: file.read_bytes() for file in files}
        yield
        for file in filter(_is_source, self.repository.rglob("*")):
            file.unlink()
        for file, content in saved.items():
            file.write_bytes(content)

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

    def rolls_out(self, environment: str) -> bool:
        """Say whether a rollout is under way and its workload has been applied."""
        newest = next(iter(self.history(environment)), None)
        if newest is None or newest.state is not RolloutState.STARTED:
            return False
        return len(self.objects(environment, "Deployment", "apps/v1")) == 1

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

    def delete(self, environment: str, kind: str, api_version: str = "v1") -> None:
        """Delete the only object of a kind, as somebody else would."""
        (found,) = self.objects(environment, kind, api_version)
        with connect(self.place(environment).target) as cluster:
            cluster.delete(ref_of(found))

    def given_least_rights(self, environment: str) -> "Shop":
        """Return the same with an identity that may roll out into one environment, and no more."""
        folder, kubectl = self.repository.parent, self.target.kubectl
        words = ("access", environment, "-a", str(self.repository))
        granted = slipway(folder, *words).stdout
        admin = ("--kubeconfig", self.target.kubeconfig, "--context", self.target.context)
        options = process.Options(stdin=granted)
        process.run((kubectl, *admin, "apply", "-f", "-"), timeout=PATIENCE, options=options)
        kubeconfig = folder / f"{self.name}-{environment}.kubeconfig"
        slipway(folder, *words, "--write", str(kubeconfig))
        context = account_of(self.place(environment))
        acting = replace(self.target, kubeconfig=str(kubeconfig), context=context)
        return replace(self, acting=acting)

    def generated_secrets(self) -> set[str]:
        """Return the values that Slipway made up for Secrets, in every environment."""
        return {
            base64.b64decode(value).decode()
            for name in load(self.repository / "slipway.yaml").environments
            for thing in self.objects(name, "Secret")
            if (thing["metadata"].get("labels") or {}).get("slipway.dev/generated") == "true"
            for value in (thing.get("data") or {}).values()
        }

    def remove(self) -> None:
        """Delete the namespaces."""
        with connect(self.target) as cluster:
            for name in load(self.repository / "slipway.yaml").environments:
                cluster.delete(Ref(Kind("v1", "Namespace"), "", self.place(name).namespace))


def slipway(folder: Path, *words: str, **variables: str) -> process.Completed:
    """Run the real command, with any exit status."""
    program = str(Path(sys.executable).parent / "slipway")
    options = process.Options(env=variables, cwd=folder, ok=tuple(range(256)))
    return process.run((program, *words), timeout=PATIENCE, options=options)


def make_shop(folder: Path, environments: Sequence[str]) -> Shop:
    """Make a repository of one application with these environments."""
    name = f"gb-{uuid4().hex[:6]}"
    made = make_repository("guestbook", folder / name)
    for file in (made / "slipway.yaml", *(made / "deploy").rglob("*.yaml")):
        file.write_text(_renamed(file.read_text(), name))
    _keep_environments(made / "slipway.yaml", environments)
    shop = Shop(name, made, chosen())
    shop.given_commit("Name it")
    return shop


def _renamed(text: str, name: str) -> str:
    """Give the guestbook another name, namespaces and public addresses; the image stays."""
    for environment in ("dev", "prod"):
        text = text.replace(f"guestbook-{environment}", f"{name}-{environment}")
        text = text.replace(f"{environment}.guestbook.localhost", f"{environment}.{name}.localhost")
    text = text.replace("application: guestbook", f"application: {name}")
    return text.replace("approvers: [demo]", f"approvers: [{', '.join((*PEOPLE, AUTHOR))}]")


def _keep_environments(file: Path, names: Sequence[str]) -> None:
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


def _is_source(path: Path) -> bool:
    return path.is_file() and ".git" not in path.parts
