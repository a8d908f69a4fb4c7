"""What a repository is, and what git says about one commit of it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from tasks.core.gates import Person

__all__ = ["Admit", "Commit", "Entry", "Location", "Submodule"]


@dataclass(frozen=True, slots=True)
class Location:
    """Where a repository is.

    Attributes:
        address: what git is given; never with credentials.
        is_local: whether it is a folder of this machine.
        credentials: `user:token` that stood in the address; handed to git by its environment.
    """

    address: str
    is_local: bool
    credentials: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit as git describes it.

    Attributes:
        people: its author, its committer, and the co-authors that its message names.
    """

    name: str
    author: str
    author_email: str
    subject: str
    committed_at: datetime
    people: tuple[Person, ...] = ()


@dataclass(frozen=True, slots=True)
class Entry:
    """A file of a commit's tree; mode 160000 is a submodule, 120000 a symbolic link."""

    mode: str
    blob: str
    path: str


Admit = Callable[[Commit, tuple[Entry, ...]], None]
"""Looks at a commit and its files before anything of it is written, and raises where it may not."""


@dataclass(frozen=True, slots=True)
class Submodule:
    """Another repository at a place in the tree."""

    path: str
    commit: str
    address: str
