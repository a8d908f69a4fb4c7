"""When an application's own deployment of `redeploy` starts by itself."""

from prefect.schedules import Cron, Schedule

from deployments.forms import Offer
from tasks.core.nights import nights

__all__ = ["schedules"]


def schedules(offer: Offer) -> tuple[Schedule, ...]:
    """Return a schedule for each time that slipway.yaml names, by the clock of its place.

    Where clocks are put forward, a time that does not exist comes when they have been; where they
    are put back, one that is there twice comes once.

    Source: prefect/server/schemas/schedules.py, CronSchedule.
    """
    return tuple(
        Cron(
            night.cron,
            timezone=night.tz,
            parameters={"environments": list(night.environments)},
            slug=night.name,
        )
        for night in nights(offer.application)
    )
