"""The two peers, built once from the Go proxy, and run as processes of this machine."""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import psutil

from infra.lab.builds import toolchain
from tasks.core import process
from tasks.core.paths import cache_dir

__all__ = ["ARGO", "FLAGGER", "Peer", "running"]

BUILD = timedelta(minutes=40)
GRACE_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Peer:
    """A controller.

    Attributes:
        package: folder of its main package in the module.
        go_line: what its go.mod asks of Go, and what serves as well; None leaves it alone.
    """

    name: str
    module: str
    version: str
    package: str
    go_line: tuple[str, str] | None = None

    @property
    def sources(self) -> Path:
        """A copy of the module, with its manifests."""
        return cache_dir() / "bench" / f"{self.name}-{self.version}"

    def build(self) -> Path:
        """Return the program; the first time it is built, at low priority, beside its sources."""
        program = cache_dir() / "bench" / "bin" / f"{self.name}-{self.version}"
        if not program.exists():
            self._copy()
            # the module's own go.mod stays in force: its replace lines count in it alone
            argv = [
                "nice",
                "-n",
                "15",
                _go(),
                "build",
                "-mod=mod",
                "-o",
                str(program),
            ]
            options = process.Options(cwd=self.sources)
            process.run([*argv, f"./{self.package}"], timeout=BUILD, options=options)
        return program

    def _copy(self) -> None:
        # a module that asks for a newer Go is downloaded and then refused: the files are there
        options = process.Options(env={"GOTOOLCHAIN": "local"}, ok=(0, 1))
        reference = f"{self.module}@v{self.version}"
        process.run([_go(), "mod", "download", reference], timeout=BUILD, options=options)
        folder = process.run([_go(), "env", "GOMODCACHE"], timeout=BUILD).stdout.strip()
        shutil.rmtree(self.sources, ignore_errors=True)
        shutil.copytree(Path(folder) / reference, self.sources, copy_function=shutil.copyfile)
        for path in (self.sources, *self.sources.rglob("*")):
            path.chmod(0o755 if path.is_dir() else 0o644)
        if self.go_line is not None:
            file = self.sources / "go.mod"
            file.write_text(file.read_text().replace(*self.go_line, 1))


ARGO = Peer(
    "argo-rollouts",
    "github.com/argoproj/argo-rollouts",
    "1.10.2",
    "cmd/rollouts-controller",
    ("go 1.26.10", "go 1.26"),
)
FLAGGER = Peer("flagger", "github.com/fluxcd/flagger", "1.36.1", "cmd/flagger")


def _go() -> str:
    return toolchain.go(cache_dir(), print)


@contextmanager
def running(peer: Peer, words: Sequence[str], log: Path) -> Iterator[None]:
    """Run a peer's controller until the block is left."""
    controller = psutil.Process(process.spawn([str(peer.build()), *words], log=log))
    try:
        yield
    finally:
        controller.terminate()
        _, alive = psutil.wait_procs([controller], timeout=GRACE_SECONDS)
        for each in alive:
            each.kill()
