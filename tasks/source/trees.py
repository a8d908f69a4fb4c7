"""Clean trees of commits: exported once, checked when used again, removed when old."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from filelock import FileLock

from tasks.core.errors import ConfigError, ToolFailed
from tasks.core.paths import state_dir
from tasks.source.decide import parse_address, resolve_submodule, stale_trees
from tasks.source.git import Call, Mirror, git
from tasks.source.model import Commit, Location, Submodule

__all__ = ["Clone"]

KEPT_TREES = 5
KEPT_HOURS = 24
DEEPEST_SUBMODULE = 5
LFS_POINTER = b"version https://git-lfs.github.com/spec/"
LFS_LARGEST_BYTES = 1024
SHOWN_FILES = 5


@dataclass(frozen=True, slots=True)
class Clone:
    """Everything kept about one repository: its mirror and the trees of its commits."""

    location: Location
    folder: Path = field(init=False)

    def __post_init__(self) -> None:
        key = sha256(self.location.address.encode()).hexdigest()[:16]
        object.__setattr__(self, "folder", state_dir() / "work" / key)

    @property
    def mirror(self) -> Mirror:
        """The bare repository; only to be written to inside `locked`."""
        return Mirror(self.folder / "mirror.git", self.location)

    @contextmanager
    def locked(self) -> Iterator[Mirror]:
        """Keep other runs away from the mirror."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with FileLock(self.folder / "lock"):
            yield self.mirror

    def tree(self, commit: Commit, log: Callable[[str], None]) -> Path:
        """Return the clean tree of a commit that the mirror has.

        Raises:
            ConfigError: the tree holds Git LFS pointers, or submodules that cannot be had.
        """
        home = self.folder / commit.name
        if home.is_dir() and not self._is_clean(home):
            log(f"the kept tree of {commit.name[:12]} was changed by somebody; it is made again")
            self._discard(home)
        if not home.is_dir():
            self._make(commit, home)
        os.utime(home)
        return home / "tree"

    def prune(self, now: datetime) -> None:
        """Remove the trees that nobody needs: not among the newest, not used for a day."""
        drafts = self._used("draft-*") + self._used("trash-*")
        for name in stale_trees(drafts, now, 0, KEPT_HOURS):
            shutil.rmtree(self.folder / name, ignore_errors=True)
        for name in stale_trees(self._used("[0-9a-f]" * 40), now, KEPT_TREES, KEPT_HOURS):
            self._discard(self.folder / name)

    def _used(self, pattern: str) -> list[tuple[str, datetime]]:
        used = []
        for path in self.folder.glob(pattern):
            with suppress(FileNotFoundError):  # a run beside this one has just moved it
                used.append((path.name, datetime.fromtimestamp(path.stat().st_mtime, UTC)))
        return used

    def _make(self, commit: Commit, home: Path) -> None:
        draft = Path(tempfile.mkdtemp(prefix="draft-", dir=self.folder))
        try:
            _export(self.mirror, commit.name, draft)
            for submodule in _submodules(self.mirror, commit.name, draft / "tree"):
                _export_submodule(submodule, self.location, draft / "tree", depth=1)
            _refuse_lfs_pointers(draft / "tree", self.location.address)
            _make_even(draft / "tree", int(commit.committed_at.timestamp()))
            git(self.mirror.folder, "update-index", "-q", "--refresh", call=_view(draft))
            _move(draft, home)
        finally:
            shutil.rmtree(draft, ignore_errors=True)

    def _is_clean(self, home: Path) -> bool:
        changed = ("diff-files", "--name-only", "--ignore-submodules=all")
        added = ("ls-files", "--others")
        try:
            return not any(
                git(self.mirror.folder, *command, call=_view(home)) for command in (changed, added)
            )
        except ToolFailed:
            return False

    def _discard(self, home: Path) -> None:
        trash = Path(tempfile.mkdtemp(prefix="trash-", dir=self.folder))
        with suppress(FileNotFoundError):  # a run beside this one discarded it first
            home.rename(trash / home.name)
        shutil.rmtree(trash, ignore_errors=True)


