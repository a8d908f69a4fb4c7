"""What this machine knows of Slack: its login, and what a button of ours carries."""

import stat
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from tasks.core.errors import ConfigError
from tasks.core.files import write_whole
from tasks.core.paths import state_dir
from tasks.core.strict import STRICT

__all__ = ["API", "COMMENT", "Asked", "Login", "fetch_login", "keep_login"]

API = "https://slack.com/api/"
OTHERS = stat.S_IRWXG | stat.S_IRWXO
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
class Asked:
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
        return _ASKED.dump_json(self).decode()

    @staticmethod
    def read(text: str) -> "Asked | None":
        """Read it; None where a text is none of ours."""
        try:
            return _ASKED.validate_json(text)
        except ValidationError:
            return None


_LOGIN = TypeAdapter(Login)
_ASKED = TypeAdapter(Asked)


def fetch_login(file: Path | None = None) -> Login | None:
    """Return what `slipway slack login` has kept, None where nobody has logged in.

    Raises:
        ConfigError: others can read the file, we cannot, or it is damaged.
    """
    file = file or _file()
    try:
        mode, content = file.stat().st_mode, file.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        what = f"cannot be read: {error.strerror}"
        raise ConfigError(what, where=str(file), next_step=f"chmod 600 {file}") from error
    if mode & OTHERS:
        raise ConfigError("can be read by others", where=str(file), next_step=f"chmod 600 {file}")
    try:
        return _LOGIN.validate_json(content)
    except ValidationError:
        # without its cause, which would quote the secrets
        raise ConfigError("is damaged", where=str(file), next_step=NEXT) from None


def keep_login(login: Login | None) -> None:
    """Keep a login for this instance, or forget it."""
    if login is None:
        _file().unlink(missing_ok=True)
        return
    _file().parent.mkdir(parents=True, exist_ok=True)
    write_whole(_file(), _LOGIN.dump_json(login, indent=2))


def _file() -> Path:
    return state_dir() / "slack.json"
