"""What the stages' Prefect tasks share: showing a page with the run."""

from collections.abc import Iterator
from contextlib import contextmanager

import httpx
from prefect import get_run_logger
from prefect.artifacts import create_markdown_artifact
from prefect.exceptions import PrefectException

from tasks.core.errors import StageFailed
from tasks.core.markdown import artifact_key, refusal_page

__all__ = ["publish", "showing_refusal"]


def publish(words: tuple[str, ...], markdown: str, summary: str) -> None:
    """Store a page with the run; one that cannot be stored is a warning, and stops nothing.

    Args:
        words: what it is about, alike from run to run, so that the UI shows them as versions.
        markdown: the page.
        summary: what the list of pages says about it.
    """
    key = artifact_key(*words)
    try:
        create_markdown_artifact(key=key, markdown=markdown, description=summary)
    except (PrefectException, httpx.HTTPError) as error:
        get_run_logger().warning("the page %s could not be stored: %s", key, error)


@contextmanager
def showing_refusal(stage: str, application: str, component: str) -> Iterator[None]:
    """Store the page of a stage that says no, which then has no result to show."""
    try:
        yield
    except StageFailed as error:
        words = (stage, application, component)
        publish(words, refusal_page(component, stage, error), error.what.partition("\n")[0])
        raise
