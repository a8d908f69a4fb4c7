"""The stage lint as a Prefect task."""

from prefect import get_run_logger, task

from tasks.core.markdown import check_page
from tasks.core.model import CheckResult, Source
from tasks.core.target import Builders
from tasks.core.task import publish, showing_refusal
from tasks.lint.effects import lint

__all__ = ["lint_component"]


@task(task_run_name="{component}: lint")
def lint_component(source: Source, component: str, target: Builders) -> CheckResult:
    """Lint one component."""
    application = source.application.application
    with showing_refusal("lint", application, component):
        result = lint(source, component, target, get_run_logger().info)
    publish(("lint", application, component), check_page(result), result.sentence)
    return result
