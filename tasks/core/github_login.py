"""How this machine proves to GitHub who it is: a personal access token, or a GitHub App's key."""

import contextlib
from dataclasses import field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

import jwt
from pydantic import Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from tasks.core.errors import ConfigError
from tasks.core.files import keep_private, read_private
from tasks.core.paths import state_dir
from tasks.core.strict import STRICT

__all__ = ["API", "AppKey", "Login", "PersonalToken", "app_token", "fetch_login", "keep_login"]

API = "https://api.github.com"
CLOCKS_DIFFER = timedelta(minutes=1)
LIVES = timedelta(minutes=9)
"""GitHub takes at most ten minutes into the future, by its own clock."""
NEXT = "slipway github login"


@dataclass(frozen=True, slots=True, config=STRICT)
class PersonalToken:
    """A personal access token; fine-grained ones can do less."""

    token: Annotated[str, Field(min_length=1)] = field(repr=False)
    kind: Literal["token"] = "token"


@dataclass(frozen=True, slots=True, config=STRICT)
class AppKey:
    """A GitHub App, by its client id or app id, and its private key in PEM."""

    app: Annotated[str, Field(min_length=1)]
    private_key: Annotated[str, Field(min_length=1)] = field(repr=False)
    kind: Literal["app"] = "app"


@dataclass(frozen=True, slots=True, config=STRICT)
class Login:
    """Which GitHub this machine knows, and as whom.

    Attributes:
        api: base address of the REST API.
        host: what addresses of its repositories name; empty where api tells it.
    """

    who: Annotated[PersonalToken | AppKey, Field(discriminator="kind")]
    api: str = API
    host: str = ""

    @property
    def web(self) -> str:
        """Name of the host that repositories are cloned from."""
        # api.github.com, api.COMPANY.ghe.com; Enterprise Server has /api/v3 below its own name
        return self.host or urlsplit(self.api).netloc.removeprefix("api.")


_LOGIN = TypeAdapter(Login)


def fetch_login(file: Path | None = None) -> Login | None:
    """Return what `slipway github login` has kept, None where nobody has logged in.

    Raises:
        ConfigError: others can read the file, we cannot, or it is damaged.
    """
    file = file or _file()
    content = read_private(file)
    if content is None:
        return None
    with contextlib.suppress(ValidationError):  # not a cause: it would quote the secret
        return _LOGIN.validate_json(content)
    raise ConfigError("is damaged", where=str(file), next_step=NEXT)


def keep_login(login: Login | None) -> None:
    """Keep a login for this instance, or forget it."""
    keep_private(_file(), _LOGIN.dump_json(login, indent=2) if login else None)


def app_token(key: AppKey, now: datetime) -> str:
    """Return what an App proves itself with for some minutes: a JWT, signed RS256.

    Source: docs.github.com, Generating a JSON Web Token (JWT) for a GitHub App.

    Raises:
        ConfigError: the key is none.
    """
    claims = {"iat": now - CLOCKS_DIFFER, "exp": now + LIVES, "iss": key.app}
    with contextlib.suppress(jwt.PyJWTError, ValueError, TypeError):  # which may quote the key
        return jwt.encode(claims, key.private_key, algorithm="RS256")
    what = "the private key is none of RSA in PEM"
    raise ConfigError(what, where=f"GitHub App {key.app}", next_step=NEXT)


def _file() -> Path:
    return state_dir() / "github.json"
