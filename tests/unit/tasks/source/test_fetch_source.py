"""Fetching commits from real repositories on this machine."""

import os
import stat
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from tasks.core import process
from tasks.core.errors import ConfigError, Unavailable
from tasks.core.model import Source
from tasks.source.effects import fetch_source

SLIPWAY = """
application: shop
components:
  api: {context: api}
  web: {context: web}
environments:
  dev: {overlay: deploy/dev, namespace: shop-dev}
"""
IMAGES = "images: [{name: shop-api}, {name: shop-web}]\n"
WORKLOADS = "\n---\n".join(
    f"""apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}}}
spec:
  selector: {{matchLabels: {{app: {name}}}}}
  template:
    metadata: {{labels: {{app: {name}}}}}
    spec: {{containers: [{{name: c, image: shop-{name}}}]}}"""
    for name in ("api", "web")
)
FILES = {
    "slipway.yaml": SLIPWAY,
    "api/Dockerfile": "FROM scratch AS runtime\nCOPY main /\n",
    "api/main": "one",
    "web/Dockerfile": "FROM scratch AS runtime\nCOPY page /\n",
    "web/page": "one",
    "deploy/dev/kustomization.yaml": "resources: [workloads.yaml]\n",
    "deploy/dev/workloads.yaml": WORKLOADS,
}
ENV = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_AUTHOR_DATE": "2026-01-02T03:04:05Z",
    "GIT_COMMITTER_DATE": "2026-01-02T03:04:05Z",
}
ANA = ("-c", "user.name=Ana", "-c", "user.email=ana@example.org")


@dataclass(slots=True)
class Repository:
    folder: Path
    log: list[str] = field(default_factory=list)

    def git(self, *arguments: str) -> str:
        argv = ("git", *ANA, "-c", "protocol.file.allow=always", *arguments)
        options = process.Options(cwd=self.folder, env=ENV)
        return process.run(argv, timeout=timedelta(minutes=1), options=options).stdout.strip()

    def given(self, files: dict[str, str], subject: str = "A change") -> str:
        for path, content in files.items():
            file = self.folder / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(content)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", subject)
        return self.git("rev-parse", "HEAD")

    def when_fetched(self, revision: str = "HEAD", address: str | None = None) -> Source:
        return fetch_source(address or str(self.folder), revision, self.log.append)


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SLIPWAY_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("SLIPWAY_INSTANCE", "unit")
    return tmp_path / "state" / "unit"


@pytest.fixture
def new_repository(state: Path, tmp_path: Path) -> Callable[[str], Repository]:  # noqa: ARG001
    def make(name: str) -> Repository:
        repository = Repository(tmp_path / name)
        repository.folder.mkdir()
        repository.git("init", "--quiet", "--initial-branch", "main")
        return repository

    return make


@pytest.fixture
def repository(new_repository: Callable[[str], Repository]) -> Repository:
    repository = new_repository("shop")
    repository.given(FILES, "First")
    return repository


def content(source: Source, component: str) -> str:
    return next(part.content for part in source.components if part.name == component)


def test_a_commit_comes_with_its_author_its_time_and_its_application(
    repository: Repository,
) -> None:
    source = repository.when_fetched()
    assert source.commit == repository.git("rev-parse", "HEAD")
    assert (source.author, source.author_email) == ("Ana", "ana@example.org")
    assert source.subject == "First"
    assert source.committed_at == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert source.repository == str(repository.folder)
    assert source.application.application == "shop"
    assert Path(source.tree, "api/main").read_text() == "one"
    assert not Path(source.tree, ".git").exists()


@pytest.mark.parametrize("form", ["{}", "file://{}", "{}/api"])
def test_a_local_repository_may_be_named_in_three_ways(repository: Repository, form: str) -> None:
    source = repository.when_fetched(address=form.format(repository.folder))
    assert source.repository == str(repository.folder)


@pytest.mark.parametrize("revision", ["HEAD", "main", "v1", "side~1", "{commit}", "{short}"])
def test_a_revision_may_be_anything_that_git_understands(
    repository: Repository, revision: str
) -> None:
    commit = repository.git("rev-parse", "HEAD")
    repository.git("tag", "--annotate", "--message", "One", "v1")
    repository.git("branch", "side")
    repository.git("checkout", "--quiet", "side")
    repository.given({"api/main": "two"})
    repository.git("checkout", "--quiet", "main")
    source = repository.when_fetched(revision.format(commit=commit, short=commit[:9]))
    assert source.commit == commit


def test_what_is_not_committed_is_not_delivered_and_said_so(repository: Repository) -> None:
    (repository.folder / "api/main").write_text("dirty")
    (repository.folder / "new").write_text("dirty")
    source = repository.when_fetched()
    assert Path(source.tree, "api/main").read_text() == "one"
    assert not Path(source.tree, "new").exists()
    assert any("2 files are changed and not committed" in line for line in repository.log)


