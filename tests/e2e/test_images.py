"""Lint, test, build and push with the lab's BuildKit, Docker engine and registry."""

import json
import socket
import tarfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import docker
import httpx
import pytest
import stamina

from infra.lab import lifecycle as labs
from infra.lab.lifecycle import LabStatus
from tasks.build import build
from tasks.core.errors import StageFailed, Unavailable
from tasks.core.model import Image
from tasks.core.oci import read_layout
from tasks.core.target import Target
from tasks.lint import lint
from tasks.push import push
from tasks.test import test as run_tests
from tests.e2e.small_app import DOCKERFILE, SmallApp, report

pytestmark = pytest.mark.e2e

FAILS = '<testcase classname="math" name="divides"><failure message="1 is not 2"/></testcase>'
MEGABYTES = "RUN head -c 9000000 /dev/urandom > dist/large\nFROM busybox:1.36 AS runtime"


@pytest.fixture
def target(lab: LabStatus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Target:  # noqa: ARG001
    """The lab, with a state of this test's own."""
    target = labs.target()
    monkeypatch.setenv("SLIPWAY_STATE", str(tmp_path / "state"))
    return target


@pytest.fixture
def app(tmp_path: Path) -> SmallApp:
    (tmp_path / "app").mkdir()
    return SmallApp(tmp_path / "app")


def test_a_linter_that_is_content_lets_its_output_be_read(target: Target, app: SmallApp) -> None:
    log: list[str] = []
    result = lint(app.given().when_fetched(), "app", target, log.append)
    assert (result.stage, result.sentence, result.failed) == ("lint", "lint found nothing", ())
    assert any("RUN sh lint.sh" in line for line in log)


def test_a_linter_that_is_not_stops_the_component_with_its_last_lines(
    target: Target, app: SmallApp
) -> None:
    source = app.given({"app/lint.sh": "echo line 7 is too long; exit 3"}).when_fetched()
    with pytest.raises(StageFailed, match="line 7 is too long"):
        lint(source, "app", target, print)


def test_tests_that_pass_are_counted(target: Target, app: SmallApp) -> None:
    result = run_tests(app.given().when_fetched(), "app", target, print)
    assert (result.sentence, result.tests) == ("1 test passed", 1)


@pytest.mark.parametrize(
    ("script", "sentence"),
    [
        pytest.param(report(FAILS, exit_code=1), "math > divides: 1 is not 2", id="a failing test"),
        pytest.param(report(), "the report holds no test", id="no test"),
        pytest.param("echo nothing", "left no report at out/junit.xml", id="no report"),
        pytest.param("echo boom; exit 4", "boom", id="a runner that breaks the build"),
    ],
)
def test_tests_that_do_not_pass_stop_the_component_and_say_why(
    target: Target, app: SmallApp, script: str, sentence: str
) -> None:
    source = app.given({"app/test.sh": script}).when_fetched()
    with pytest.raises(StageFailed) as raised:
        run_tests(source, "app", target, print)
    assert sentence in raised.value.what


def test_failed_tests_are_run_again_when_the_commit_comes_again(
    target: Target, app: SmallApp
) -> None:
    never_seen = f"# {uuid4()}\n"  # by a builder that remembers earlier runs of this test
    source = app.given({"app/test.sh": never_seen + report(FAILS)}).when_fetched()
    log: list[str] = []
    for _ in range(2):
        with pytest.raises(StageFailed, match="1 of 1 tests failed"):
            run_tests(source, "app", target, log.append)
    assert [line for line in log if "RUN sh test.sh" in line] == [
        "[test 1/1] RUN sh test.sh",
        "[test 1/1] RUN sh test.sh (unchanged)",
        "[test 1/1] RUN sh test.sh",
    ]


def test_the_same_commit_built_twice_without_a_cache_is_the_same_image(
    target: Target, app: SmallApp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app.given()
    first = build(app.when_fetched(), "app", target, print, ("--no-cache",))
    monkeypatch.setenv("SLIPWAY_STATE", str(tmp_path / "elsewhere"))
    second = build(app.when_fetched(), "app", target, print, ("--no-cache",))
    assert first.layout != second.layout
    assert (first.digest, first.config_digest) == (second.digest, second.config_digest)


def test_a_later_commit_runs_no_unchanged_step_again(target: Target, app: SmallApp) -> None:
    build(app.given().when_fetched(), "app", target, print)
    log: list[str] = []
    build(app.given({"readme": "new"}).when_fetched(), "app", target, log.append)
    steps = [line for line in log if "RUN " in line]
    assert steps
    assert all(line.endswith("(unchanged)") for line in steps)


def test_layout_and_archive_are_one_image_and_provenance_is_about_it(
    target: Target, app: SmallApp
) -> None:
    image = build(app.given().when_fetched(), "app", target, print)
    layout = read_layout(Path(image.layout))
    with tarfile.open(image.archive) as tar:
        member = tar.extractfile("manifest.json")
        assert member is not None
        listing = json.load(member)[0]
    assert listing["Config"].endswith(image.config_digest.removeprefix("sha256:"))
    assert layout.attestation is not None
    statement = json.loads(layout.blob(layout.attestation.layers[0]).read_bytes())
    assert {"sha256": image.digest.removeprefix("sha256:")} in [
        subject["digest"] for subject in statement["subject"]
    ]


def test_a_docker_engine_loads_the_archive_under_the_same_config(
    target: Target, app: SmallApp
) -> None:
    image = build(app.given({"app/main": "engine\n"}).when_fetched(), "app", target, print)
    client = docker.DockerClient(base_url=target.docker_host)
    try:
        with Path(image.archive).open("rb") as archive:
            loaded = client.images.load(archive)
        assert [one.id for one in loaded] == [image.config_digest]
        client.images.remove(image.config_digest)
    finally:
        client.close()


def test_a_cache_that_cannot_be_reached_is_no_failure(target: Target, app: SmallApp) -> None:
    away = replace(target, registry="127.0.0.1:1")
    assert build(app.given().when_fetched(), "app", away, print).digest


def test_a_step_that_fails_is_named(target: Target, app: SmallApp) -> None:
    dockerfile = DOCKERFILE.replace("cp main dist/main", "cp nothing dist/main")
    source = app.given({"app/Dockerfile": dockerfile}).when_fetched()
    with pytest.raises(StageFailed, match=r"RUN mkdir dist[\s\S]*nothing"):
        build(source, "app", target, print)


def test_a_builder_that_is_away_is_unavailable(target: Target, app: SmallApp) -> None:
    away = replace(target, builder="unix:///nowhere.sock")
    with pytest.raises(Unavailable, match="BuildKit does not answer"):
        lint(app.given().when_fetched(), "app", away, print)


def given_large_image(app: SmallApp, target: Target) -> Image:
    dockerfile = DOCKERFILE.replace("FROM busybox:1.36 AS runtime", MEGABYTES)
    source = app.given({"app/Dockerfile": dockerfile}).when_fetched()
    return build(source, "app", target, print, ("--no-cache",))


def then_registry_has(image: Image, target: Target, name: str) -> None:
    answer = httpx.head(
        f"http://{target.registry}/v2/{name}/manifests/{image.digest}",
        headers={"Accept": "application/vnd.oci.image.manifest.v1+json"},
    )
    assert answer.headers["Docker-Content-Digest"] == image.digest


def test_what_was_built_is_what_the_registry_has(target: Target, app: SmallApp) -> None:
    image = given_large_image(app, target)
    name = f"e2e-{image.digest[7:19]}/app"
    repository = f"{target.registry}/{name}"
    released = [push(image, f"{repository}:c0ffee", target, None, print) for _ in range(2)]
    assert {one.reference for one in released} == {f"{repository}@{image.digest}"}
    then_registry_has(image, target, name)


def test_a_push_that_is_cut_off_half_way_arrives_in_the_end(target: Target, app: SmallApp) -> None:
    image = given_large_image(app, target)
    name = f"e2e-{image.digest[7:19]}/cut"
    log: list[str] = []
    stamina.set_testing(testing=True, attempts=5)
    try:
        with cutting_proxy(target.registry, after_bytes=3_000_000) as host:
            push(image, f"{host}/{name}:c0ffee", target, None, log.append)
    finally:
        stamina.set_testing(testing=False)
    then_registry_has(image, target, name)


@contextmanager
def cutting_proxy(registry: str, after_bytes: int) -> Iterator[str]:
    """Stand before the registry and break the first connection that sends so much."""
    left = [after_bytes]
    host, _, port = registry.partition(":")
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=_accept, args=(server, (host, int(port)), left))
        thread.start()
        try:
            yield f"127.0.0.1:{server.getsockname()[1]}"
        finally:
            with suppress(OSError):
                server.shutdown(socket.SHUT_RDWR)
            thread.join()
    assert left[0] <= 0, "nothing was cut"


def _accept(server: socket.socket, registry: tuple[str, int], left: list[int]) -> None:
    threads: list[threading.Thread] = []
    with suppress(OSError):
        while True:
            client, _ = server.accept()
            behind = socket.create_connection(registry)
            for pair in ((client, behind, left), (behind, client, None)):
                threads.append(threading.Thread(target=_pump, args=pair))
                threads[-1].start()
    for thread in threads:
        thread.join()


def _pump(source: socket.socket, sink: socket.socket, left: list[int] | None) -> None:
    with suppress(OSError):
        while content := source.recv(65536):
            sink.sendall(content)
            if left is not None and left[0] > 0:
                left[0] -= len(content)
                if left[0] <= 0:
                    break
    for end in (source, sink):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
        end.close()
