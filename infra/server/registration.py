"""Registering the flows at this instance's Prefect."""

import contextlib
import sys
from datetime import timedelta

from deployments.registered import Registered, keep
from infra.server.settings import server
from infra.webhook.settings import settings
from infra.webhook.store import Store
from tasks.core.process import Options, run

__all__ = ["register"]

REGISTRATION_TIMEOUT = timedelta(minutes=10)
"""The first time takes a second for each deployment, and more where the machine is busy."""


def register() -> tuple[str, ...]:
    """Register the flows at the running server, with this instance's target as their default.

    Each registered application gets deployments of its own; those of others are deleted.

    Returns:
        The names of what was deleted, as Prefect names it (`flow/name`).

    Raises:
        ToolFailed: the server refused them.
    """
    with contextlib.closing(Store(settings().store)) as store:
        known = store.repositories()
    keep(Registered(each.address, each.application) for each in known)
    argv = (sys.executable, "-m", "deployments.register")
    options = Options(env=server().environment())
    return tuple(run(argv, timeout=REGISTRATION_TIMEOUT, options=options).stdout.split("\n")[:-1])
