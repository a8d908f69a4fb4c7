"""What a repository's address means, what a revision asks for, what a component's content is."""

import hashlib
import json
import posixpath
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, unquote, urlsplit

from tasks.core.errors import ConfigError
from tasks.core.gates import Person
from tasks.source.model import Commit, Entry, Location

if TYPE_CHECKING:
    from tasks.core.application import Component

__all__ = [
    "COMMIT_FORMAT",
    "PEOPLE_FORMAT",
    "RECIPE",
    "accept",
    "content_hash",
    "delivered_entries",
    "is_commit",
    "is_plain_name",
    "parse_address",
    "parse_commit",
    "parse_entries",
    "parse_people",
    "pick_advertised",
    "require_storable",
    "resolve_submodule",
    "stale_trees",
]

RECIPE = "1"
"""Version of how Slipway builds; a new one builds every component again."""

PEOPLE_FORMAT = (
    "%an <%ae>%x1f%cn <%ce>%x1f%(trailers:key=Co-authored-by,valueonly,unfold,separator=%x1f)"
)
COMMIT_FORMAT = f"%H%x00%an%x00%ae%x00%s%x00%ct%x00{PEOPLE_FORMAT}"
_COMMIT = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")
_PLAIN = re.compile(r"(?!-|@$)[\w./+@-]+")
_NOT_PLAIN = re.compile(r"[*?\[\]!\\]|(^|/)\.\.?(/|$)")
_SCP = re.compile(r"(?P<user>[\w.-]+@)?(?P<host>[\w.-]+):(?P<path>(?!//|:).+)")
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


def parse_address(address: str) -> Location:
    """Read `/path`, `file://`, `https://`, `ssh://` and `git@host:path`.

    Raises:
        ConfigError: git could read it, but nobody could trust it, or it is no address.
    """
    parts = urlsplit(address)
    if not parts.scheme and not _SCP.fullmatch(address):
        return Location(address, is_local=True)
    if parts.scheme == "file":
        return Location(unquote(parts.path), is_local=True)
    if _SCP.fullmatch(address) or parts.scheme == "ssh":
        return Location(address, is_local=False)
    plain = parts.scheme == "http" and parts.hostname in _LOOPBACK
    if (parts.scheme == "https" or plain) and parts.hostname:
        return _web(parts)
    raise ConfigError(
        f"a repository at {parts.scheme}: is not fetched, nothing proves who answers there",
        where=_without_credentials(parts),
        next_step="use a local path, https://, ssh:// or git@host:path",
    )


def require_storable(address: str) -> None:
    """Refuse an address that must not stand in a run's parameters, which everybody can read.

    Raises:
        ConfigError: a password or token is in it; a user's name alone is one in https.
    """
    parts = urlsplit(address)
    if parts.password is not None or (parts.username and parts.scheme in ("http", "https")):
        raise ConfigError(
            "the address holds credentials, and Prefect keeps and shows the parameters of a run",
            where=_without_credentials(parts),
            next_step="take them out, revoke them where a run has had them, and let git know them "
            "where the worker runs: git config --global credential.helper store, or ssh",
        )


def _web(parts: SplitResult) -> Location:
    user = f"{unquote(parts.username or '')}:{unquote(parts.password or '')}"
    credentials = user if user != ":" else None
    return Location(_without_credentials(parts), is_local=False, credentials=credentials)


def _without_credentials(parts: SplitResult) -> str:
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def is_commit(revision: str) -> bool:
    """Say whether a revision is the full name of a commit."""
    return _COMMIT.fullmatch(revision) is not None


def is_plain_name(revision: str) -> bool:
    """Say whether a revision can be a branch, a tag or a commit, without git's operators."""
    return _PLAIN.fullmatch(revision) is not None and ".." not in revision


def pick_advertised(listing: str, revision: str) -> str | None:
    """Find a revision in what `git ls-remote` printed; tags go before branches, as in git.

    An annotated tag is followed to its commit. A name in full stands for nothing else.
    """
    pairs = (line.split("\t", 1) for line in listing.splitlines() if "\t" in line)
    names = {name: commit for commit, name in pairs}
    tag = f"refs/tags/{revision}"
    short = () if revision.startswith("refs/") else (f"{tag}^{{}}", tag, f"refs/heads/{revision}")
    for name in (*short, f"{revision}^{{}}", revision):
        if name in names:
            return names[name]
    return None


def parse_commit(text: str) -> Commit:
    """Read what `git show --format` printed in COMMIT_FORMAT."""
    name, author, email, subject, seconds, people = text.rstrip("\n").split("\0")
    at = datetime.fromtimestamp(int(seconds), UTC)
    return Commit(name, author, email, subject, at, parse_people(people))


