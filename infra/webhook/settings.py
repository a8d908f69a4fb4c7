"""Where the receiver listens and what it keeps."""

from dataclasses import dataclass
from pathlib import Path

from infra.lab.layout import current
from tasks.core.paths import state_dir

__all__ = ["Settings", "settings"]

PORT_OFFSET = 43


@dataclass(frozen=True, slots=True)
class Settings:
    """The receiver of one instance.

    Attributes:
        port: on loopback, and on the host's end of the lab's link.
        lab_address: where the lab's Alertmanager reaches the host; it need not be there yet.
        folder: store, secrets and token.
    """

    port: int
    lab_address: str
    folder: Path

    @property
    def url(self) -> str:
        """Address for this machine."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def alertmanager_url(self) -> str:
        """Where the lab's Alertmanager sends its alerts."""
        return f"http://{self.lab_address}:{self.port}/alertmanager"

    @property
    def store(self) -> Path:
        """Events and registered repositories."""
        return self.folder / "events.sqlite"

    @property
    def secrets(self) -> Path:
        """Secrets that GitHub signs with."""
        return self.folder / "github-secrets.json"

    @property
    def alertmanager_token(self) -> Path:
        """Bearer token for Alertmanager's `credentials_file`; made by `slipway up`."""
        return self.folder / "alertmanager-token"

    @property
    def tls(self) -> Path:
        """Which door with TLS there is; where the file is missing, none."""
        return self.folder / "tls.json"


def settings() -> Settings:
    """Return this instance's receiver."""
    layout = current()
    return Settings(layout.port + PORT_OFFSET, layout.host_address, state_dir() / "webhook")
