"""A program built with Go from a module of this folder."""

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from infra.lab.builds.toolchain import GO_ENVIRONMENT, go
from infra.lab.component import Say
from infra.lab.workshop import CONTAINED, fresh_draft
from tasks.core import process

__all__ = ["GoProgram"]

_HERE = Path(__file__).parent
_LONGEST = timedelta(minutes=40)


@dataclass(frozen=True, slots=True)
class GoProgram:
    """A Go program.

    Attributes:
        module: folder beside this file that holds go.mod and go.sum (and perhaps a main.go).
        package: what is built: the module itself, or a package of one that it requires.
        ldflags: handed to the linker, after `-s -w`.
        tags: build tags.
        seconds: a cold build on two cores.
    """

    name: str
    version: str
    module: str
    package: str = "."
    ldflags: str = ""
    tags: str = ""
    seconds: float = 90.0

    def path(self, cache: Path) -> Path:
        """Where the program is: `bin/NAME-VERSION-HASH`."""
        return cache / "bin" / f"{self.name}-{self.version}-{self._hash()}"

    def make(self, cache: Path, say: Say) -> None:
        """Build it, at low priority.

        Raises:
            ToolFailed: it does not build, or Go cannot be had.
        """
        target = self.path(cache)
        draft = fresh_draft(target)
        argv = [
            *CONTAINED, go(cache, say), "build", "-mod=readonly", "-trimpath", "-buildvcs=false",
            f"-ldflags=-s -w {self.ldflags}".strip(), f"-tags={self.tags}",
            "-o", str(draft), self.package,
        ]  # fmt: skip
        env = {**GO_ENVIRONMENT, "CGO_ENABLED": "0", "GOFLAGS": ""}
        options = process.Options(env=env, cwd=_HERE / self.module, on_line=say)
        try:
            process.run(argv, timeout=_LONGEST, options=options)
            draft.rename(target)
        finally:
            draft.unlink(missing_ok=True)

    def _hash(self) -> str:
        digest = hashlib.sha256(f"{self.package}\0{self.ldflags}\0{self.tags}".encode())
        for file in sorted((_HERE / self.module).iterdir()):
            if file.suffix in {".go", ".mod", ".sum"}:
                digest.update(file.name.encode() + b"\0" + file.read_bytes())
        return digest.hexdigest()[:10]
