"""Fetches a commit and describes it: who, when, which application, which content."""

import logging
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

from tasks.core.application import Application, Component
from tasks.core.clock import utc_now
from tasks.core.config import load
from tasks.core.errors import ConfigError
from tasks.core.model import ComponentSource, Source
from tasks.source.decide import accept, content_hash, delivered_entries, parse_address
from tasks.source.git import changes_beside, commit_in_folder
from tasks.source.model import Admit, Commit, Entry, Location
from tasks.source.trees import Clone

__all__ = ["fetch_source", "repository_of"]

logger = logging.getLogger(__name__)


def fetch_source(
    repository: str,
    revision: str = "HEAD",
    log: Callable[[str], None] = logger.info,
    admit: Admit = accept,
) -> Source:
    """Bring a commit of a repository onto this machine as a clean tree.

    Args:
        repository: path, or address for git; credentials in it are used and forgotten.
        revision: commit, tag or branch.
        log: takes each line that a person should read.
        admit: raises where a commit is not to be looked into.

    Raises:
        ConfigError: no such repository or revision, or one that cannot be delivered.
        Unavailable: the repository does not answer.
    """
    location = parse_address(repository)
    if location.is_local:
        location, name = _look_into_folder(location, revision, log)
    else:
        name = revision
    clone = Clone(location)
    with clone.locked() as mirror:
        commit = mirror.commit(mirror.obtain(name))
    entries = mirror.entries(commit.name)
    admit(commit, entries)
    tree = clone.tree(commit, log)
    with clone.locked():
        clone.prune(utc_now())
        mirror.tidy()
    log(f"{commit.name[:12]} {commit.subject} ({commit.author})")
    return _describe(location, commit, tree, entries)


def _look_into_folder(
    location: Location, revision: str, log: Callable[[str], None]
) -> tuple[Location, str]:
    """Find a local repository, and the commit in it; say what is not committed."""
    folder, git_dir = repository_of(Path(location.address).expanduser().absolute())
    commit = commit_in_folder(git_dir, revision, str(folder))
    if folder != git_dir and commit == commit_in_folder(git_dir, "HEAD", str(folder)):
        changes = changes_beside(git_dir, folder)
        if changes:
            files = "file is" if changes == 1 else "files are"
            log(f"{changes} {files} changed and not committed in {folder}: not delivered")
    return replace(location, address=str(folder)), commit


def repository_of(folder: Path) -> tuple[Path, Path]:
    """Return the top folder and git's own folder of the repository that a path is in."""
    if (folder / "HEAD").is_file() and (folder / "objects").is_dir():
        return folder, folder
    for place in (folder, *folder.parents):
        if (place / ".git").exists():
            return place, place / ".git"
    raise ConfigError(
        "is not a git repository" if folder.is_dir() else "no such folder",
        where=str(folder),
        next_step="name a folder with a committed slipway.yaml, or an address such as https://…",
    )


def _describe(location: Location, commit: Commit, tree: Path, entries: tuple[Entry, ...]) -> Source:
    application = load(tree)
    return Source(
        repository=location.address,
        commit=commit.name,
        tree=str(tree),
        author=commit.author,
        author_email=commit.author_email,
        subject=commit.subject,
        committed_at=commit.committed_at,
        application=application,
        components=_components(application, tree, entries),
        people=commit.people,
    )


def _components(
    application: Application, tree: Path, entries: tuple[Entry, ...]
) -> tuple[ComponentSource, ...]:
    return tuple(
        ComponentSource(name, content_hash(component, _content(component, tree, entries)))
        for name, component in application.components.items()
    )


def _content(component: Component, tree: Path, entries: tuple[Entry, ...]) -> tuple[Entry, ...]:
    """Return what BuildKit is sent; the Dockerfile by its bytes, wherever its name leads."""
    context = tree / component.context
    dockerfile = context / component.dockerfile
    of_its_own = dockerfile.with_name(dockerfile.name + ".dockerignore")
    ignore = next(
        (path for path in (of_its_own, context / ".dockerignore") if path.is_file()), None
    )
    rules = ignore.read_text(errors="replace") if ignore else ""
    recipe = Entry("dockerfile", sha256(dockerfile.read_bytes()).hexdigest(), component.dockerfile)
    return (*delivered_entries(component.context, entries, rules), recipe)
