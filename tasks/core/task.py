"""What the stages' Prefect tasks share: showing a page with the run, and being tried again."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypedDict

import httpx
from prefect import get_run_logger
from prefect.artifacts import create_markdown_artifact
from prefect.client.schemas.objects import State, TaskRun
from prefect.exceptions import PrefectException
from prefect.tasks import Task

from tasks.core.errors import StageFailed, Unavailable
from tasks.core.markdown import artifact_key, refusal_page

__all__ = ["SOON", "Again", "Condition", "again", "is_unavailable", "publish", "showing_refusal"]

SOON = [1.0, 5.0, 15.0]
"""Seconds between tries of what only looks or takes a note."""

Condition = Callable[[Task[..., Any], TaskRun, State[Any]], bool]


class Again(TypedDict):
    """How Prefect is told when to try a task again."""

    retries: int
    retry_delay_seconds: list[float]
    retry_condition_fn: Condition


def is_unavailable(_task: Task[..., Any], _run: TaskRun, state: State[Any]) -> bool:
    """Say whether the same call may succeed later."""
    return isinstance(state.result(raise_on_failure=False), Unavailable)


def again(pauses: list[float], where: Condition = is_unavailable) -> Again:
    """Return when a task is tried again: after these pauses, where its failure may pass."""
    return Again(retries=len(pauses), retry_delay_seconds=pauses, retry_condition_fn=where)


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
