"""MyFin for a benchmark: one environment, in a namespace of the benchmark's own."""

import secrets
import shutil
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from tasks.core import process
from tasks.core.target import Target

__all__ = ["COMPONENTS", "Arm", "change", "make_repository", "remove_namespace"]

MYFIN = Path(__file__).resolve().parent.parent / "examples" / "myfin"
COMPONENTS = ("api", "frontend")
CHANGED = {"api": "src/main.ts", "frontend": "index.html"}
QUICK = timedelta(minutes=3)


@dataclass(frozen=True, slots=True)
class Arm:
    """One side of the comparison; nothing but builders and machine is shared."""

    name: str
    target: Target

    @property
    def namespace(self) -> str:
        """The Kubernetes namespace of this side."""
        return f"overhead-{self.name}"

    @property
    def registry(self) -> str:
        """The prefix of this side's images."""
        return f"{self.target.registry}/overhead-{self.name}"

    @property
    def host(self) -> str:
        """The name under which its ingress answers."""
        return f"{self.namespace}.localhost"

    def kubectl(self, *argv: str) -> list[str]:
        """Return kubectl on this side's cluster and namespace."""
        target = self.target
        where = ("--kubeconfig", target.kubeconfig, "--context", target.context)
        return [target.kubectl, *where, "--namespace", self.namespace, *argv]


def make_repository(folder: Path, arm: Arm) -> Path:
    """Write MyFin with its dev environment moved to the arm's namespace and host, committed."""
    ignored = shutil.ignore_patterns("node_modules", "dist", ".git")
    shutil.copytree(MYFIN, folder, ignore=ignored)
    for path in ("slipway.yaml", "deploy/overlays/dev/kustomization.yaml"):
        text = (folder / path).read_text()
        moved = text.replace("myfin-dev", arm.namespace).replace("dev.myfin.localhost", arm.host)
        (folder / path).write_text(moved)
    _git(folder, "init", "--quiet", "--initial-branch", "main")
    _commit(folder, f"MyFin for {arm.name}")
    change(folder, 0)
    return folder


def change(repository: Path, number: int) -> None:
    """Change one line of every component, so that each is linted, tested and built again."""
    for component, path in CHANGED.items():
        with (repository / component / path).open("a") as file:
            comment = f"{number} {secrets.token_hex(4)}"  # in no cache yet
            file.write(f"<!-- {comment} -->\n" if path.endswith("html") else f"// {comment}\n")
    _commit(repository, f"Change {number}")


def remove_namespace(arm: Arm) -> None:
    """Delete everything that this side put into the cluster."""
    argv = arm.kubectl("delete", "namespace", arm.namespace, "--ignore-not-found")
    process.run(argv, timeout=QUICK)


def _commit(folder: Path, message: str) -> None:
    _git(folder, "add", "--all")
    _git(folder, "commit", "--quiet", "--message", message)


def _git(folder: Path, *argv: str) -> None:
    person = {
        f"GIT_{role}_{what}": value
        for role in ("AUTHOR", "COMMITTER")
        for what, value in (("NAME", "Benchmark"), ("EMAIL", "benchmark@example.org"))
    }
    options = process.Options(cwd=folder, env=person)
    process.run(["git", *argv], timeout=QUICK, options=options)
