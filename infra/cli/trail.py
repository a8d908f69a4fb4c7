"""What a command does is written down in the audit trail: by whom, and on which machine."""

import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING
from uuid import uuid4

from infra.cli.origin import own_origin
from infra.cli.rollouts import connected
from infra.target import Named, chosen
from tasks.audit import Act, Deed, Proof, Subject
from tasks.audit.effects import append
from tasks.core.clock import SystemClock
from tasks.core.cluster import Objects
from tasks.core.errors import ConfigError

if TYPE_CHECKING:
    from tasks.core.cluster import Cluster

__all__ = ["own_cluster", "write_down"]


@contextmanager
def own_cluster(named: Named) -> "Iterator[Cluster]":
    """Open the cluster that keeps approvers: this instance's, or the one that was named.

    Raises:
        ConfigError: nobody has named one.
    """
    target = chosen(named)
    if not target.context:
        raise ConfigError(
            "approvers are kept in the cluster that they guard, and none was named",
            next_step="name it with --context",
        )
    with connected(target) as cluster:
        yield cluster


def write_down(act: Act, about: Subject, reason: str, namespace: str, cluster: Objects) -> None:
    """Write what this command does into a namespace's trail.

    Raises:
        SlipwayError: it could not be written.
    """
    deed = Deed(str(uuid4()), act, getpass.getuser(), Proof.CLI, own_origin(), about, reason)
    append(cluster, namespace, deed, SystemClock())
