"""Reports as files on the worker's machine."""

from pathlib import Path

from tasks.core.files import write_whole
from tasks.core.model import Record
from tasks.core.paths import state_dir
from tasks.core.slos import Slos
from tasks.report.page import report_page

__all__ = ["report_file", "store_report"]


def report_file(record: Record) -> Path:
    """Return where a rollout's report is kept."""
    folder = state_dir() / "reports" / record.release.application / record.environment
    return folder / f"{record.number}.html"


def store_report(record: Record, slos: Slos) -> Path:
    """Write a rollout's report, over an earlier one of the same rollout.

    Raises:
        OSError: there is no room, or no right to.
    """
    file = report_file(record)
    file.parent.mkdir(parents=True, exist_ok=True)
    write_whole(file, report_page(record, slos).encode())
    return file
