"""What an image was built on: the images that BuildKit says it took, by digest."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote

from pydantic import TypeAdapter, ValidationError

from tasks.core.errors import ToolFailed
from tasks.core.files import write_whole
from tasks.core.model import Digest
from tasks.core.oci import Layout, read_layout
from tasks.core.paths import state_dir

__all__ = ["Base", "bases_in", "keep_bases", "parse_bases", "recall_bases"]

PURL = "pkg:docker/"
SLSA = "https://slsa.dev/provenance/"


@dataclass(frozen=True, slots=True)
class Base:
    """An image that another one was built on.

    Attributes:
        reference: as a Dockerfile names it, without a digest: `python:3.11-slim`.
        pinned: the Dockerfile names the digest itself, so that it is never another one.
    """

    reference: str
    digest: Digest
    pinned: bool = False


_BASES = TypeAdapter(tuple[Base, ...])


def parse_bases(predicate: Mapping[str, Any]) -> tuple[Base, ...]:
    """Read the images among what a provenance says a build took, in the order of their names.

    Args:
        predicate: of SLSA 1 (`buildDefinition.resolvedDependencies`) or 0.2 (`materials`).

    Source: https://github.com/package-url/purl-spec (type docker), as BuildKit writes it.
    """
    definition = predicate.get("buildDefinition") or {}
    taken = predicate.get("materials") or definition.get("resolvedDependencies") or ()
    found = {_base(each) for each in taken if str(each.get("uri", "")).startswith(PURL)}
    return tuple(sorted(found, key=lambda each: each.reference))


def _base(material: Mapping[str, Any]) -> Base:
    name, _, qualifiers = str(material["uri"]).removeprefix(PURL).partition("?")
    path, at, version = name.rpartition("@")
    pinned = "digest" in parse_qs(qualifiers)
    tag = unquote(version) if at else "latest"
    reference = unquote(path if at else name)
    if at or not pinned:
        reference = f"{reference}:{tag}"
    return Base(reference, Digest(f"sha256:{material['digest']['sha256']}"), pinned)


def bases_in(layout: Layout) -> tuple[Base, ...] | None:
    """Return what the provenance in a layout names; None where it has none."""
    for descriptor in layout.attestation.layers if layout.attestation else ():
        statement = json.loads(layout.blob(descriptor).read_bytes())
        if str(statement.get("predicateType", "")).startswith(SLSA):
            return parse_bases(statement["predicate"])
    return None


def keep_bases(digest: Digest, bases: tuple[Base, ...] | None) -> None:
    """Remember what an image was built on, longer than the image is kept here."""
    if bases is None:
        return
    note = _note(digest)
    note.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_whole(note, _BASES.dump_json(bases))


def recall_bases(digest: Digest) -> tuple[Base, ...] | None:
    """Return what an image was built on; None where this machine does not know."""
    try:
        return _BASES.validate_json(_note(digest).read_bytes())
    except (FileNotFoundError, ValidationError):
        pass
    try:
        return bases_in(read_layout(state_dir() / "images" / digest.replace(":", "-") / "layout"))
    except (ToolFailed, OSError, ValueError, KeyError):
        return None


def _note(digest: Digest) -> Path:
    return state_dir() / "bases" / f"{digest.replace(':', '-')}.json"
