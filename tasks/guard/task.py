"""The guard as Prefect tasks; their results are kept, so that a run that was killed goes on."""

from datetime import timedelta

from prefect import get_run_logger, task

from tasks.core.alerts import Alert
from tasks.core.clock import SystemClock, utc_now
from tasks.core.errors import SlipwayError
from tasks.core.markdown import bullets, page, plain
from tasks.core.model import Verdict
from tasks.core.past import Past
from tasks.core.prometheus import prometheus_at
from tasks.core.record import Record
from tasks.core.task import publish
from tasks.guard.decide import breaches, confirmed, judge
from tasks.guard.effects import ask_prometheus
from tasks.guard.model import Judgement, Page, Seen
from tasks.guard.pager import wake

__all__ = ["confirm", "judge_alerts", "send_page"]

PATIENCE = timedelta(seconds=5)
"""For an answer of Prometheus: meanwhile users suffer."""


@task(task_run_name="{place}: judge the alerts")
def judge_alerts(
    place: str,
    past: Past,
    alerts: tuple[Alert, ...],
    prometheus: str | None,
    under_way: Record | None,
) -> Judgement:
    """Say what alerts about an environment lead to, and show it with the run."""
    now = utc_now()
    with prometheus_at(prometheus, PATIENCE) as known:
        cases = ask_prometheus(known, past, breaches(alerts), now)
    judgement = judge(Seen(now, past, cases, under_way))
    _show(place, judgement)
    return judgement


@task(task_run_name="{place}: judge once more")
def confirm(place: str, judgement: Judgement, verdict: Verdict) -> Judgement:
    """Say what a judgement comes to that needed more than an alert, and show it with the run."""
    after = confirmed(judgement, verdict)
    _show(place, after)
    return after


def _show(place: str, judgement: Judgement) -> None:
    said = f"{judgement.answer.value}: {judgement.reason}"
    get_run_logger().info("%s: %s", place, said)
    shown = page(
        f"## {plain(place)}: {judgement.answer.value}",
        f"**{plain(judgement.reason)}**",
        bullets(map(plain, judgement.evidence)),
    )
    publish(("guard", *reversed(place.split("/"))), shown, said)


@task(task_run_name="{wanted.source}: page")
def send_page(wanted: Page) -> bool:
    """Wake somebody up, where that is set up; say whether it was."""
    shown = page(f"## {plain(wanted.summary)}", bullets(map(plain, wanted.details)))
    publish(("page", *reversed(wanted.source.split("/"))), shown, wanted.summary)
    get_run_logger().error("page: %s", wanted.summary)
    try:
        is_sent = wake(wanted, SystemClock())
    except SlipwayError as error:
        get_run_logger().error("the page was not sent: %s", error)
        return False
    if not is_sent:
        get_run_logger().warning("nobody is paged: there is no pagerduty-key")
    return is_sent
