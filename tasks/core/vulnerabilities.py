"""The vulnerability database on this machine, and how long a scan with it means anything."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from tasks.core.paths import cache_dir

__all__ = ["DATABASE_AGE", "Database", "database_folder", "fetch_database", "is_usable"]

DATABASE_AGE = timedelta(hours=72)
DATABASE_SCHEMA = 2


@dataclass(frozen=True, slots=True)
class Database:
    """The vulnerability database; updated_at (aware UTC) is None where there is none."""

    updated_at: datetime | None = None


class _DatabaseFile(BaseModel):
    model_config = ConfigDict(extra="ignore")

    version: int = Field(validation_alias="Version")
    updated_at: AwareDatetime = Field(validation_alias="UpdatedAt")


def database_folder() -> Path:
    """Return Trivy's cache folder, which holds the database."""
    return cache_dir() / "trivy"


def fetch_database(folder: Path | None = None) -> Database:
    """Read how old the database is, without Trivy; one of another schema counts as missing.

    Args:
        folder: Trivy's cache folder; this machine's where absent.
    """
    place = (folder or database_folder()) / "db"
    try:
        found = _DatabaseFile.model_validate_json((place / "metadata.json").read_text())
    except (OSError, ValidationError):
        return Database()
    usable = found.version == DATABASE_SCHEMA and (place / "trivy.db").is_file()
    return Database(found.updated_at if usable else None)


def is_usable(database: Database, now: datetime) -> bool:
    """Say whether a scan with this database means anything."""
    return database.updated_at is not None and now - database.updated_at <= DATABASE_AGE