def test_modes_and_times_are_the_same_on_every_machine(repository: Repository) -> None:
    (repository.folder / "api/run").write_text("#!/bin/sh\n")
    (repository.folder / "api/run").chmod(0o700)
    (repository.folder / "api/link").symlink_to("main")
    repository.given({})
    before = os.umask(0o077)
    try:
        tree = Path(repository.when_fetched().tree)
    finally:
        os.umask(before)
    described = {
        path.relative_to(tree): (stat.S_IMODE(path.lstat().st_mode), int(path.lstat().st_mtime))
        for path in tree.joinpath("api").rglob("*")
    }
    epoch = int(datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC).timestamp())
    assert described[Path("api/run")] == (0o755, epoch)
    assert described[Path("api/main")] == (0o644, epoch)
    assert described[Path("api/link")][1] == epoch
    assert stat.S_IMODE(tree.joinpath("api").stat().st_mode) == 0o755


def test_only_the_component_that_changed_has_new_content(repository: Repository) -> None:
    before = repository.when_fetched()
    repository.given({"api/main": "two"})
    after = repository.when_fetched()
    assert content(after, "web") == content(before, "web")
    assert content(after, "api") != content(before, "api")


def test_the_same_files_in_another_commit_are_the_same_content(repository: Repository) -> None:
    before = repository.when_fetched()
    repository.git("commit", "--quiet", "--allow-empty", "--message", "Nothing")
    after = repository.when_fetched()
    assert after.commit != before.commit
    assert after.components == before.components


def test_what_a_builder_is_not_sent_is_no_content(repository: Repository) -> None:
    repository.given({"api/.dockerignore": "# not sent\nnotes\n", "api/notes/a": "one"})
    before = repository.when_fetched()
    repository.given({"api/notes/a": "two"})
    assert content(repository.when_fetched(), "api") == content(before, "api")


def test_a_tree_that_somebody_changed_is_made_again(repository: Repository) -> None:
    tree = Path(repository.when_fetched().tree)
    (tree / "api/main").write_text("evil")
    (tree / "api/added").write_text("evil")
    again = Path(repository.when_fetched().tree)
    assert again == tree
    assert (tree / "api/main").read_text() == "one"
    assert not (tree / "api/added").exists()
    assert any("made again" in line for line in repository.log)


def test_a_tree_that_nobody_changed_is_kept(repository: Repository) -> None:
    tree = Path(repository.when_fetched().tree)
    made = tree.stat().st_ino
    repository.when_fetched()
    assert tree.stat().st_ino == made


def test_many_runs_at_once_get_the_same_tree(repository: Repository) -> None:
    with ThreadPoolExecutor(8) as pool:
        sources = list(pool.map(lambda _: repository.when_fetched(), range(8)))
    assert len({source.tree for source in sources}) == 1
    assert Path(sources[0].tree, "api/main").read_text() == "one"
    assert not list(Path(sources[0].tree).parents[1].glob("draft-*"))


def test_old_trees_go_and_the_newest_five_stay(repository: Repository) -> None:
    homes = []
    for number in range(7):
        repository.given({"api/main": str(number)})
        homes.append(Path(repository.when_fetched().tree).parent)
        days_ago = (datetime.now(UTC) - timedelta(days=20 - number)).timestamp()  # noqa: TID251
        os.utime(homes[-1], (days_ago, days_ago))
    repository.when_fetched("HEAD~6")
    assert [home.exists() for home in homes] == [True, False, False, True, True, True, True]


def test_a_shallow_clone_is_delivered_like_any_other(
    repository: Repository, tmp_path: Path
) -> None:
    commit = repository.given({"api/main": "two"})
    clone = tmp_path / "shallow"
    repository.git("clone", "--quiet", "--depth=1", f"file://{repository.folder}", str(clone))
    source = Repository(clone).when_fetched()
    assert source.commit == commit
    assert Path(source.tree, "api/main").read_text() == "two"


def test_a_linked_work_tree_is_a_repository(repository: Repository, tmp_path: Path) -> None:
    repository.git("worktree", "add", "--quiet", str(tmp_path / "linked"), "-b", "linked")
    source = Repository(tmp_path / "linked").when_fetched()
    assert source.commit == repository.git("rev-parse", "HEAD")


def test_a_bare_repository_is_a_repository(repository: Repository, tmp_path: Path) -> None:
    repository.git("clone", "--quiet", "--bare", str(repository.folder), str(tmp_path / "b.git"))
    source = Repository(tmp_path / "b.git").when_fetched("main")
    assert source.repository == str(tmp_path / "b.git")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_repository_of_another_user_is_delivered_when_it_was_named(
    repository: Repository,
) -> None:
    commit = repository.git("rev-parse", "HEAD")
    for path in (repository.folder, *repository.folder.rglob("*")):
        os.chown(path, 65534, 65534)
    assert repository.when_fetched().commit == commit


