"""What code that nobody has reviewed may not do to those who build and render it."""

import re
import shutil
from pathlib import Path

from tasks.core.errors import ConfigError

__all__ = ["OWN_CACHE", "alone", "require_known_frontend"]

OWN_CACHE = "BUILDKIT_CACHE_MOUNT_NS"
"""Build argument that keeps cache mounts apart; dockerui/config.go of BuildKit 0.34."""
_SYNTAX = re.compile(r"^[^\w\n]*syntax\s*=\s*(?P<named>\S+)", re.MULTILINE | re.IGNORECASE)
_JSON = re.compile(r"\ufeff?(#!.*\n)?\s*\{")
_KNOWN = re.compile(r"(docker\.io/)?docker/dockerfile:1(\.([4-9]|[1-9]\d)(\.\d+)?)?")
_NOWHERE = "http://127.0.0.1:9"


def require_known_frontend(dockerfile: Path, where: str) -> None:
    """See that BuildKit's own frontend reads a Dockerfile: another may ignore whose a cache is.

    A word too many is refused rather than one too few: `# syntax=` counts wherever it stands.

    Raises:
        ConfigError: it names another one.
    """
    text = dockerfile.read_text(encoding="utf-8", errors="replace")
    named = ["JSON"] if _JSON.match(text) else [each["named"] for each in _SYNTAX.finditer(text)]
    for frontend in named:
        if not _KNOWN.fullmatch(frontend):
            raise ConfigError(
                f"{dockerfile.name} names the frontend {frontend[:80]}",
                where=where,
                next_step="name docker/dockerfile:1 (1.4 or later) or none in a pull request",
            )


def alone(program: str) -> tuple[str, dict[str, str]]:
    """Return a program by its path, and variables with which it finds no git and no network.

    Kustomize fetches what an overlay names: with this machine's keys, from inside its network.
    """
    proxies = ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy")
    closed = dict.fromkeys(proxies, _NOWHERE) | {"NO_PROXY": "", "no_proxy": ""}
    return shutil.which(program) or program, {"PATH": "", "KUBECONFIG": "/dev/null", **closed}
