"""A base image as something that the lab makes once."""

from dataclasses import dataclass
from pathlib import Path

from infra.lab.baseimages.recipe import BaseImage
from infra.lab.baseimages.rootfs import Tools
from infra.lab.baseimages.store import build, layout_of
from infra.lab.component import Say
from infra.lab.rootfs import MMDEBSTRAP, ensure_host_tools

__all__ = ["StandIn"]


@dataclass(frozen=True, slots=True)
class StandIn:
    """One of the catalogue's images in the cache."""

    image: BaseImage
    seconds: float = 40.0

    @property
    def name(self) -> str:
        """One word for people."""
        return self.image.repository.rpartition("/")[2]

    def path(self, cache: Path) -> Path:
        """Folder of its OCI layout."""
        return layout_of(self.image, cache / "images")

    def make(self, cache: Path, say: Say) -> None:
        """Make it from Debian's and npm's packages.

        Raises:
            ToolFailed: a package could not be fetched or unpacked.
        """
        ensure_host_tools(cache, say)
        tools = Tools(MMDEBSTRAP, cache, say)
        build(self.image, cache / "images", tools)
