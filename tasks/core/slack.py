"""What this machine knows of Slack: its login, and what a button of ours carries."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from tasks.core.errors import ConfigError
from tasks.core.files import keep_private, read_private
from tasks.core.paths import state_dir
from tasks.core.strict import STRICT

__all__ = ["API", "COMMENT", "Button", "Login", "fetch_login", "keep_login"]

API = "https://slack.com/api/"
NEXT = "slipway slack login"
COMMENT = "slipway_comment"
"""Callback of the dialogue, and name of the field, in which somebody writes a comment."""


@dataclass(frozen=True, slots=True, config=STRICT)
class Login:
    """Our app in a workspace.

    Attributes:
        token: of its bot; begins with xoxb-.
        signing_secret: with which Slack signs what it sends us.
        api: base address of the Web API.
    """

    token: Annotated[str, Field(min_length=8, repr=False)]
    signing_secret: Annotated[str, Field(min_length=16, repr=False)]
    api: str = API


Word = Annotated[str, Field(min_length=1, max_length=100)]


@dataclass(frozen=True, slots=True, config=STRICT)
class Button:
    """What people are asked about, as a button carries it to Slack and back.

    Attributes:
        run: id of the flow run that waits.
        choice: what the button says.
        comment: whether words have to go with it.
    """

    run: Word
    application: Word
    environment: Word
    release: Word
    plan: Word
    choice: Literal["approve", "reject"]
    comment: bool = False

    def text(self) -> str:
        """Write it down; a button carries 2,000 characters, a dialogue 3,000."""
        return _BUTTON.dump_json(self).decode()

    @staticmethod
    def read(text: str) -> "Button | None":
        """Read it; None where a text is none of ours."""
        try:
            return _BUTTON.validate_json(text)
        except ValidationError:
            return None


_LOGIN = TypeAdapter(Login)
_BUTTON = TypeAdapter(Button)


def fetch_login(file: Path | None = None) -> Login | None:
    """Return what `slipway slack login` has kept, None where nobody has logged in.

    Raises:
        ConfigError: others can read the file, we cannot, or it is damaged.
    """
    file = file or _file()
    content = read_private(file)
    if content is None:
        return None
    try:
        return _LOGIN.validate_json(content)
    except ValidationError:
        # without its cause, which would quote the secrets
        raise ConfigError("is damaged", where=str(file), next_step=NEXT) from None


def keep_login(login: Login | None) -> None:
    """Keep a login for this instance, or forget it."""
    keep_private(_file(), _LOGIN.dump_json(login, indent=2) if login else None)


def _file() -> Path:
    return state_dir() / "slack.json"
