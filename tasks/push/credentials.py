"""Which account a registry knows this machine by: as `docker login` left it."""

import base64
import json
import os
from datetime import timedelta
from pathlib import Path
from typing import Any

from tasks.core import process
from tasks.core.errors import ConfigError
from tasks.push.model import Credentials

__all__ = ["stored_credentials"]

HELPER_DEADLINE = timedelta(seconds=30)


def stored_credentials(host: str, config: Path | None = None) -> Credentials | None:
    """Return the account for a registry, None where nobody has logged in.

    Read where the push runs: a token must not become a parameter that Prefect would store.

    Args:
        host: of the registry, with its port.
        config: Docker's configuration file; the user's own where absent.

    Raises:
        ConfigError: the file cannot be read.
    """
    file = config or _users_own()
    try:
        settings = json.loads(file.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"cannot be read: {error}", where=str(file), next_step=f"docker login {host}"
        ) from error
    helper = settings.get("credHelpers", {}).get(host) or settings.get("credsStore")
    if helper:
        return _ask(helper, host)
    return _written_down(settings, host)


def _users_own() -> Path:
    folder = os.environ.get("DOCKER_CONFIG") or str(Path.home() / ".docker")
    return Path(folder) / "config.json"


def _ask(helper: str, host: str) -> Credentials | None:
    argv = (f"docker-credential-{helper}", "get")
    options = process.Options(stdin=host, ok=(0, 1))
    done = process.run(argv, timeout=HELPER_DEADLINE, options=options)
    if done.code != 0:
        return None
    found = json.loads(done.stdout)
    return Credentials(found["Username"], found["Secret"])


def _written_down(settings: dict[str, Any], host: str) -> Credentials | None:
    account = settings.get("auths", {}).get(host, {}).get("auth")
    if not account:
        return None
    username, _, token = base64.b64decode(account).decode().partition(":")
    return Credentials(username, token)
