"""The lab's root file system: Debian packages unpacked in a folder of the cache."""

import contextlib
import hashlib
import shutil
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from filelock import FileLock

from infra.lab.component import Say
from infra.lab.mirrors import debian_sources
from infra.lab.workshop import CONTAINED, fresh_draft
from tasks.core import process

__all__ = ["MMDEBSTRAP", "ROOTFS", "Rootfs", "ensure_host_tools"]

SUITE = "bookworm"
PACKAGES = (
    "ca-certificates", "conntrack", "containerd", "containernetworking-plugins", "docker.io",
    "docker-registry", "ethtool", "iproute2", "iptables", "mount", "nftables", "procps",
    "prometheus", "prometheus-alertmanager", "prometheus-node-exporter", "runc", "socat", "tini",
    "util-linux",
)  # fmt: skip
MMDEBSTRAP = (*CONTAINED, "mmdebstrap")
_HOST_TOOLS = {"mmdebstrap": "mmdebstrap", "ip": "iproute2", "git": "git"}
_LONGEST = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class Rootfs:
    """A Debian root with some packages and what they depend on; no service is ever started."""

    name: str
    packages: tuple[str, ...]
    suite: str = SUITE
    seconds: float = 45.0

    def path(self, cache: Path) -> Path:
        """Folder of the root."""
        key = hashlib.sha256("\n".join((self.suite, *self.packages)).encode()).hexdigest()
        return cache / "rootfs" / f"debian-{key[:10]}"

    def make(self, cache: Path, say: Say) -> None:
        """Let mmdebstrap make it.

        Raises:
            ToolFailed: a package could not be fetched or unpacked.
        """
        ensure_host_tools(cache, say)
        target = self.path(cache)
        draft = fresh_draft(target)
        argv = [
            *MMDEBSTRAP, "--mode=root", "--variant=minbase",
            f"--include={','.join(self.packages)}", self.suite, str(draft), *debian_sources(),
        ]  # fmt: skip
        try:
            process.run(argv, timeout=_LONGEST, options=process.Options(on_line=say))
            draft.rename(target)
        finally:
            shutil.rmtree(draft, ignore_errors=True)


ROOTFS = Rootfs("root-files", PACKAGES)


def ensure_host_tools(cache: Path, say: Say) -> None:
    """Install what the lab wants from the host's own packages, where it is missing.

    mmdebstrap makes root file systems, ip the link to the host, git what the pipeline delivers.

    Raises:
        ToolFailed: apt could not.
    """
    with _locked(cache):
        missing = [package for tool, package in _HOST_TOOLS.items() if not shutil.which(tool)]
        if not missing:
            return
        options = process.Options(env={"DEBIAN_FRONTEND": "noninteractive"}, on_line=say)
        install = ["apt-get", "install", "-y", "-q", "--no-install-recommends", *missing]
        process.run(["apt-get", "update", "-q"], timeout=_LONGEST, options=options)
        process.run(install, timeout=_LONGEST, options=options)


def _locked(cache: Path) -> contextlib.AbstractContextManager[object]:
    folder = cache / "locks"
    folder.mkdir(parents=True, exist_ok=True)
    return FileLock(folder / "host-tools")
