"""Who wrote or committed what a release brings: the commits between two of a repository."""

from collections.abc import Sequence
from pathlib import Path

from tasks.core.errors import ConfigError, ToolFailed
from tasks.core.gates import Person
from tasks.core.model import Committers
from tasks.source.decide import PEOPLE_FORMAT, is_commit, parse_address, parse_people
from tasks.source.effects import repository_of
from tasks.source.git import Mirror, git
from tasks.source.trees import Clone

__all__ = ["find_committers"]


def find_committers(
    repository: str | None, since: str | None, commit: str, own: Sequence[Person]
) -> Committers:
    """Return everybody with a commit that is in one release and not in another.

    A name of a person is what their git said: this keeps colleagues from approving what they
    worked on, and nobody who disguises their commits.

    Args:
        repository: path or address; None where it is not known.
        since: the live release's commit; None before the first.
        commit: that of the release that would come in.
        own: people of that commit itself, who count in any case.

    Raises:
        Unavailable: the repository does not answer.
    """
    if since is None:
        return Committers(tuple(own), "nothing is live yet")
    if repository is None or not (is_commit(since) and is_commit(commit)):
        return Committers(tuple(own), "the repository is not known")
    try:
        found = _between(repository, since, commit)
    except (ConfigError, ToolFailed):
        unknown = f"the repository does not have the history from {since[:12]} to {commit[:12]}"
        return Committers(tuple(own), unknown)
    people = {*own, *found}
    return Committers(tuple(sorted(people, key=lambda each: (each.email, each.name))))


def _between(repository: str, since: str, commit: str) -> tuple[Person, ...]:
    location = parse_address(repository)
    if location.is_local:
        _, git_dir = repository_of(Path(location.address).expanduser().absolute())
        return _people(git_dir, since, commit)
    clone = Clone(location)
    with clone.locked():
        # beside the mirror of single commits, which has their files and not their history
        history = Mirror(clone.folder / "history.git", location)
        history.obtain_history(commit)
        history.obtain_history(since)
        return _people(history.folder, since, commit)


def _people(git_dir: Path, since: str, commit: str) -> tuple[Person, ...]:
    """Ask a repository; one that lacks commits in between is no witness.

    Raises:
        ToolFailed: it has not both commits.
        ConfigError: it is shallow.
    """
    if git(git_dir, "rev-parse", "--is-shallow-repository").strip() != "false":
        raise ConfigError("is a shallow clone", where=str(git_dir))
    log = ("log", "-z", f"--format={PEOPLE_FORMAT}", f"{since}..{commit}", "--")
    return parse_people(git(git_dir, *log))
