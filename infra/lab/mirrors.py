"""Where this machine has its own Debian from, and so the lab the files of its root and images."""

from datetime import timedelta
from pathlib import Path

from tasks.core.errors import ConfigError
from tasks.core.process import run

__all__ = ["apt_options", "debian_archives", "debian_sources"]

KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
HOST_SUITE = "bookworm"
QUICK = timedelta(minutes=5)
UPDATE = timedelta(minutes=15)


def debian_sources() -> list[str]:
    """Files that name the machine's own Debian mirrors; empty leaves the choice to mmdebstrap."""
    folder = Path("/etc/apt/sources.list.d")
    found = [str(file) for file in sorted(folder.glob("debian*.sources"))]
    classic = Path("/etc/apt/sources.list")
    if classic.exists() and "deb " in classic.read_text():
        found.append(str(classic))
    return found


def debian_archives(suite: str) -> list[str]:
    """Return the lines of a sources.list for a suite, which need not be the machine's own.

    Raises:
        ConfigError: this machine has no Debian 12 to tell the archives from.
    """
    signed = f"[signed-by={KEYRING}]"
    mirrors = _mirrors()
    missing = {"main", "security"} - mirrors.keys()
    if missing:
        raise ConfigError(
            f"apt knows no archive of {HOST_SUITE} ({', '.join(sorted(missing))})",
            where="/etc/apt",
            next_step=f"name {HOST_SUITE} and {HOST_SUITE}-security, then apt-get update",
        )
    main = [f"deb {signed} {mirrors['main']} {suite} main"]
    security = [f"deb {signed} {mirrors['security']} {suite}-security main"]
    return main if suite == "sid" else main + security


def _mirrors() -> dict[str, str]:
    """Return where this machine has its own Debian and its security updates from."""
    argv = ["apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE)", "Created-By: Packages"]
    lines = run(argv, timeout=QUICK).stdout.splitlines()
    if not lines:  # a machine that has never asked
        run(["apt-get", "update", "-q"], timeout=UPDATE)
        lines = run(argv, timeout=QUICK).stdout.splitlines()
    found: dict[str, str] = {}
    for line in lines:
        place, release = line.split()
        if release.endswith("-security"):
            found.setdefault("security", place)
        elif release == HOST_SUITE:
            found.setdefault("main", place)
    return found


def apt_options() -> str:
    """Tell apt in the new root how this machine reaches the archives (proxy, dates)."""
    dump = run(["apt-config", "dump"], timeout=QUICK).stdout
    ways = ("Acquire::http", "Acquire::https", "Acquire::Check", "Acquire::Retries")
    return "".join(f"{line}\n" for line in dump.splitlines() if line.startswith(ways))
