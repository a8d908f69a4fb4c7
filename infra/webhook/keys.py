"""The secrets that GitHub signs with, several at once for rotation, and Alertmanager's token."""

import contextlib
import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import filelock
from pydantic import TypeAdapter, ValidationError

from tasks.core.errors import ConfigError
from tasks.core.files import write_whole

__all__ = ["Key", "Keys", "ensure_token"]

LOCK_SECONDS = 30.0
SHORTEST = 16


@dataclass(frozen=True, slots=True)
class Key:
    """A secret that GitHub's side of a webhook holds too."""

    name: str
    created_at: datetime
    secret: str = field(repr=False)


_KEYS = TypeAdapter(tuple[Key, ...])


@dataclass(slots=True)
class Keys:
    """A file that only its owner can read; a change counts at once, without a restart."""

    path: Path
    _seen: int = 0
    _secrets: tuple[str, ...] = field(default=(), repr=False)

    def secrets(self) -> tuple[str, ...]:
        """Return the secrets that count now.

        Raises:
            ConfigError: the file is damaged.
        """
        try:
            changed = os.stat(self.path).st_mtime_ns  # noqa: PTH116 asked for each request
        except FileNotFoundError:
            return ()
        if changed != self._seen:
            self._secrets = tuple(key.secret for key in self.all())
            self._seen = changed
        return self._secrets

    def all(self) -> tuple[Key, ...]:
        """Return every key, the oldest first.

        Raises:
            ConfigError: the file is damaged.
        """
        try:
            return _KEYS.validate_json(self.path.read_bytes())
        except FileNotFoundError:
            return ()
        except ValidationError as error:
            raise ConfigError(
                "is damaged", where=str(self.path), next_step="remove it, then add secrets anew"
            ) from error

    def add(self, name: str, at: datetime, secret: str = "") -> str:
        """Keep a secret, a random one where none is given, and return it.

        Raises:
            ConfigError: the name is taken, or the secret is too short.
        """
        if secret and len(secret) < SHORTEST:
            raise ConfigError(
                f"is shorter than {SHORTEST} characters",
                where=f"secret {name}",
                next_step="leave it out, and a random one is made",
            )
        with self._changing() as keys:
            if name in keys:
                raise ConfigError(
                    "is there already",
                    where=f"secret {name}",
                    next_step=f"take another name, or slipway webhook secret remove {name}",
                )
            keys[name] = Key(name, at, secret or secrets.token_urlsafe(32))
            return keys[name].secret

    def remove(self, name: str) -> None:
        """Forget a secret; what is signed with it is refused from now on.

        Raises:
            ConfigError: there is none of that name.
        """
        with self._changing() as keys:
            if name not in keys:
                raise ConfigError(
                    "is not there", where=f"secret {name}", next_step="slipway webhook secret list"
                )
            del keys[name]

    @contextlib.contextmanager
    def _changing(self) -> Iterator[dict[str, Key]]:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with filelock.FileLock(f"{self.path}.lock", timeout=LOCK_SECONDS, mode=0o600):
            keys = {key.name: key for key in self.all()}
            yield keys
            write_whole(self.path, _KEYS.dump_json(tuple(keys.values()), indent=2))


def ensure_token(path: Path) -> str:
    """Return the token in a file, and make a random one where there is none."""
    with contextlib.suppress(FileNotFoundError):
        if token := path.read_text().strip():
            return token
    path.parent.mkdir(parents=True, exist_ok=True)
    token = secrets.token_urlsafe(32)
    write_whole(path, token.encode())
    return token
