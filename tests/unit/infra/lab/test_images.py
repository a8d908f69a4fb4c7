import io
import json
import tarfile
from pathlib import Path

from infra.lab.images import scratch_image


def test_the_same_program_gives_the_same_image(tmp_path: Path) -> None:
    program = tmp_path / "pause"
    program.write_bytes(b"program")
    first = scratch_image("slipway.local/pause:1", program)
    program.touch()
    assert scratch_image("slipway.local/pause:1", program) == first


def test_the_image_names_itself_and_starts_the_program(tmp_path: Path) -> None:
    program = tmp_path / "pause"
    program.write_bytes(b"program")
    with tarfile.open(fileobj=io.BytesIO(scratch_image("a/b:1", program))) as archive:
        contents = {
            member.name: stream.read()
            for member in archive
            if (stream := archive.extractfile(member)) is not None
        }
    (entry,) = json.loads(contents["index.json"])["manifests"]
    manifest = json.loads(contents[f"blobs/sha256/{entry['digest'][7:]}"])
    config = json.loads(contents[f"blobs/sha256/{manifest['config']['digest'][7:]}"])
    assert entry["annotations"]["io.containerd.image.name"] == "a/b:1"
    assert config["config"]["Entrypoint"] == ["/pause"]
