"""Smoke runs in the lab's Docker engine, of images made here around one small server."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import docker
import pytest
from pydantic import TypeAdapter

from tasks.core import process
from tasks.core.application import Component, ImageTarget, Smoke
from tasks.core.errors import StageFailed, Unavailable
from tasks.core.model import Digest, Image
from tasks.core.paths import cache_dir, instance, state_dir
from tasks.core.target import Target
from tasks.smoke import smoke
from tasks.smoke.engine import INSTANCE, OWNER, connect
from tasks.smoke.owner import Owner
from tests.unit.tasks.scan.oci_layout import ImageFiles, write_image

pytestmark = [pytest.mark.e2e, pytest.mark.disruptive]  # nobody else may use the engine

HTTP = Component("api", port=8080, smoke=Smoke(path="/health", within=timedelta(seconds=20)))
CONFIG = {"User": "1000:1000", "Entrypoint": ["/app"], "ExposedPorts": {"8080/tcp": {}}}


@pytest.fixture(scope="session")
def server() -> bytes:
    """A static program that needs nothing else in its image."""
    program = cache_dir() / "bin" / "smokeapp-1"
    if not program.exists():
        program.parent.mkdir(parents=True, exist_ok=True)
        options = process.Options(cwd=Path(__file__).parent / "smokeapp", env={"CGO_ENABLED": "0"})
        argv = ("go", "build", "-trimpath", "-ldflags=-s -w", "-o", str(program), ".")
        process.run(argv, timeout=timedelta(minutes=5), options=options)
    return program.read_bytes()


@pytest.fixture
def target() -> Target:
    return TypeAdapter(Target).validate_json((state_dir() / "lab" / "target.json").read_bytes())


@pytest.fixture
def client(target: Target) -> Iterator[docker.DockerClient]:
    """The engine; afterwards nothing of this test is in it."""
    client = docker.DockerClient(base_url=target.docker_host)
    before = len(client.images.list())
    yield client
    assert client.containers.list(all=True, filters={"label": f"{INSTANCE}={instance()}"}) == []
    assert client.images.list(name=f"slipway-smoke/{instance()}") == []
    assert len(client.images.list()) == before
    client.close()


def given_image(folder: Path, server: bytes, config: Mapping[str, object] | None = None) -> Image:
    files = ImageFiles(
        layers=({"app": server}, {"big/file": bytes(3_000_000)}),
        config={**CONFIG, **(config or {})},
        executable=frozenset({"app"}),
    )
    return write_image(folder, files)


@pytest.mark.usefixtures("client")
class TestSmoke:
    def test_a_healthy_image_is_started_asked_and_stopped(
        self, tmp_path: Path, server: bytes, target: Target
    ) -> None:
        result = smoke(given_image(tmp_path, server), HTTP, target, print)
        assert "/health answered 200), stopped" in result.sentence
        assert "after SIGTERM with status 0;" in result.sentence
        assert result.sentence.endswith("unpacked, as user 1000")

    def test_the_images_own_healthcheck_counts_where_no_path_is_given(
        self, tmp_path: Path, server: bytes, target: Target
    ) -> None:
        check = {"Healthcheck": {"Test": ["CMD", "/app", "check"], "Interval": 30 * 10**9}}
        result = smoke(given_image(tmp_path, server, check), Component("api"), target, print)
        assert "(HEALTHCHECK healthy)" in result.sentence

    def test_a_port_that_opens_is_enough_where_nothing_else_is_known(
        self, tmp_path: Path, server: bytes, target: Target
    ) -> None:
        result = smoke(given_image(tmp_path, server), Component("api"), target, print)
        assert "(port 8080 accepts connections)" in result.sentence

    def test_skipped_is_not_passed(self, tmp_path: Path, server: bytes, target: Target) -> None:
        image = given_image(tmp_path, server, {"ExposedPorts": {}})
        result = smoke(image, Component("api"), target, print)
        assert result.sentence.startswith("skipped, not passed:")

    def test_a_bad_answer_fails_with_expected_and_seen_and_the_log(
        self, tmp_path: Path, server: bytes, target: Target
    ) -> None:
        broken = replace(HTTP, smoke=Smoke(path="/broken", within=timedelta(seconds=2)))
        with pytest.raises(StageFailed) as failure:
            smoke(given_image(tmp_path, server), broken, target, print)
        assert "expected GET /broken on port 8080 answered 2xx within 2s, but GET" in str(
            failure.value
        )
        assert "answered 500; its last lines:\n  | listening, uid 1000" in str(failure.value)

    def test_the_root_file_system_is_read_only_but_for_writable(
        self, tmp_path: Path, server: bytes, target: Target
    ) -> None:
        allowed = replace(HTTP, smoke=Smoke(path="/health", env={"WRITES": "/tmp/x"}))
        smoke(given_image(tmp_path / "one", server), allowed, target, print)
        refused = replace(HTTP, smoke=Smoke(path="/health", env={"WRITES": "/big/x"}))
        with pytest.raises(StageFailed, match=r"ended with status 3(.|\n)*read-only file system"):
            smoke(given_image(tmp_path / "other", server), refused, target, print)

    def test_ignoring_sigterm_fails_when_the_grace_is_over(
        self, tmp_path: Path, server: bytes, target: Target
    ) -> None:
        grace = timedelta(seconds=1)
        stubborn = replace(HTTP, smoke=Smoke(path="/health", env={"STUBBORN": "1"}, grace=grace))
        with pytest.raises(StageFailed, match="within 1s of SIGTERM, but it still ran 1"):
            smoke(given_image(tmp_path, server), stubborn, target, print)

    def test_the_images_own_stop_signal_is_sent_as_a_kubelet_does(
        self, tmp_path: Path, server: bytes, target: Target
    ) -> None:
        image = given_image(tmp_path, server, {"StopSignal": "SIGINT"})
        with pytest.raises(StageFailed, match="of SIGINT, but it ended with status 2"):
            smoke(image, HTTP, target, print)

    @pytest.mark.parametrize("user", ["", "0", "root", "0:1000"])
    def test_root_is_refused(
        self, tmp_path: Path, server: bytes, target: Target, user: str
    ) -> None:
        image = given_image(tmp_path, server, {"User": user})
        with pytest.raises(StageFailed, match=r"runs as root.*Next: .*USER 1000"):
            smoke(image, HTTP, target, print)

    def test_over_the_budget_shows_the_largest_layers(
        self, tmp_path: Path, server: bytes, target: Target
    ) -> None:
        small = replace(HTTP, image=ImageTarget(max_size=1_000_000))
        with pytest.raises(StageFailed, match=r"budget is 1.0 MB(.|\n)*3.0 MB  COPY layer-2 /"):
            smoke(given_image(tmp_path, server), small, target, print)

    def test_another_image_than_the_built_one_is_refused(
        self, tmp_path: Path, server: bytes, target: Target
    ) -> None:
        image = replace(given_image(tmp_path, server), config_digest=Digest("sha256:" + "0" * 64))
        with pytest.raises(StageFailed, match="expected image sha256:000"):
            smoke(image, HTTP, target, print)

    def test_an_image_that_cannot_start_says_so(
        self, tmp_path: Path, server: bytes, target: Target
    ) -> None:
        image = given_image(tmp_path, server, {"Entrypoint": ["/not-there"]})
        with pytest.raises(StageFailed, match=r"cannot be started: .*not-there"):
            smoke(image, HTTP, target, print)


def test_leftovers_of_a_killed_run_are_cleaned_and_a_living_ones_kept(
    tmp_path: Path, server: bytes, target: Target, client: docker.DockerClient
) -> None:
    image = given_image(tmp_path, server)
    gone = replace(Owner.this(), pid=2**22, started_at=1)
    with connect(target.docker_host) as engine, engine.loaded(image) as loaded:
        client.images.get(loaded.id).tag(f"slipway-smoke/{instance()}", tag=f"api-{gone}")
        for owner in (gone, Owner.this()):
            client.containers.create(loaded.id, labels={INSTANCE: instance(), OWNER: str(owner)})
        assert engine.clean() == 2
        (alive,) = client.containers.list(all=True, filters={"label": f"{INSTANCE}={instance()}"})
        assert alive.labels[OWNER] == str(Owner.this())
        alive.remove(force=True)


def test_an_engine_that_is_away_is_unavailable(tmp_path: Path, target: Target) -> None:
    away = replace(target, docker_host=f"unix://{tmp_path}/none.sock")
    image = write_image(tmp_path / "image", ImageFiles(({"x": b""},)))
    with pytest.raises(Unavailable, match="slipway lab up"):
        smoke(image, HTTP, away, print)