def test_a_hook_of_git_may_start_a_delivery(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    monkeypatch.setenv("GIT_INDEX_FILE", "/nowhere/index")
    monkeypatch.setenv("GIT_WORK_TREE", "/nowhere")
    assert repository.when_fetched().subject == "First"


def test_submodules_are_part_of_the_tree_and_of_the_content(
    new_repository: Callable[[str], Repository], repository: Repository
) -> None:
    library = new_repository("library")
    library.given({"lib": "one"})
    repository.git("submodule", "--quiet", "add", "../library", "api/library")
    repository.given({})
    before = repository.when_fetched()
    assert Path(before.tree, "api/library/lib").read_text() == "one"
    library.given({"lib": "two"})
    repository.git("-C", "api/library", "pull", "--quiet", "origin", "main")
    repository.given({})
    after = repository.when_fetched()
    assert Path(after.tree, "api/library/lib").read_text() == "two"
    assert content(after, "api") != content(before, "api")
    assert repository.when_fetched().tree == after.tree
    assert not any("made again" in line for line in repository.log)


def test_a_submodule_that_cannot_be_had_is_named(
    new_repository: Callable[[str], Repository], repository: Repository
) -> None:
    library = new_repository("library")
    library.given({"lib": "one"})
    repository.git("submodule", "--quiet", "add", "../library", "api/library")
    repository.given({})
    library.folder.rename(library.folder.with_name("moved"))
    with pytest.raises(ConfigError, match="library"):
        repository.when_fetched()


def test_lfs_pointers_are_refused_by_name(repository: Repository) -> None:
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n"
    repository.given({f"api/{number}.bin": pointer for number in range(6)})
    with pytest.raises(ConfigError, match=r"api/0\.bin, .* and 1 more") as raised:
        repository.when_fetched()
    assert "Git LFS" in raised.value.what


@pytest.mark.parametrize("revision", ["nowhere", "-h", "main..main", "0" * 40, ""])
def test_an_unknown_revision_is_said_so(repository: Repository, revision: str) -> None:
    with pytest.raises(ConfigError, match="no commit is called"):
        repository.when_fetched(revision)


def test_a_folder_without_a_repository_is_said_so(state: Path, tmp_path: Path) -> None:  # noqa: ARG001
    with pytest.raises(ConfigError, match="is not a git repository"):
        fetch_source(str(tmp_path), "HEAD")
    with pytest.raises(ConfigError, match="no such folder"):
        fetch_source(str(tmp_path / "nowhere"), "HEAD")


def test_a_repository_without_commits_is_said_so(
    new_repository: Callable[[str], Repository],
) -> None:
    with pytest.raises(ConfigError, match="no commit is called HEAD"):
        new_repository("empty").when_fetched()


def test_a_commit_without_slipway_yaml_is_said_so(
    new_repository: Callable[[str], Repository],
) -> None:
    repository = new_repository("other")
    repository.given({"readme": "x"})
    with pytest.raises(ConfigError, match="slipway init"):
        repository.when_fetched()


class _Refusing(BaseHTTPRequestHandler):
    seen: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.seen.append(self.headers.get("Authorization", ""))
        self.send_response(401)
        self.send_header("WWW-Authenticate", 'Basic realm="git"')
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Keep the tests' output quiet."""


def test_a_remote_that_refuses_the_token_is_a_matter_of_configuration(state: Path) -> None:  # noqa: ARG001
    with ThreadingHTTPServer(("127.0.0.1", 0), _Refusing) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            with pytest.raises(ConfigError, match="needs other credentials") as raised:
                fetch_source(f"http://ana:s3cret@127.0.0.1:{server.server_port}/shop", "main")
        finally:
            server.shutdown()
            thread.join()
    assert set(_Refusing.seen) == {"Basic YW5hOnMzY3JldA=="}
    assert "s3cret" not in str(raised.value)


def test_a_remote_that_does_not_answer_is_unavailable_and_its_token_is_not_shown(
    state: Path,
) -> None:
    address = "https://ana:a-very-secret-token@127.0.0.1:1/team/shop"
    with pytest.raises(Unavailable) as raised:
        fetch_source(address, "main")
    shown = f"{raised.value!r} {raised.value.__cause__!r}"
    assert "https://127.0.0.1:1/team/shop" in shown
    assert "a-very-secret-token" not in shown
    kept = "".join(path.read_text(errors="replace") for path in state.rglob("*") if path.is_file())
    assert "a-very-secret-token" not in kept
