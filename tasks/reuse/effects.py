"""Remember which image came out of which content."""

import hashlib
import json
import logging
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from tasks.core.application import ScanPolicy
from tasks.core.files import write_whole
from tasks.core.model import ReleasedImage, ScanResult, Source, Target
from tasks.core.paths import state_dir

__all__ = ["Delivered", "find", "keep"]

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Delivered:
    """An image in the registry and what the scan said about it."""

    image: ReleasedImage
    scan: ScanResult


_ADAPTER = TypeAdapter(Delivered)
_POLICY = TypeAdapter(ScanPolicy)


def find(source: Source, component: str, target: Target, today: date) -> Delivered | None:
    """Return what an earlier run made of the same content under the same policy.

    Args:
        source: the commit.
        component: name in slipway.yaml.
        target: whose registry has the image.
        today: waivers that have ended are no part of the policy any more.
    """
    note = _note(source, component, target, today)
    try:
        return _ADAPTER.validate_json(note.read_bytes())
    except FileNotFoundError:
        return None
    except ValidationError:
        log.warning("%s cannot be read and is forgotten: %s is built again", note, component)
        return None


def keep(source: Source, delivered: Delivered, target: Target, today: date) -> None:
    """Remember an image that passed every stage."""
    note = _note(source, delivered.image.component, target, today)
    note.parent.mkdir(parents=True, exist_ok=True)
    write_whole(note, _ADAPTER.dump_json(delivered))


def _note(source: Source, component: str, target: Target, today: date) -> Path:
    content = next(part.content for part in source.components if part.name == component)
    scan = source.application.scan
    in_force = tuple(waiver for waiver in scan.waivers if today <= waiver.expires)
    policy = _POLICY.dump_python(replace(scan, waivers=in_force), mode="json")
    parts = (source.application.application, component, content, target.registry, policy)
    key = hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
    return state_dir() / "delivered" / f"{key}.json"
