"""Who has committed what comes in, asked of real repositories, here and over HTTP."""

import os
import subprocess  # noqa: TID251 git's own server speaks CGI, and answers in bytes
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from tasks.core import process
from tasks.core.errors import Unavailable
from tasks.core.gates import Person
from tasks.core.model import Committers
from tasks.source.decide import parse_people
from tasks.source.people import find_committers

ANA, BO, EVA, LI = (
    Person(name.title(), f"{name}@example.org") for name in ("ana", "bo", "eva", "li")
)
ENV = {"GIT_CONFIG_GLOBAL": os.devnull}


def git(folder: Path, *arguments: str, author: Person = ANA, committer: Person = ANA) -> str:
    env = {
        **ENV,
        "GIT_AUTHOR_NAME": author.name,
        "GIT_AUTHOR_EMAIL": author.email,
        "GIT_COMMITTER_NAME": committer.name,
        "GIT_COMMITTER_EMAIL": committer.email,
    }
    options = process.Options(cwd=folder, env=env)
    done = process.run(("git", *arguments), timeout=timedelta(minutes=1), options=options)
    return done.stdout.strip()


def commit(folder: Path, message: str, author: Person = ANA, committer: Person = ANA) -> str:
    words = ("commit", "--quiet", "--allow-empty", "--message", message)
    git(folder, *words, author=author, committer=committer)
    return git(folder, "rev-parse", "HEAD")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty repository."""
    monkeypatch.setenv("SLIPWAY_STATE", str(tmp_path / "state"))
    made = tmp_path / "shop"
    made.mkdir()
    git(made, "init", "--quiet", "--initial-branch", "main")
    git(made, "config", "uploadpack.allowFilter", "true")
    return made


@pytest.fixture
def live(folder: Path) -> str:
    """A commit of Li's, before the range."""
    return commit(folder, "Live", author=LI, committer=LI)


@pytest.fixture
def new(folder: Path, live: str) -> str:  # noqa: ARG001 it comes first
    """A range that four people's hands were in."""
    commit(folder, "One")
    commit(folder, "Two\n\nWith help.\n\nCo-authored-by: Eva <eva@example.org>\n", committer=BO)
    return commit(folder, "Three")


def test_authors_committers_and_co_authors_since_the_live_commit_are_found(
    folder: Path, live: str, new: str
) -> None:
    assert find_committers(str(folder), live, new, (ANA,)) == Committers((ANA, BO, EVA))


def test_what_came_in_by_a_merge_counts_too(folder: Path, live: str) -> None:
    git(folder, "checkout", "--quiet", "-b", "side", live)
    commit(folder, "Aside", author=BO, committer=BO)
    git(folder, "checkout", "--quiet", "main")
    commit(folder, "Main")
    git(folder, "merge", "--quiet", "--no-ff", "--message", "Merge", "side")
    assert find_committers(str(folder), live, git(folder, "rev-parse", "HEAD"), ()) == Committers(
        (ANA, BO)
    )


UNKNOWN = {
    "nothing is live": (None, "nothing is live yet"),
    "the live commit is not there": (
        "1" * 40,
        "the repository does not have the history from 111111111111 to",
    ),
    "the live commit is no commit": ("--all", "the repository is not known"),
}


@pytest.mark.parametrize(("since", "unknown"), UNKNOWN.values(), ids=UNKNOWN.keys())
def test_where_the_range_is_not_known_the_commits_own_people_count_and_it_is_said(
    folder: Path, new: str, since: str | None, unknown: str
) -> None:
    found = find_committers(str(folder), since, new, (ANA, BO))
    assert found.people == (ANA, BO)
    assert found.unknown.startswith(unknown)


def test_a_release_without_its_repository_says_so(live: str, new: str) -> None:
    assert find_committers(None, live, new, (ANA,)).unknown == "the repository is not known"


def test_a_shallow_clone_is_no_witness(folder: Path, live: str, new: str, tmp_path: Path) -> None:
    shallow = tmp_path / "shallow"
    git(tmp_path, "clone", "--quiet", "--depth=2", f"file://{folder}", str(shallow))
    assert find_committers(str(shallow), live, new, (ANA,)).unknown


class _Git(BaseHTTPRequestHandler):
    """Git's own server, for the repositories of a folder."""

    root: str

    def do_GET(self) -> None:
        self._answer(b"")

    def do_POST(self) -> None:
        self._answer(self.rfile.read(int(self.headers["Content-Length"])))

    def _answer(self, body: bytes) -> None:
        path, _, query = self.path.partition("?")
        env = {
            **os.environ,
            **ENV,
            "GIT_PROJECT_ROOT": self.root,
            "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "REQUEST_METHOD": self.command,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "CONTENT_LENGTH": str(len(body)),
        }
        argv = ["git", "http-backend"]
        done = subprocess.run(argv, input=body, env=env, capture_output=True, check=True)  # noqa: S603
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        fields = dict(line.split(": ", 1) for line in head.decode().splitlines())
        self.send_response(int(fields.pop("Status", "200").split()[0]))
        for name, value in fields.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Keep the tests' output quiet."""


@pytest.fixture
def address(folder: Path) -> Iterator[str]:
    """The repository's address on a web server."""
    handler = type("Handler", (_Git,), {"root": str(folder.parent)})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/shop/.git"
        finally:
            server.shutdown()
            thread.join()


def test_of_a_repository_elsewhere_the_history_is_fetched_without_its_files(
    address: str, live: str, new: str, tmp_path: Path
) -> None:
    assert find_committers(address, live, new, (ANA,)) == Committers((ANA, BO, EVA))
    (history,) = (tmp_path / "state").rglob("history.git")
    kinds = git(history, "cat-file", "--batch-all-objects", "--batch-check=%(objecttype)")
    assert set(kinds.splitlines()) == {"commit"}


def test_a_live_commit_that_was_pushed_away_is_said_to_be_unknown(
    address: str, folder: Path, new: str
) -> None:
    found = find_committers(address, "1" * 40, new, (ANA,))
    assert found == Committers(
        (ANA,), f"the repository does not have the history from {'1' * 12} to {new[:12]}"
    )
    later = commit(folder, "Later", author=BO, committer=BO)
    assert find_committers(address, new, later, ()).people == (BO,)


def test_a_repository_that_does_not_answer_is_an_outage_and_bars_nobody_by_mistake(
    live: str, new: str
) -> None:
    with pytest.raises(Unavailable):
        find_committers("http://127.0.0.1:1/shop", live, new, (ANA,))


PEOPLE = {
    "author, committer and nobody else": ("Ana <ana@x>\x1fBo <bo@x>\x1f", ["Ana", "Bo"]),
    "somebody twice": ("Ana <ana@x>\x1fAna <ana@x>\x1f", ["Ana"]),
    "a co-author in a hurry": ("Ana <ana@x>\x1fAna <ana@x>\x1feva", ["eva", "Ana"]),
    "a name that holds a bracket": ("Ana <x> <ana@x>\x1f", ["Ana"]),
    "several commits": ("Ana <ana@x>\x1f\x00Bo <bo@x>\x1f", ["Ana", "Bo"]),
}


@pytest.mark.parametrize(("text", "names"), PEOPLE.values(), ids=PEOPLE.keys())
def test_people_are_read_from_what_git_prints(text: str, names: list[str]) -> None:
    assert [each.name for each in parse_people(text)] == names
