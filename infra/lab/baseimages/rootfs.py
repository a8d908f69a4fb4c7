"""Makes the file tree of a layer and packs it so that the same tree gives the same bytes."""

import contextlib
import fnmatch
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from infra.lab.baseimages.recipe import (
    EPOCH_SECONDS,
    FILES,
    Applets,
    Debian,
    Folder,
    Layer,
    Link,
    NpmFiles,
    Overlay,
    Program,
    Source,
)
from infra.lab.builds.npm import npm
from infra.lab.mirrors import apt_options, debian_archives
from tasks.core.process import Options, run

__all__ = ["Tools", "make_layer"]

INSTALL = timedelta(minutes=15)
QUICK = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Tools:
    """What layers are made with.

    Attributes:
        mmdebstrap: the argv that starts it.
        cache: where built programs are; unfinished trees are made in it, too.
        say: told what the tools print.
    """

    mmdebstrap: tuple[str, ...]
    cache: Path
    say: Callable[[str], None] = lambda _: None

    @property
    def work(self) -> Path:
        """Folder of unfinished trees."""
        return self.cache / "images" / "work"


def make_layer(layer: Layer, into: Path, tools: Tools) -> None:
    """Write the layer as an uncompressed tar archive."""
    tools.work.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=tools.work) as folder:
        root = Path(folder) / "root"
        root.mkdir(mode=0o755)
        for source in layer:
            _add(source, root, tools)
        _pack(root, into)


def _add(source: Source, root: Path, tools: Tools) -> None:
    match source:
        case Debian():
            _bootstrap(source, root, tools)
            _drop(source, root)
        case NpmFiles():
            _unpack_npm(source, root, tools)
        case Overlay():
            _copy_overlay(source, root)
        case Folder():
            _make_folder(source, root)
        case Link():
            _link(root / source.path, source.target)
        case Applets():
            _link_applets(root / source.folder)
        case Program():
            _copy_program(source, root, tools)


def _bootstrap(source: Debian, root: Path, tools: Tools) -> None:
    with tempfile.NamedTemporaryFile("w", dir=tools.work, suffix=".conf") as apt:
        apt.write(apt_options())
        apt.flush()
        argv = [
            *tools.mmdebstrap,
            "--mode=root",
            "--format=directory",
            f"--variant={source.variant}",
            f"--aptopt={apt.name}",
            *([f"--include={','.join(source.include)}"] if source.include else []),
            *(f"--{_stage_of(hook, source)}-hook={hook}" for hook in source.hooks),
            source.suite,
            str(root),
            *debian_archives(source.suite),
        ]
        env = {"SOURCE_DATE_EPOCH": str(EPOCH_SECONDS)}
        run(argv, timeout=INSTALL, options=Options(env=env, on_line=tools.say))
    for node in (root / "dev").glob("*"):
        _remove(node)


def _stage_of(hook: str, source: Debian) -> str:
    """Links of a merged /usr must stand before packages are unpacked; the rest comes after.

    The variant `extract` ends with its extract hooks, and the packages' files are gone then.
    """
    if "usr/lib64" in hook or "ln -s" in hook:
        return "setup"
    return "extract" if source.variant == "extract" else "customize"


def _drop(source: Debian, root: Path) -> None:
    for glob in source.drop:
        for path in root.glob(glob):
            inside = str(path.relative_to(root))
            if not any(fnmatch.fnmatchcase(inside, kept) for kept in source.keep):
                _remove(path)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _unpack_npm(source: NpmFiles, root: Path, tools: Tools) -> None:
    with _npm_package(source.package, tools) as package:
        origin = package / source.members
        target = root / source.into
        target.parent.mkdir(parents=True, exist_ok=True)
        if origin.is_dir():
            shutil.copytree(origin, target, symlinks=True)
        else:
            shutil.copy2(origin, target)


@contextlib.contextmanager
def _npm_package(package: str, tools: Tools) -> Iterator[Path]:
    pack = (*npm(tools.cache, tools.say), "pack", "--silent", "--pack-destination")
    with tempfile.TemporaryDirectory(dir=tools.work) as folder:
        run([*pack, folder, package], timeout=INSTALL)
        archive = next(Path(folder).glob("*.tgz"))
        run(["tar", "-xzf", str(archive), "-C", folder, "--no-same-owner"], timeout=QUICK)
        yield Path(folder) / "package"


def _copy_overlay(source: Overlay, root: Path) -> None:
    shutil.copytree(FILES / source.name, root, dirs_exist_ok=True)
    for origin in (FILES / source.name).rglob("*"):
        inside = str(origin.relative_to(FILES / source.name))
        plain = 0o755 if origin.is_dir() or inside in source.executables else 0o644
        (root / inside).chmod(plain)
        os.chown(root / inside, 0, 0)


def _make_folder(source: Folder, root: Path) -> None:
    path = root / source.path
    path.mkdir(parents=True, exist_ok=True)
    os.chown(path, source.owner, source.owner)
    path.chmod(source.mode)


def _link(path: Path, target: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    path.symlink_to(target)


def _link_applets(folder: Path) -> None:
    applets = run([str(folder / "busybox"), "--list"], timeout=QUICK).stdout.split()
    for applet in applets:
        if not (folder / applet).exists():
            (folder / applet).symlink_to("busybox")


def _copy_program(source: Program, root: Path, tools: Tools) -> None:
    built = source.program.path(tools.cache)
    if not built.exists():
        source.program.make(tools.cache, tools.say)
    (root / source.into).parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(built, root / source.into)


def _pack(root: Path, into: Path) -> None:
    argv = [
        *("tar", "--create", f"--file={into}", f"--directory={root}"),
        *("--sort=name", "--numeric-owner", f"--mtime=@{EPOCH_SECONDS}"),
        *("--format=posix", "--pax-option=exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime"),
        ".",
    ]
    run(argv, timeout=QUICK)