def parse_people(text: str) -> tuple[Person, ...]:
    """Read what `git log --format` printed in PEOPLE_FORMAT: everybody once, by address."""
    words = (word.strip() for word in re.split(r"[\x00\x1f\n]", text))
    people = {_person(word) for word in words if word}
    return tuple(sorted(people, key=lambda each: (each.email, each.name)))


def _person(text: str) -> Person:
    """Read `Name <address>`; a co-author may be written in any way."""
    name, _, rest = text.partition("<")
    return Person(name.strip(), rest.partition(">")[0].strip())


def parse_entries(listing: str) -> tuple[Entry, ...]:
    """Read what `git ls-tree -r -z` printed."""
    entries = []
    for line in filter(None, listing.split("\0")):
        description, path = line.split("\t", 1)
        mode, _, blob = description.split(" ")
        entries.append(Entry(mode, blob, path))
    return tuple(entries)


def resolve_submodule(address: str, parent: Location) -> str:
    """Return where a submodule is; relative addresses start at the parent's.

    Raises:
        ConfigError: a repository from elsewhere names a folder of this machine.
    """
    if address.startswith(("./", "../")):
        base = parent.address.rstrip("/") + "/"
        scp = None if parent.is_local or "://" in base else _SCP.fullmatch(base)
        if scp is None:
            parts = urlsplit(base)
            return parts._replace(path=_joined(parts.path, address)).geturl()
        return f"{scp['user'] or ''}{scp['host']}:{_joined(scp['path'], address)}"
    if parse_address(address).is_local and not parent.is_local:
        raise ConfigError(
            f"submodule at {address} is a folder of this machine",
            where=parent.address,
            next_step="give the submodule an https:// or ssh:// address",
        )
    return address


def _joined(base: str, relative: str) -> str:
    parts = list(PurePosixPath(base).parts)
    for part in PurePosixPath(relative).parts:
        if part == "..":
            parts = parts[:-1]
        else:
            parts.append(part)
    return str(PurePosixPath(*parts))


def content_hash(component: "Component", entries: Iterable[Entry]) -> str:
    """Hash everything that the component's checks and image depend on, base images excepted.

    Args:
        component: as slipway.yaml describes it; deadlines and budgets do not count.
        entries: files of its context and its Dockerfile, paths from the repository's root.
    """
    described = {
        "recipe": RECIPE,
        "context": component.context,
        "dockerfile": component.dockerfile,
        "lint": component.lint and component.lint.target,
        "test": component.test and [component.test.target, component.test.report],
        "image": [component.image.target, dict(sorted(component.image.args.items()))],
        "files": sorted({(entry.path, entry.mode, entry.blob) for entry in entries}),
    }
    return hashlib.sha256(json.dumps(described, sort_keys=True).encode()).hexdigest()


def delivered_entries(
    context: str, entries: Iterable[Entry], ignore_rules: str
) -> tuple[Entry, ...]:
    """Return the files of a context that a builder is sent.

    Rules of .dockerignore with wildcards or exceptions are left to the builder: then every
    file of the context counts, which builds once too often and never once too seldom.

    Raises:
        ConfigError: the commit has no files there.
    """
    prefix = PurePosixPath(posixpath.normpath(context))
    inside = [entry for entry in entries if PurePosixPath(entry.path).is_relative_to(prefix)]
    if not inside:
        raise ConfigError(
            f"context {context} holds no file of the commit",
            where="slipway.yaml",
            next_step="name a folder that git knows; a symbolic link is none",
        )
    lines = [line.strip() for line in ignore_rules.splitlines()]
    rules = [line for line in lines if line and not line.startswith("#")]
    if any(_NOT_PLAIN.search(rule) for rule in rules):
        return tuple(inside)
    ignored = [prefix / rule.strip("/") for rule in rules]
    return tuple(
        entry
        for entry in inside
        if not any(PurePosixPath(entry.path).is_relative_to(path) for path in ignored)
    )


def accept(_commit: Commit, _entries: Iterable[Entry]) -> None:
    """Let a commit in that reviewed branches have."""


def stale_trees(
    used: Sequence[tuple[str, datetime]], now: datetime, keep: int, hours: int
) -> tuple[str, ...]:
    """Return the trees beyond the newest ones that nobody has asked for in the last hours."""
    newest_first = sorted(used, key=lambda tree: tree[1], reverse=True)
    return tuple(
        name for name, at in newest_first[keep:] if (now - at).total_seconds() > hours * 3600
    )
