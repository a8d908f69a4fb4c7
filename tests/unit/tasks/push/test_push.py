"""Pushing against a registry that speaks the protocol and fails as registries do."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import stamina

from tasks.core.errors import ConfigError, Conflict, SlipwayError, StageFailed, Unavailable
from tasks.core.model import Digest, Image, ReleasedImage
from tasks.core.target import Target
from tasks.push import Credentials, push
from tests.unit.tasks.push.registry_stand_in import Fault, RegistryStandIn, running_registry
from tests.unit.tasks.scan.oci_layout import ImageFiles, write_image

TARGET = Target(kubeconfig="", context="", registry="", builder="", docker_host="")
ACCOUNT = Credentials("ana", "a-very-secret-token")
LARGE = hashlib.shake_256(b"does not compress").digest(6_000_000)


@pytest.fixture(autouse=True)
def no_waits() -> Iterator[None]:
    stamina.set_testing(testing=True, attempts=5)
    yield
    stamina.set_testing(testing=False)


@pytest.fixture
def registry() -> Iterator[RegistryStandIn]:
    with running_registry() as registry:
        yield registry


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Image:
    files = ImageFiles(layers=({"small": b"x"}, {"large": LARGE}))
    return write_image(tmp_path_factory.mktemp("image"), files)


@pytest.fixture
def attested(image: Image, tmp_path: Path) -> tuple[Image, str]:
    """The image with provenance beside it, as BuildKit writes it; also the provenance's digest."""
    folder = tmp_path / "layout"
    blobs = folder / "blobs" / "sha256"
    blobs.mkdir(parents=True)
    for blob in (Path(image.layout) / "blobs" / "sha256").iterdir():
        (blobs / blob.name).hardlink_to(blob)
    index = json.loads((Path(image.layout) / "index.json").read_bytes())
    statement = given_blob(blobs, b'{"_type": "https://in-toto.io/Statement/v1"}')
    empty = given_blob(blobs, b"{}")
    kind = "application/vnd.oci.image.manifest.v1+json"
    manifest = {
        "schemaVersion": 2,
        "mediaType": kind,
        "artifactType": "application/vnd.docker.attestation.manifest.v1+json",
        "config": {"mediaType": "application/vnd.oci.empty.v1+json", **empty},
        "layers": [{"mediaType": "application/vnd.in-toto+json", **statement}],
        "subject": {"mediaType": kind, "digest": image.digest, "size": 1},
    }
    described = given_blob(blobs, json.dumps(manifest).encode())
    of_it = {"vnd.docker.reference.digest": image.digest}
    index["manifests"].append({"mediaType": kind, "annotations": of_it, **described})
    (folder / "index.json").write_text(json.dumps(index))
    return replace(image, layout=str(folder)), str(described["digest"])


def given_blob(blobs: Path, content: bytes) -> dict[str, str | int]:
    name = hashlib.sha256(content).hexdigest()
    (blobs / name).write_bytes(content)
    return {"digest": f"sha256:{name}", "size": len(content)}


def when_pushed(
    image: Image, registry: RegistryStandIn, log: list[str] | None = None
) -> ReleasedImage:
    lines = log if log is not None else []
    return push(image, f"{registry.repository}:c0ffee", TARGET, ACCOUNT, lines.append)


def then_it_is_there(image: Image, registry: RegistryStandIn) -> None:
    content = registry.manifests[image.digest][1]
    assert f"sha256:{hashlib.sha256(content).hexdigest()}" == image.digest
    assert registry.manifests["c0ffee"][1] == content
    manifest = json.loads(content)
    for blob in (manifest["config"], *manifest["layers"]):
        stored = registry.blobs[blob["digest"]]
        assert f"sha256:{hashlib.sha256(stored).hexdigest()}" == blob["digest"]


def test_the_manifest_comes_after_its_blobs_and_the_tag_last(
    image: Image, registry: RegistryStandIn
) -> None:
    released = when_pushed(image, registry)
    assert released == ReleasedImage("api", registry.repository, image.digest)
    then_it_is_there(image, registry)
    written = [request for request in registry.requests if request.startswith("PUT")]
    assert written[-2:] == [f"PUT /manifests/{image.digest}", "PUT /manifests/c0ffee"]


