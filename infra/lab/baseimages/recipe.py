"""What a base image is made of, as data."""

import hashlib
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

from infra.lab.builds import GoProgram

__all__ = [
    "EPOCH_SECONDS",
    "FILES",
    "Applets",
    "BaseImage",
    "Config",
    "Debian",
    "Folder",
    "Layer",
    "Link",
    "NpmFiles",
    "Overlay",
    "Program",
    "Source",
    "digest_of",
]

EPOCH_SECONDS = 1_735_689_600  # 2025-01-01, the time of every file: digests stay the same
FILES = Path(__file__).parent / "files"


@dataclass(frozen=True, slots=True)
class Debian:
    """Packages with what they depend on, installed or only unpacked.

    Attributes:
        variant: `minbase` installs a small system, `extract` only unpacks what is named.
        drop: globs below the root of what is left out,
        keep: but for what these globs name.
        hooks: shell commands of mmdebstrap, `$1` is the root.
    """

    suite: Literal["bookworm", "sid"]
    variant: Literal["minbase", "extract"]
    include: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()
    hooks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NpmFiles:
    """Files of one package from the npm registry.

    Attributes:
        members: path in the package (a file or a folder, "" is all of it).
        into: path below the root that it becomes.
    """

    package: str
    members: str
    into: str


@dataclass(frozen=True, slots=True)
class Overlay:
    """A folder below `files/`, copied over the root; everything in it belongs to root."""

    name: str
    executables: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Folder:
    """An empty folder with an owner."""

    path: str
    owner: int = 0
    mode: int = 0o755


@dataclass(frozen=True, slots=True)
class Link:
    """A symbolic link."""

    path: str
    target: str


@dataclass(frozen=True, slots=True)
class Applets:
    """A link for each applet of the root's busybox that is not there as a program."""

    folder: str = "usr/bin"


@dataclass(frozen=True, slots=True)
class Program:
    """A static program that is built with Go."""

    program: GoProgram
    into: str


Source = Debian | NpmFiles | Overlay | Folder | Link | Applets | Program
Layer = tuple[Source, ...]


@dataclass(frozen=True, slots=True)
class Config:
    """How a container of the image starts, in the words of the OCI image format."""

    entrypoint: tuple[str, ...] = ()
    cmd: tuple[str, ...] = ()
    env: tuple[str, ...] = ()
    user: str = ""
    workdir: str = ""
    ports: tuple[str, ...] = ()
    volumes: tuple[str, ...] = ()
    stop_signal: str = ""
    labels: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class BaseImage:
    """A stand-in for an upstream image, made from Debian.

    Attributes:
        repository: upstream's repository without its registry.
        tags: upstream's tags that it stands in for.
        layers: oldest first.
        standing_for: upstream's full name, for the labels.
    """

    repository: str
    tags: tuple[str, ...]
    layers: tuple[Layer, ...]
    config: Config
    standing_for: str
    notes: str = field(default="")


def digest_of(image: BaseImage | Layer) -> str:
    """Name a recipe by its content: its words and the files that it copies."""
    return hashlib.sha256(_words(image).encode()).hexdigest()[:12]


def _words(image: BaseImage | Layer) -> str:
    layers = image.layers if isinstance(image, BaseImage) else (image,)
    overlays = [source.name for layer in layers for source in layer if isinstance(source, Overlay)]
    files = [
        (str(path.relative_to(FILES)), hashlib.sha256(path.read_bytes()).hexdigest())
        for name in overlays
        for path in sorted((FILES / name).rglob("*"))
        if path.is_file()
    ]
    recipe = (
        asdict(image)
        if isinstance(image, BaseImage)
        else [(type(source).__name__, asdict(source)) for source in image]
    )
    return json.dumps([recipe, files, EPOCH_SECONDS], sort_keys=True)
