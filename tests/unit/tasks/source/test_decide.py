"""Addresses, revisions and content, without git."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.core.application import Component, ImageTarget, TestTarget
from tasks.core.errors import ConfigError
from tasks.source.decide import (
    content_hash,
    delivered_entries,
    parse_address,
    pick_advertised,
    require_storable,
    resolve_submodule,
    stale_trees,
)
from tasks.source.model import Entry, Location

ADVERTISED = """\
c1\tHEAD
c1\trefs/heads/main
t1\trefs/tags/v1
c2\trefs/tags/v1^{}
c4\trefs/tags/v2
c5\trefs/heads/both
c6\trefs/tags/both
c7\trefs/pull/7/head
c8\trefs/heads/some/other
"""
NOW = datetime(2026, 1, 10, tzinfo=UTC)
API = Component("api")
FILES = (Entry("100644", "b1", "api/main"), Entry("100755", "b2", "api/run"))


@pytest.mark.parametrize(
    ("text", "location"),
    [
        ("/srv/shop", Location("/srv/shop", is_local=True)),
        ("./shop", Location("./shop", is_local=True)),
        ("file:///srv/my%20shop", Location("/srv/my shop", is_local=True)),
        ("https://git.example/t/s", Location("https://git.example/t/s", is_local=False)),
        (
            "https://ana:p%40ss@git.example:8443/s",
            Location("https://git.example:8443/s", is_local=False, credentials="ana:p@ss"),
        ),
        (
            "https://token@git.example/s",
            Location("https://git.example/s", is_local=False, credentials="token:"),
        ),
        ("http://127.0.0.1:3000/s", Location("http://127.0.0.1:3000/s", is_local=False)),
        ("ssh://git@git.example/s", Location("ssh://git@git.example/s", is_local=False)),
        ("git@git.example:t/s.git", Location("git@git.example:t/s.git", is_local=False)),
    ],
)
def test_an_address_is_taken_apart(text: str, location: Location) -> None:
    assert parse_address(text) == location


@pytest.mark.parametrize(
    "text",
    ["http://git.example/s", "git://git.example/s", "ext::sh -c id", "ftp://u:p@h/s", "https:///s"],
)
def test_an_address_that_nobody_could_trust_is_refused(text: str) -> None:
    with pytest.raises(ConfigError) as raised:
        parse_address(text)
    assert "u:p" not in str(raised.value)


@pytest.mark.parametrize(
    "address",
    [
        "https://ana:s3cret@git.example/shop",
        "https://s3cret@git.example/shop",
        "ssh://git:s3cret@git.example/shop",
        "http://ana:s3cret@localhost:3000/shop",
    ],
)
def test_an_address_with_credentials_is_not_stored_and_they_are_not_repeated(address: str) -> None:
    with pytest.raises(ConfigError, match="holds credentials") as raised:
        require_storable(address)
    assert "s3cret" not in str(raised.value)


@pytest.mark.parametrize(
    "address",
    ["/srv/a b", "https://git.example/s", "ssh://git@git.example/s", "git@git.example:team/s"],
)
def test_an_address_without_credentials_may_be_stored(address: str) -> None:
    require_storable(address)


def test_credentials_are_not_part_of_what_is_shown() -> None:
    assert "s3cret" not in repr(parse_address("https://ana:s3cret@git.example/s"))


@pytest.mark.parametrize(
    ("revision", "commit"),
    [
        pytest.param("main", "c1", id="a branch"),
        pytest.param("v1", "c2", id="an annotated tag is followed to its commit"),
        pytest.param("v2", "c4", id="a light tag"),
        pytest.param("both", "c6", id="a tag goes before a branch, as in git"),
        pytest.param("HEAD", "c1", id="the branch that is checked out there"),
        pytest.param("refs/pull/7/head", "c7", id="a full name"),
        pytest.param("refs/tags/v9", None, id="a full name stands for nothing else"),
        pytest.param("other", None, id="somebody else's ending is no match"),
    ],
)
def test_a_revision_is_found_among_what_a_remote_advertises(
    revision: str, commit: str | None
) -> None:
    assert pick_advertised(ADVERTISED, revision) == commit


@pytest.mark.parametrize(
    ("address", "parent", "resolved"),
    [
        ("../lib", "/srv/shop", "/srv/lib"),
        ("./lib", "/srv/shop", "/srv/shop/lib"),
        ("../../x/lib.git", "https://git.example/t/shop", "https://git.example/x/lib.git"),
        ("../lib", "git@git.example:t/shop", "git@git.example:t/lib"),
        ("../lib", "ssh://git@git.example/t/shop", "ssh://git@git.example/t/lib"),
        ("https://other.example/lib", "/srv/shop", "https://other.example/lib"),
        ("/srv/lib", "/srv/shop", "/srv/lib"),
    ],
)
def test_a_submodule_is_found_from_its_parent(address: str, parent: str, resolved: str) -> None:
    assert resolve_submodule(address, parse_address(parent)) == resolved


@pytest.mark.parametrize("address", ["/etc", "file:///etc", "ext::sh -c id"])
def test_a_repository_from_elsewhere_gets_no_folder_of_this_machine(address: str) -> None:
    with pytest.raises(ConfigError):
        resolve_submodule(address, parse_address("https://git.example/shop"))


@pytest.mark.parametrize(
    ("rules", "sent"),
    [
        pytest.param("", {"main", "docs/a", ".dockerignore"}, id="no rules: everything"),
        pytest.param("# docs\n\n", {"main", "docs/a", ".dockerignore"}, id="a comment is no rule"),
        pytest.param("docs", {"main", ".dockerignore"}, id="a folder"),
        pytest.param("/docs/\nmain", {".dockerignore"}, id="slashes at both ends"),
        pytest.param("doc", {"main", "docs/a", ".dockerignore"}, id="the start of a name is none"),
        pytest.param("docs\n!docs/a", {"main", "docs/a", ".dockerignore"}, id="an exception"),
        pytest.param("**/a\ndocs", {"main", "docs/a", ".dockerignore"}, id="a wildcard"),
        pytest.param("../api/docs", {"main", "docs/a", ".dockerignore"}, id="a way round"),
    ],
)
def test_rules_that_are_not_plain_count_every_file(rules: str, sent: set[str]) -> None:
    paths = ("api/main", "api/docs/a", "api/.dockerignore", "web/page", "apiary/x")
    entries = [Entry("100644", "b", path) for path in paths]
    found = delivered_entries("./api/", entries, rules)
    assert {entry.path.removeprefix("api/") for entry in found} == sent


def test_the_whole_repository_can_be_the_context() -> None:
    assert delivered_entries(".", FILES, "") == FILES


def test_a_context_without_files_is_refused() -> None:
    with pytest.raises(ConfigError, match="holds no file"):
        delivered_entries("web", FILES, "")


def test_deadlines_and_budgets_are_no_content() -> None:
    other = replace(API, image=replace(API.image, max_size=1, deadline=timedelta(hours=1)))
    assert content_hash(other, FILES) == content_hash(API, FILES)


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(replace(API, test=TestTarget()), id="a test target"),
        pytest.param(replace(API, test=TestTarget(report="r.xml")), id="a report"),
        pytest.param(replace(API, image=ImageTarget(args={"A": "1"})), id="an argument"),
        pytest.param(replace(API, image=ImageTarget(target="other")), id="another target"),
        pytest.param(replace(API, dockerfile="Other"), id="another Dockerfile"),
    ],
)
def test_what_changes_the_image_is_content(other: Component) -> None:
    assert content_hash(other, FILES) != content_hash(API, FILES)


@given(st.permutations(FILES))
def test_the_order_of_the_files_does_not_matter(files: list[Entry]) -> None:
    assert content_hash(API, files) == content_hash(API, FILES)


@given(st.sampled_from(["mode", "blob", "path"]), st.text(min_size=1, max_size=5))
def test_every_part_of_a_file_matters(part: str, value: str) -> None:
    changed = Entry(**{"mode": "100644", "blob": "b1", "path": "api/main", part: "\0" + value})
    assert content_hash(API, (changed, FILES[1])) != content_hash(API, FILES)


def test_a_tree_in_use_today_is_kept_however_many_there_are() -> None:
    used = [(str(number), NOW - timedelta(hours=number)) for number in range(30)]
    assert stale_trees(used, NOW, keep=5, hours=24) == tuple(str(n) for n in range(25, 30))