def test_what_the_registry_has_is_not_sent_again(image: Image, registry: RegistryStandIn) -> None:
    when_pushed(image, registry)
    registry.requests.clear()
    log: list[str] = []
    when_pushed(image, registry, log)
    assert not [request for request in registry.requests if "uploads" in request]
    assert sum(line.endswith("is there already") for line in log) == 3


def test_an_upload_goes_on_where_the_connection_broke(
    image: Image, registry: RegistryStandIn
) -> None:
    registry.faults = [Fault("PATCH", "uploads", drop_after=4_000_000)]
    when_pushed(image, registry)
    then_it_is_there(image, registry)
    assert registry.received_bytes < len(LARGE) + 100_000


def test_an_upload_that_the_registry_forgot_starts_again(
    image: Image, registry: RegistryStandIn
) -> None:
    registry.faults = [Fault("PATCH", "uploads", drop_after=4_000_000, restarts=True)]
    when_pushed(image, registry)
    then_it_is_there(image, registry)
    assert registry.received_bytes > len(LARGE) + 4_000_000


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("HEAD", "/blobs/"),
        ("POST", "/uploads/$"),
        ("PATCH", "/uploads/"),
        ("PUT", "/uploads/"),
        ("PUT", "/manifests/sha256"),
        ("HEAD", "/manifests/sha256"),
        ("PUT", "/manifests/c0ffee"),
    ],
)
@pytest.mark.parametrize("status", [500, 502, 503, 429])
def test_an_error_of_the_registry_is_tried_again_wherever_it_comes(
    image: Image, registry: RegistryStandIn, method: str, path: str, status: int
) -> None:
    registry.faults = [Fault(method, path, status), Fault(method, path, status)]
    when_pushed(image, registry)
    then_it_is_there(image, registry)
    assert registry.faults == []


@pytest.mark.parametrize("path", ["/blobs/", "/manifests/"])
def test_a_connection_that_breaks_everywhere_is_tried_again(
    image: Image, registry: RegistryStandIn, path: str
) -> None:
    registry.faults = [Fault(method, path, drop_after=0) for method in ("HEAD", "POST", "PUT")]
    when_pushed(image, registry)
    then_it_is_there(image, registry)


def test_a_registry_that_stays_broken_is_unavailable_after_five_tries(
    image: Image, registry: RegistryStandIn
) -> None:
    registry.faults = [Fault("HEAD", "/blobs/", 503)] * 9
    with pytest.raises(Unavailable, match="HTTP 503") as raised:
        when_pushed(image, registry)
    assert len(registry.requests) == 5
    assert "what it has is not sent twice" in raised.value.next_step


def test_a_registry_that_asks_for_ten_minutes_is_not_waited_for(
    image: Image, registry: RegistryStandIn
) -> None:
    registry.faults = [Fault("HEAD", "/blobs/", 429, (("Retry-After", "600"),))]
    with pytest.raises(Unavailable, match="HTTP 429"):
        when_pushed(image, registry)
    assert len(registry.requests) == 1


def test_a_token_is_asked_for_and_renewed_when_it_runs_out(
    image: Image, registry: RegistryStandIn
) -> None:
    registry.token, registry.accounts = "t1", {"ana": "a-very-secret-token"}
    expired = (("WWW-Authenticate", f'Bearer realm="http://{registry.host}/token"'),)
    registry.faults = [Fault("PUT", "/manifests/sha256", 401, expired)]
    when_pushed(image, registry)
    then_it_is_there(image, registry)
    assert registry.requests.count("GET /token") == 2


def test_basic_credentials_are_sent_where_the_registry_wants_them(
    image: Image, registry: RegistryStandIn
) -> None:
    registry.faults = [Fault("HEAD", "/blobs/", 401, (("WWW-Authenticate", 'Basic realm="r"'),))]
    when_pushed(image, registry)
    assert registry.seen_headers[1]["Authorization"] == "Basic YW5hOmEtdmVyeS1zZWNyZXQtdG9rZW4="


