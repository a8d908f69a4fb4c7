"""Files that a Go module carries beside its program."""

import hashlib
import os
import shutil
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from infra.lab.builds.toolchain import GO_ENVIRONMENT, go
from infra.lab.component import Say
from tasks.core import process

__all__ = ["ModuleFiles"]

_HERE = Path(__file__).parent
_LONGEST = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class ModuleFiles:
    """YAML files of modules that a module of this folder requires, as one stream.

    Attributes:
        module: folder beside this file that holds go.mod and go.sum.
        files: pairs of a required module and a glob below its root.
    """

    name: str
    version: str
    module: str
    files: tuple[tuple[str, str], ...]
    seconds: float = 5.0

    def path(self, cache: Path) -> Path:
        """Where the stream is."""
        pinned = (_HERE / self.module / "go.sum").read_bytes()
        digest = hashlib.sha256(repr(self.files).encode() + pinned).hexdigest()[:10]
        return cache / "manifests" / f"{self.name}-{self.version}-{digest}.yaml"

    def make(self, cache: Path, say: Say) -> None:
        """Read them out of Go's module cache.

        Raises:
            ToolFailed: the module cannot be had.
        """
        target = self.path(cache)
        target.parent.mkdir(parents=True, exist_ok=True)
        texts = [
            file.read_text()
            for required, glob in self.files
            for file in sorted(self._folder(required, go(cache, say), say).glob(glob))
        ]
        draft = target.with_name(f".{target.name}.{os.getpid()}")
        draft.write_text("\n---\n".join(texts))
        shutil.move(draft, target)

    def _folder(self, required: str, program: str, say: Say) -> Path:
        env = {**GO_ENVIRONMENT, "GOFLAGS": "-mod=readonly"}
        options = process.Options(env=env, cwd=_HERE / self.module, on_line=say)
        process.run([program, "mod", "download", required], timeout=_LONGEST, options=options)
        listed = process.run(
            [program, "list", "-m", "-f", "{{.Dir}}", required], timeout=_LONGEST, options=options
        )
        return Path(listed.stdout.strip())
