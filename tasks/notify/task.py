"""Telling people, as a Prefect task that never fails a run."""

from datetime import timedelta

from prefect import get_run_logger, task

from tasks.core.errors import SlipwayError, Unavailable
from tasks.core.markdown import bullets, page, plain
from tasks.core.task import publish
from tasks.notify import effects
from tasks.notify.model import News, Told

__all__ = ["send"]


@task(task_run_name="{news[0].subject}: {channel} told")
def send(channel: str, news: tuple[News, ...], before: Told | None = None) -> Told:
    """Hand news over to a channel; what it does not take is shown with the run.

    Args:
        channel: its name.
        news: the oldest first.
        before: what became of the news before, which these must not overtake.
    """
    given_up = before is not None and before.away
    try:
        effects.tell(channel, news, timedelta(0) if given_up else effects.PATIENCE)
    except SlipwayError as error:
        _show_missed(channel, news, str(error))
        return Told(str(error), away=isinstance(error, Unavailable))
    except Exception as error:  # noqa: BLE001 no news are worth a run
        why = f"a fault of Slipway's own, {type(error).__name__}"
        _show_missed(channel, news, why)
        return Told(why)
    return Told()


def _show_missed(channel: str, news: tuple[News, ...], why: str) -> None:
    get_run_logger().warning("%s was not told: %s", channel, why)
    unsaid = bullets(
        f"{plain(each.subject)}: {each.state}, {plain(each.sentence)}" for each in news
    )
    words = ("untold", channel, news[0].commit.application)
    publish(words, page(f"## {channel} was not told", plain(why), unsaid), why.partition("\n")[0])
