"""The guestbook for a benchmark: one environment, in a namespace of the benchmark's own."""

import logging
from dataclasses import dataclass, field, replace
from pathlib import Path

from infra.examples import commit_all, make_repository
from tasks.build.effects import build
from tasks.core.model import Release, ReleasedImage
from tasks.core.registry import repository_of
from tasks.core.strategy import Strategy
from tasks.core.target import Target
from tasks.push.effects import push
from tasks.release.decide import assemble
from tasks.release.effects import draft
from tasks.rollout.model import Place
from tasks.rollout.place import place_of
from tasks.source.effects import fetch_source

__all__ = ["Guestbook"]

ENVIRONMENT = "prod"
COMPONENT = "web"

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Guestbook:
    """A repository of the guestbook, and releases of it that differ in their configuration.

    Attributes:
        name: of the namespace, and of the host before `.guestbook.localhost`.
    """

    folder: Path
    target: Target
    name: str
    releases: int = 0
    image: ReleasedImage | None = field(default=None)

    def __post_init__(self) -> None:
        make_repository("guestbook", self.folder)
        for path in ("slipway.yaml", "deploy/overlays/prod/kustomization.yaml"):
            text = (self.folder / path).read_text().replace("guestbook-prod", self.name)
            (self.folder / path).write_text(
                text.replace("prod.guestbook", f"{self.name}.guestbook")
            )
        commit_all(self.folder, f"Guestbook for {self.name}")

    @property
    def host(self) -> str:
        """The name under which the ingress answers."""
        return f"{self.name}.guestbook.localhost"

    def place(self, strategy: Strategy) -> Place:
        """Return the environment with a strategy."""
        found = place_of(fetch_source(str(self.folder)).application, ENVIRONMENT, self.target)
        return replace(found, environment=replace(found.environment, strategy=strategy))

    def next_release(self) -> Release:
        """Commit another greeting and assemble the release; the image is built once."""
        self.releases += 1
        file = self.folder / "deploy" / "base" / "kustomization.yaml"
        lines = file.read_text().splitlines()
        greeting = f"      - GREETING=release {self.releases}"
        changed = [greeting if "GREETING=" in line else line for line in lines]
        file.write_text("\n".join(changed) + "\n")
        commit_all(self.folder, f"Release {self.releases}")
        source = fetch_source(str(self.folder))
        if self.image is None:
            repository = repository_of(source.application, COMPONENT, self.target.registry)
            self.image = push(
                build(source, COMPONENT, self.target, log.info), repository, self.target
            )
        return assemble(draft(source, self.target), (self.image,))
