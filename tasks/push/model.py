"""A place in a registry, who may write there, and why it did not work."""

from dataclasses import dataclass, field

__all__ = ["Challenge", "Credentials", "Interrupted", "Reference", "Refusal"]


@dataclass(frozen=True, slots=True)
class Credentials:
    """A registry account; the token is never shown."""

    username: str
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Reference:
    """A repository in a registry.

    Attributes:
        scheme: https; plain http only where nothing leaves this machine.
        host: with its port, as in the repository's name.
        name: path of the repository.
        tag: for people; None where nobody asked for one.
    """

    scheme: str
    host: str
    name: str
    tag: str | None = None

    @property
    def repository(self) -> str:
        """The name without the tag."""
        return f"{self.host}/{self.name}"

    @property
    def base(self) -> str:
        """Address below which everything of the repository is."""
        return f"{self.scheme}://{self.host}/v2/{self.name}"


@dataclass(frozen=True, slots=True)
class Challenge:
    """What a registry asks for in WWW-Authenticate; realm is empty where it wants Basic."""

    realm: str
    service: str = ""


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer of a registry that is no success.

    Attributes:
        reason: codes and messages of its body, without anything that we sent.
    """

    status: int
    reason: str


class Interrupted(Exception):
    """A request that may succeed when it is sent again.

    Args:
        what: what happened.
        retry_after_seconds: what the registry asked for; None where it named no time.
    """

    def __init__(self, what: str, retry_after_seconds: float | None = None) -> None:
        super().__init__(what)
        self.retry_after_seconds = retry_after_seconds
