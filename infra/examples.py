"""Make git repositories out of the examples, as a user's own would be."""

import shutil
from datetime import timedelta
from pathlib import Path

from tasks.core.process import Options, run

__all__ = [
    "EXAMPLES",
    "commit_all",
    "commit_patch",
    "head_of",
    "make_repository",
    "revert_to",
]

EXAMPLES = Path(__file__).parent.parent / "examples"
GIT_TIMEOUT = timedelta(minutes=1)
AUTHOR = {
    "GIT_AUTHOR_NAME": "Dora Developer",
    "GIT_AUTHOR_EMAIL": "dora@example.com",
    "GIT_AUTHOR_DATE": "2026-11-01T12:00:00Z",
    "GIT_COMMITTER_NAME": "Dora Developer",
    "GIT_COMMITTER_EMAIL": "dora@example.com",
    "GIT_COMMITTER_DATE": "2026-11-01T12:00:00Z",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_SYSTEM": "/dev/null",
}
"""The same files give the same commit on every machine."""


def make_repository(example: str, folder: Path) -> Path:
    """Make a fresh repository with one commit of an example in a folder and return the folder."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(
        EXAMPLES / example, folder, ignore=shutil.ignore_patterns("node_modules", "dist", ".env")
    )
    _git(folder, "init", "--quiet", "--initial-branch", "main")
    for key in ("name", "email"):  # so that a person can commit here, whoever git thinks they are
        _git(folder, "config", f"user.{key}", AUTHOR[f"GIT_AUTHOR_{key.upper()}"])
    commit_all(folder, f"Start {example}")
    return folder


def commit_all(folder: Path, message: str) -> str:
    """Commit what is in the work tree and return the commit."""
    _git(folder, "add", "--all")
    _git(folder, "commit", "--quiet", "--message", message)
    return head_of(folder)


def head_of(folder: Path) -> str:
    """Return the commit that a work tree stands on."""
    return _git(folder, "rev-parse", "HEAD").strip()


def commit_patch(folder: Path, patch: Path, message: str) -> str:
    """Apply a patch, commit it and return the commit."""
    _git(folder, "apply", str(patch))
    return commit_all(folder, message)


def revert_to(folder: Path, commit: str) -> str:
    """Take back what was committed since a commit, in commits of their own."""
    _git(folder, "revert", "--no-edit", f"{commit}..HEAD")
    return head_of(folder)


def _git(folder: Path, *words: str) -> str:
    argv = ("git", "-C", str(folder), *words)
    return run(argv, timeout=GIT_TIMEOUT, options=Options(env=AUTHOR)).stdout
