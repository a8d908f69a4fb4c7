"""Reports as files on the worker's machine."""

from pathlib import Path

from tasks.core.files import write_whole
from tasks.core.paths import state_dir
from tasks.core.record import Record
from tasks.core.slos import Slos
from tasks.report.page import report_page

__all__ = ["address_file", "report_file", "report_place", "reports_folder", "store_report"]


def reports_folder() -> Path:
    """Return where reports are kept: a folder an application, in it one an environment."""
    return state_dir() / "reports"


def address_file() -> Path:
    """Return the file that says where a browser finds the reports, if they are served."""
    return state_dir() / "run" / "reports-address"


def report_file(record: Record) -> Path:
    """Return where a rollout's report is kept."""
    folder = reports_folder() / record.release.application / record.environment
    return folder / f"{record.number}.html"


def report_place(record: Record) -> str:
    """Return the address of a rollout's report, or its file where none are served."""
    file = report_file(record)
    try:
        address = address_file().read_text()
    except FileNotFoundError:
        return str(file)
    return f"{address}/{file.relative_to(reports_folder())}"


def store_report(record: Record, slos: Slos) -> Path:
    """Write a rollout's report, over an earlier one of the same rollout.

    Raises:
        OSError: there is no room, or no right to.
    """
    file = report_file(record)
    file.parent.mkdir(parents=True, exist_ok=True)
    write_whole(file, report_page(record, slos).encode())
    return file
