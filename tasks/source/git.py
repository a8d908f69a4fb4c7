"""Git, as this stage needs it: a bare mirror that holds single commits of one repository."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import httpx

from tasks.core import process
from tasks.core.errors import ConfigError, ToolFailed, Unavailable
from tasks.source.decide import (
    COMMIT_FORMAT,
    is_commit,
    is_plain_name,
    parse_commit,
    parse_entries,
    pick_advertised,
)
from tasks.source.model import Commit, Entry, Location

__all__ = ["Call", "Mirror", "changes_beside", "commit_in_folder", "git"]

LOCAL = timedelta(minutes=5)
REMOTE = timedelta(minutes=15)
PROBE_SECONDS = 15.0
ALL_REFS = ("+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*")
# 2^31-1 is git's word for "everything": it deepens a shallow mirror and is no error for a whole one
EVERYTHING = "--depth=2147483647"
# A folder that a person named may belong to another user: root delivers what a person commits.
NOT_OURS = "--upload-pack=git -c 'safe.directory=*' upload-pack"
_CALM = ("-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "-c", "gc.auto=0")
_SILENT = {
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ASKPASS": "true",
    "GIT_SSH_COMMAND": "ssh -oBatchMode=yes -oConnectTimeout=15",
    "GIT_ALLOW_PROTOCOL": "file:http:https:ssh",
    "GIT_LFS_SKIP_SMUDGE": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "LC_ALL": "C",
}
# What a hook of git leaves in the environment would lead us into its repository.
_OF_A_HOOK = (
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_PREFIX",
    "GIT_SHALLOW_FILE",
    "GIT_CONFIG_PARAMETERS",
)


@dataclass(frozen=True, slots=True)
class Call:
    """What a git command needs beside its arguments."""

    env: Mapping[str, str] = field(default_factory=dict)
    cwd: Path | None = None
    secrets: tuple[str, ...] = ()
    timeout: timedelta = LOCAL


def git(git_dir: Path, *arguments: str, call: Call | None = None) -> str:
    """Run git on a repository and return what it printed.

    An explicit folder keeps the GIT_DIR of a hook out and asks nobody for the folder's owner.

    Raises:
        ToolFailed: git ended with another status than 0.
    """
    call = call or Call()
    env = {**_SILENT, "GIT_DIR": str(git_dir), **call.env}
    options = process.Options(env=env, cwd=call.cwd, secrets=call.secrets)
    clean = [f"--unset={name}" for name in _OF_A_HOOK if name not in env]
    argv = ("env", *clean, "git", *_CALM, *arguments)
    return process.run(argv, timeout=call.timeout, options=options).stdout


@dataclass(frozen=True, slots=True)
class Mirror:
    """The commits of one repository that were asked for; whoever writes holds its lock."""

    folder: Path
    location: Location

    def obtain(self, revision: str) -> str:
        """Make sure that the mirror has a revision of a remote repository; return its commit.

        Raises:
            ConfigError: no such revision, or the repository refuses us.
            Unavailable: the repository does not answer.
        """
        if is_commit(revision):
            self.obtain_commit(revision)
            return revision
        if is_plain_name(revision):
            names = (
                revision,
                f"{revision}^{{}}",
                f"refs/heads/{revision}",
                f"refs/tags/{revision}",
            )
            listing = self._remote("ls-remote", "--", self.location.address, *names)
            commit = pick_advertised(listing, revision)
            if commit is not None:
                self.obtain_commit(commit)
                return commit
        self._fetch_everything()
        return self._known(revision)

    def obtain_commit(self, commit: str) -> None:
        """Make sure that the mirror has one commit, by its full name."""
        self.prepare()
        if self._has(commit):
            return
        wanted = f"{commit}:refs/slipway/{commit}"
        try:
            git(self.folder, *self._fetch("--no-tags", "--depth=1"), wanted, call=self._call())
        except ToolFailed:
            # Servers without protocol 2 hand out advertised commits only.
            self._fetch_everything()
            self._known(commit)
            git(self.folder, "update-ref", f"refs/slipway/{commit}", commit)

    def prepare(self) -> None:
        """Create the mirror where there is none."""
        if not (self.folder / "HEAD").is_file():
            self.folder.mkdir(parents=True, exist_ok=True)
            git(self.folder, "init", "--quiet", "--bare", "--template=")

    def commit(self, name: str) -> Commit:
        """Describe a commit of the mirror."""
        return parse_commit(git(self.folder, "log", "-1", f"--format={COMMIT_FORMAT}", name))

    def entries(self, commit: str) -> tuple[Entry, ...]:
        """List the files of a commit."""
        return parse_entries(git(self.folder, "ls-tree", "-r", "-z", "--full-tree", commit))

    def obtain_history(self, commit: str) -> None:
        """Fetch a commit with all that came before it, without files where the server can do that.

        Raises:
            ConfigError: no such commit, or the repository refuses us.
            Unavailable: the repository does not answer.
        """
        self.prepare()
        if self._is_kept(commit):
            return
        flags, kept = ("--no-tags", "--filter=tree:0"), f"refs/slipway/{commit}"
        try:
            git(self.folder, *self._fetch(*flags), f"{commit}:{kept}", call=self._call())
        except ToolFailed:
            # Servers without protocol 2 hand out advertised commits only.
            self._remote(*self._fetch(*flags), *ALL_REFS)
            git(self.folder, "update-ref", kept, self._known(commit))

    def _is_kept(self, commit: str) -> bool:
        """Say whether a commit was fetched with its history, or is in that of another one."""
        refs = ("for-each-ref", "--count=1", f"--contains={commit}", "refs/slipway")
        try:
            return bool(git(self.folder, *refs))
        except ToolFailed:  # there is no such commit at all
            return False

    def tidy(self) -> None:
        """Pack what many fetches left behind, when git thinks that it is time."""
        git(self.folder, "-c", "gc.autoDetach=false", "-c", "gc.auto=6700", "gc", "--auto", "-q")

    def _fetch_everything(self) -> None:
        self._remote(*self._fetch(EVERYTHING), *ALL_REFS)

    def _fetch(self, *flags: str) -> tuple[str, ...]:
        owned = (NOT_OURS,) if self.location.is_local else ()
        return ("fetch", "--quiet", *owned, *flags, "--", self.location.address)

    def _has(self, commit: str) -> bool:
        try:
            git(self.folder, "cat-file", "-e", f"{commit}^{{tree}}")
        except ToolFailed:
            return False
        return True

    def _known(self, revision: str) -> str:
        try:
            text = git(self.folder, "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}")
        except ToolFailed as error:
            raise _unknown(revision, self.location.address) from error
        return text.strip()

    def _remote(self, *arguments: str) -> str:
        self.prepare()
        try:
            return git(self.folder, *arguments, call=self._call())
        except ToolFailed as error:
            raise _refusal(self.location, error) from error

    def _call(self) -> Call:
        if self.location.credentials is None:
            return Call(timeout=REMOTE)
        token = base64.b64encode(self.location.credentials.encode()).decode()
        env = {
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": f"http.{self.location.address}.extraHeader",
            "GIT_CONFIG_VALUE_0": f"Authorization: Basic {token}",
        }
        secrets = (token, self.location.credentials.partition(":")[2])
        return Call(env=env, secrets=secrets, timeout=REMOTE)


def commit_in_folder(git_dir: Path, revision: str, where: str) -> str:
    """Return the commit that a revision means in a local repository.

    Raises:
        ConfigError: the repository has no such commit.
    """
    arguments: Sequence[str] = ("rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}")
    if revision.startswith("-"):
        raise _unknown(revision, where)
    try:
        return git(git_dir, *arguments).strip()
    except ToolFailed as error:
        raise _unknown(revision, where) from error


def changes_beside(git_dir: Path, work_tree: Path) -> int:
    """Count the files that differ from the last commit, new ones included."""
    status = ("status", "--porcelain", "--ignore-submodules=dirty")
    call = Call(cwd=work_tree, env={"GIT_WORK_TREE": str(work_tree)})
    listing = git(git_dir, *status, call=call)
    return len(listing.splitlines())


def _unknown(revision: str, where: str) -> ConfigError:
    return ConfigError(
        f"no commit is called {revision}",
        where=where,
        next_step="name a branch, a tag or a commit that is there; push it first if it is new",
    )


def _refusal(location: Location, error: ToolFailed) -> ConfigError | Unavailable:
    """Say why a repository gave nothing; its web server's status decides, not git's words."""
    status = _web_status(location)
    if status in (401, 403, 404):
        return ConfigError(
            f"repository is not there or needs other credentials (HTTP {status})",
            where=location.address,
            next_step="check the address; give git a credential helper, an ssh key or a token",
        )
    if location.is_local:
        return ConfigError(
            f"cannot be fetched from: {error.what}",
            where=location.address,
            next_step="run git fsck there; a partial clone needs its missing objects first",
        )
    return Unavailable(
        f"repository does not answer: {error.what}",
        where=location.address,
        next_step="try `git ls-remote` with this address; for ssh, check key and known_hosts",
    )


def _web_status(location: Location) -> int | None:
    if not location.address.startswith(("https://", "http://")):
        return None
    user, _, token = (location.credentials or "").partition(":")
    try:
        return httpx.get(
            f"{location.address.rstrip('/')}/info/refs",
            params={"service": "git-upload-pack"},
            auth=(user, token) if location.credentials else None,
            timeout=PROBE_SECONDS,
        ).status_code
    except httpx.HTTPError:
        return None
