"""Remember which image came out of which content."""

import hashlib
import json
import logging
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from tasks.core.application import ScanPolicy, Smoke
from tasks.core.bounds import Bounds
from tasks.core.files import write_whole
from tasks.core.model import ReleasedImage, ScanResult, Source
from tasks.core.paths import state_dir
from tasks.core.target import Target

__all__ = ["Delivered", "Terms", "find", "find_checked", "keep", "keep_checked"]

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Delivered:
    """An image in the registry and what the scan said about it."""

    image: ReleasedImage
    scan: ScanResult


@dataclass(frozen=True, slots=True)
class Terms:
    """What an image that passed every stage has passed them under, beside what slipway.yaml says.

    Attributes:
        target: whose registry has the image.
        today: waivers that have ended are no part of the policy any more.
        database: when the usable vulnerability database was made (aware UTC), None where none is
            usable; a verdict holds for that one alone.
        bounds: what the manifests give its containers.
    """

    target: Target
    today: date
    database: datetime | None = None
    bounds: Bounds = field(default_factory=Bounds)


_ADAPTER = TypeAdapter(Delivered)
_POLICY = TypeAdapter(ScanPolicy)
_SMOKE = TypeAdapter(Smoke | None)
_BOUNDS = TypeAdapter(Bounds)


def find(source: Source, component: str, terms: Terms) -> Delivered | None:
    """Return what an earlier run made of the same content under the same terms."""
    note = _note(source, component, terms)
    try:
        return _ADAPTER.validate_json(note.read_bytes())
    except FileNotFoundError:
        return None
    except ValidationError:
        log.warning("%s cannot be read and is forgotten: %s is built again", note, component)
        return None


def keep(source: Source, delivered: Delivered, terms: Terms) -> None:
    """Remember an image that passed every stage."""
    note = _note(source, delivered.image.component, terms)
    note.parent.mkdir(parents=True, exist_ok=True)
    write_whole(note, _ADAPTER.dump_json(delivered))
    keep_checked(source, delivered.scan, terms.today)


def find_checked(source: Source, component: str, today: date, database: datetime | None) -> bool:
    """Say whether lint, test, build and scan have passed the same content under the same policy.

    Args:
        source: whose component it is.
        component: its name in slipway.yaml.
        today: waivers that have ended are no part of the policy any more.
        database: when the usable vulnerability database was made, None where none is usable.
    """
    return _checked_note(source, component, today, database).is_file()


def keep_checked(source: Source, scan: ScanResult, today: date) -> None:
    """Remember that a component passed; no delivery ever asks for it, checks alone do."""
    note = _checked_note(source, scan.component, today, scan.database)
    note.parent.mkdir(parents=True, exist_ok=True)
    write_whole(note, b"{}")


def _checked_note(source: Source, component: str, today: date, database: datetime | None) -> Path:
    return _named("checked", _asked(source, component, today, database))


def _note(source: Source, component: str, terms: Terms) -> Path:
    """Name the note by everything that made the stages say yes, content first."""
    described = source.application.components[component]
    parts = {
        **_asked(source, component, terms.today, terms.database),
        "registry": terms.target.registry,
        "max_size": described.image.max_size,
        "smoke": _SMOKE.dump_python(described.smoke, mode="json"),
        "port": described.port,
        "bounds": _BOUNDS.dump_python(terms.bounds, mode="json"),
    }
    return _named("delivered", parts)


def _asked(
    source: Source, component: str, today: date, database: datetime | None
) -> dict[str, object]:
    """Return what lint, test, build and scan say yes to."""
    scan = source.application.scan
    in_force = tuple(waiver for waiver in scan.waivers if today <= waiver.expires)
    return {
        "application": source.application.application,
        "component": component,
        "content": next(part.content for part in source.components if part.name == component),
        "policy": _POLICY.dump_python(replace(scan, waivers=in_force), mode="json"),
        "database": database and database.isoformat(),
    }


def _named(folder: str, parts: dict[str, object]) -> Path:
    key = hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
    return state_dir() / folder / f"{key}.json"