def test_refused_credentials_are_said_so_and_not_shown(
    image: Image, registry: RegistryStandIn
) -> None:
    registry.token, registry.accounts = "t1", {"ana": "another"}
    log: list[str] = []
    with pytest.raises(ConfigError, match="refuses the credentials") as raised:
        when_pushed(image, registry, log)
    assert "docker login" in raised.value.next_step
    assert ACCOUNT.token not in f"{raised.value!r} {log} {ACCOUNT!r}"


@pytest.mark.parametrize(
    ("status", "kind", "sentence"),
    [
        pytest.param(403, ConfigError, "may not push here", id="no right to write"),
        pytest.param(404, ConfigError, "no such repository", id="a registry that creates none"),
        pytest.param(413, StageFailed, "takes no image of this size", id="a blob too large"),
        pytest.param(507, StageFailed, "takes no image of this size", id="a full registry"),
        pytest.param(402, ConfigError, "quota is used up", id="a quota in the registry's words"),
    ],
)
def test_a_refusal_is_final_and_carries_the_registrys_words(
    image: Image,
    registry: RegistryStandIn,
    status: int,
    kind: type[SlipwayError],
    sentence: str,
) -> None:
    body = b'{"errors": [{"code": "DENIED", "message": "quota is used up"}]}'
    registry.faults = [Fault("POST", "/uploads/", status, body=body)]
    with pytest.raises(kind, match=sentence) as raised:
        when_pushed(image, registry)
    assert "DENIED quota is used up" in raised.value.what
    assert len([request for request in registry.requests if request.startswith("POST")]) == 1
    assert registry.manifests == {}


def test_a_registry_that_stores_other_bytes_is_a_conflict(
    image: Image, registry: RegistryStandIn
) -> None:
    registry.corrupts = True
    with pytest.raises(Conflict, match=str(image.digest)):
        when_pushed(image, registry)
    assert "c0ffee" not in registry.manifests


def test_a_registry_that_says_no_digest_is_asked_for_the_bytes(
    image: Image, registry: RegistryStandIn
) -> None:
    registry.says_digest = False
    when_pushed(image, registry)
    then_it_is_there(image, registry)
    assert f"GET /manifests/{image.digest}" in registry.requests


def test_a_blob_that_changed_on_this_machine_is_not_sent(
    registry: RegistryStandIn, tmp_path: Path
) -> None:
    image = write_image(tmp_path, ImageFiles(layers=({"file": b"x"},)))
    manifest = Path(image.layout) / "blobs" / image.digest.replace(":", "/")
    layer = json.loads(manifest.read_bytes())["layers"][0]["digest"]
    (Path(image.layout) / "blobs" / layer.replace(":", "/")).write_bytes(b"evil")
    with pytest.raises(StageFailed, match="was changed on this machine"):
        when_pushed(image, registry)
    assert registry.manifests == {}


def test_a_layout_of_another_image_is_not_pushed(image: Image, registry: RegistryStandIn) -> None:
    other = replace(image, digest=Digest("sha256:" + "0" * 64))
    with pytest.raises(StageFailed, match="was built and scanned"):
        when_pushed(other, registry)
    assert registry.requests == []


def test_provenance_is_listed_by_a_registry_that_knows_referrers(
    attested: tuple[Image, str], registry: RegistryStandIn
) -> None:
    image, provenance = attested
    when_pushed(image, registry)
    assert set(registry.manifests) == {image.digest, provenance, "c0ffee"}


def test_provenance_is_listed_once_under_a_tag_where_referrers_are_unknown(
    attested: tuple[Image, str], registry: RegistryStandIn
) -> None:
    image, provenance = attested
    registry.lists_referrers = False
    when_pushed(image, registry)
    when_pushed(image, registry)
    listing = json.loads(registry.manifests[image.digest.replace(":", "-")][1])
    assert [entry["digest"] for entry in listing["manifests"]] == [provenance]
    assert listing["manifests"][0]["artifactType"].startswith("application/vnd.docker.attestation")
