"""The stage test as a Prefect task."""

from prefect import get_run_logger, task

from tasks.core.markdown import check_page
from tasks.core.model import CheckResult, Source
from tasks.core.target import Builders
from tasks.core.task import publish, showing_refusal
from tasks.test.effects import test

__all__ = ["test_component"]


@task(task_run_name="{component}: test")
def test_component(source: Source, component: str, target: Builders) -> CheckResult:
    """Test one component."""
    application = source.application.application
    with showing_refusal("test", application, component):
        result = test(source, component, target, get_run_logger().info)
    publish(("test", application, component), check_page(result), result.sentence)
    return result