def _view(home: Path) -> Call:
    """Return how git sees an exported tree; the person's own settings stay outside."""
    env = {
        "GIT_WORK_TREE": str(home / "tree"),
        "GIT_INDEX_FILE": str(home / "index"),
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
    }
    return Call(env=env, cwd=home / "tree")


def _export(mirror: Mirror, commit: str, home: Path) -> None:
    """Write a commit's files; nobody's settings but the repository's change a byte."""
    (home / "tree").mkdir(parents=True, exist_ok=True)
    git(mirror.folder, "read-tree", commit, call=_view(home))
    git(mirror.folder, "checkout-index", "--all", "--force", call=_view(home))


def _move(draft: Path, home: Path) -> None:
    try:
        draft.rename(home)
    except OSError:
        if not home.is_dir():  # a run beside this one was first with the same commit
            raise


def _submodules(mirror: Mirror, commit: str, tree: Path) -> tuple[Submodule, ...]:
    links = [entry for entry in mirror.entries(commit) if entry.mode == "160000"]
    if not links:
        return ()
    addresses = _submodule_addresses(mirror, tree)
    for link in links:
        if link.path not in addresses:
            raise ConfigError(
                f"submodule {link.path} has no address in .gitmodules",
                where=mirror.location.address,
                next_step="add it there, or remove the folder from the commit",
            )
    return tuple(Submodule(link.path, link.blob, addresses[link.path]) for link in links)


def _submodule_addresses(mirror: Mirror, tree: Path) -> dict[str, str]:
    listing = ("config", "--file", str(tree / ".gitmodules"), "--null", "--get-regexp", r"^submod")
    try:
        lines = git(mirror.folder, *listing).split("\0")
    except ToolFailed:
        return {}
    settings = dict(line.split("\n", 1) for line in lines if "\n" in line)
    return {
        path: settings.get(name.removesuffix(".path") + ".url", "")
        for name, path in settings.items()
        if name.endswith(".path")
    }


def _export_submodule(submodule: Submodule, parent: Location, tree: Path, depth: int) -> None:
    where = f"{parent.address}: submodule {submodule.path}"
    if depth > DEEPEST_SUBMODULE:
        raise ConfigError(
            f"submodules are nested more than {DEEPEST_SUBMODULE} deep",
            where=where,
            next_step="look for one that holds itself",
        )
    location = parse_address(resolve_submodule(submodule.address, parent))
    clone = Clone(location)
    with clone.locked() as mirror:
        mirror.obtain_commit(submodule.commit)
    place = tree / submodule.path
    with tempfile.TemporaryDirectory(prefix="draft-", dir=clone.folder) as scratch:
        _export(mirror, submodule.commit, Path(scratch))
        for inner in _submodules(mirror, submodule.commit, Path(scratch) / "tree"):
            _export_submodule(inner, location, Path(scratch) / "tree", depth + 1)
        shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(Path(scratch) / "tree", place, symlinks=True)


def _refuse_lfs_pointers(tree: Path, where: str) -> None:
    pointers = [str(path.relative_to(tree)) for path in sorted(_files(tree)) if _is_pointer(path)]
    if pointers:
        shown = ", ".join(pointers[:SHOWN_FILES])
        rest = len(pointers) - SHOWN_FILES
        raise ConfigError(
            f"Git LFS pointers instead of files: {shown}" + (f" and {rest} more" * (rest > 0)),
            where=where,
            next_step="store these files in git itself, or fetch them while the image is built",
        )


def _is_pointer(path: Path) -> bool:
    if path.is_symlink() or path.stat().st_size > LFS_LARGEST_BYTES:
        return False
    return path.read_bytes().startswith(LFS_POINTER)


def _files(tree: Path) -> Iterator[Path]:
    for folder, _, names in os.walk(tree):
        yield from (Path(folder) / name for name in names)


def _make_even(tree: Path, epoch: int) -> None:
    """Give every file the mode and the time that it has on every machine: images hold both."""
    for folder, _, names in os.walk(tree, topdown=False):
        for path in (Path(folder) / name for name in names):
            if not path.is_symlink():
                path.chmod(0o755 if os.access(path, os.X_OK) else 0o644)
            os.utime(path, (epoch, epoch), follow_symlinks=False)
        Path(folder).chmod(0o755)
        os.utime(folder, (epoch, epoch))
