"""Which applications are offered, and what their environments' histories let people choose."""

import logging
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from pydantic import TypeAdapter

from deployments.forms import Offer
from deployments.registered import Registered
from tasks.core.application import Application
from tasks.core.choices import choice_of
from tasks.core.cluster_api import connect
from tasks.core.errors import SlipwayError
from tasks.core.target import Target
from tasks.rollout import records
from tasks.rollout.model import Place, Stored
from tasks.rollout.place import place_of
from tasks.rollout.promotable import choosable

__all__ = ["offer_of", "offers"]

log = logging.getLogger(__name__)


_TARGET = TypeAdapter(Target)


def offers(applications: Iterable[Registered], target: Target) -> tuple[Offer, ...]:
    """Return what the forms of applications offer; each environment is asked for its history.

    A cluster that does not answer leaves a form without choices: numbers and ids can be written.
    """
    return tuple(_offer(each, target) for each in applications)


def _offer(each: Registered, target: Target) -> Offer:
    names = tuple(each.application.environments)
    with ThreadPoolExecutor() as pool:
        histories = dict(
            zip(names, pool.map(partial(_history, each.application, target), names), strict=True)
        )
    return offer_of(each, target, histories)


def offer_of(each: Registered, target: Target, histories: dict[str, tuple[Stored, ...]]) -> Offer:
    """Return what the forms of an application offer, by the histories of its environments."""
    live = (records.newest_good(stored) for stored in histories.values())
    return Offer(
        address=each.address,
        application=each.application,
        target=_TARGET.dump_python(target, mode="json"),
        rollouts={
            name: tuple(map(choice_of, choosable(stored))) for name, stored in histories.items()
        },
        live=frozenset(choice_of(one.record) for one in live if one),
    )


def _history(application: Application, target: Target, name: str) -> tuple[Stored, ...]:
    try:
        place = place_of(application, name, target)
        with connect(place.target) as cluster:
            return _own(records.fetch(cluster, place.namespace), place)
    except SlipwayError as error:
        log.warning("%s of %s offers no rollouts: %s", name, application.application, error)
        return ()


def _own(stored: tuple[Stored, ...], place: Place) -> tuple[Stored, ...]:
    """Leave out what another application has left in the namespace."""
    return tuple(each for each in stored if each.record.release.application == place.application)
