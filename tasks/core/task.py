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


def publish(markdown: str, *words: str) -> None:
    """Store a page with the run under a key that stays the same from run to run.

    Pages are for people: one that cannot be stored is a warning, and stops nothing.
    """
    key = artifact_key(*words)
    try:
        create_markdown_artifact(key=key, markdown=markdown)
    except (PrefectException, httpx.HTTPError) as error:
        get_run_logger().warning("the page %s could not be stored: %s", key, error)


@contextmanager
def showing_refusal(stage: str, application: str, component: str) -> Iterator[None]:
    """Store the page of a stage that says no, which then has no result to show."""
    try:
        yield
    except StageFailed as error:
        publish(refusal_page(component, stage, error), stage, application, component)
        raise
