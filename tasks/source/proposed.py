"""Which commits of pull requests are looked into."""

from collections.abc import Iterable

from tasks.core.errors import ConfigError, GateClosed
from tasks.core.proposal import Proposal
from tasks.source.model import Admit, Commit, Entry

__all__ = ["admit_to"]

SUBMODULE, LINK = "160000", "120000"
"""Modes of git's trees."""


def admit_to(proposal: Proposal) -> Admit:
    """Return what lets in the announced commit of a pull request, and no other.

    A submodule of a stranger's would be fetched with this machine's keys, wherever it leads.

    What is returned raises:
        GateClosed: the pull request has another head by now.
        ConfigError: the commit would have files of others fetched or read.
    """
    where = f"{proposal.repository}: pull request {proposal.number}"

    def admit(commit: Commit, entries: Iterable[Entry]) -> None:
        if commit.name != proposal.commit:
            raise GateClosed(
                f"its head is {commit.name[:12]} by now, {proposal.commit[:12]} is superseded",
                where=where,
                next_step="look at the check of the newer commit",
            )
        for entry in entries:
            if entry.mode == SUBMODULE and proposal.fork:
                raise ConfigError(
                    f"submodule {entry.path} comes from a fork and is not fetched",
                    where=where,
                    next_step="push the branch to the repository itself after a look at it",
                )
            if entry.mode == LINK and entry.path == "slipway.yaml":
                raise ConfigError("slipway.yaml is a link", where=where, next_step="commit a file")

    return admit
