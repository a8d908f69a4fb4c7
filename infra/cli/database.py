"""`slipway update-database`: Trivy's knowledge of vulnerabilities."""

from infra.cli.output import console
from tasks.core.clock import utc_now
from tasks.core.units import format_duration

__all__ = ["update_database"]


def update_database() -> None:
    """Download the newest vulnerability database of Trivy; scans themselves never use the network.

    Example: `slipway update-database`, at least every three days
    """
    from tasks.scan import program  # noqa: PLC0415 --help must not wait for it

    database = program.update_database(program.installed_trivy())
    if database.updated_at is not None:
        age = format_duration(utc_now() - database.updated_at)
        console.print(f"[green]✓[/green] the vulnerability database is {age} old")
