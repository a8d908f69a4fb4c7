"""The frozen values that stages hand on to each other, from a commit to a release."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NewType

from tasks.core.application import Application

__all__ = [
    "CheckResult",
    "ComponentSource",
    "Digest",
    "Image",
    "Manifests",
    "Outcome",
    "Release",
    "ReleasedImage",
    "ScanResult",
    "Source",
    "Verdict",
]

Digest = NewType("Digest", str)
"""`sha256:` and 64 hexadecimal digits (OCI image specification, descriptor)."""


@dataclass(frozen=True, slots=True)
class ComponentSource:
    """One component's files; content is a hash over everything that its image depends on."""

    name: str
    content: str


@dataclass(frozen=True, slots=True)
class Source:
    """A clean tree of one commit.

    Attributes:
        repository: where it was cloned from, without credentials.
        commit: full object name.
        tree: folder of the work tree on this machine.
        subject: first line of the message.
        committed_at: aware UTC.
    """

    repository: str
    commit: str
    tree: str
    author: str
    author_email: str
    subject: str
    committed_at: datetime
    application: Application
    components: tuple[ComponentSource, ...]


class Outcome(StrEnum):
    """How something was judged. Only FAILED ever takes a release back."""

    PASSED = "passed"
    FAILED = "failed"
    NO_DATA = "no data"
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True, slots=True)
class Verdict:
    """A judgement with its reason in one sentence and the evidence line by line."""

    outcome: Outcome
    reason: str
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What lint, test or smoke found out about a component."""

    component: str
    stage: str
    sentence: str
    tests: int = 0
    failed: tuple[str, ...] = ()
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Image:
    """A built image as an OCI layout on this machine.

    Attributes:
        digest: of the image manifest, the name it will have everywhere.
        config_digest: of the image's configuration, which a Docker engine calls its id.
        layout: folder of the OCI layout (OCI image layout specification).
        archive: tar that `docker load` reads, of the same image.
        size_bytes: compressed, as pulled.
    """

    component: str
    digest: Digest
    config_digest: Digest
    layout: str
    archive: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class ScanResult:
    """What Trivy's reports say under the application's policy.

    Attributes:
        sboms: paths of the CycloneDX and SPDX documents.
        summary: one line a kind of finding, for people.
        database: when the vulnerability database was made that was looked into (aware UTC); None
            where none was usable.
    """

    component: str
    digest: Digest
    verdict: Verdict
    summary: tuple[str, ...] = ()
    sboms: tuple[str, ...] = ()
    database: datetime | None = None


@dataclass(frozen=True, slots=True)
class ReleasedImage:
    """An image in the registry.

    Attributes:
        port: where it serves, as slipway.yaml says; None leaves that to the manifests.
    """

    component: str
    repository: str
    digest: Digest
    port: int | None = None

    @property
    def reference(self) -> str:
        """What a pod's `image` says."""
        return f"{self.repository}@{self.digest}"


@dataclass(frozen=True, slots=True)
class Manifests:
    """Everything that a release puts into one environment, rendered, as one YAML stream."""

    environment: str
    namespace: str
    yaml: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Release:
    """What was built once and runs everywhere.

    Attributes:
        id: `r-` and twelve hexadecimal digits of the hash over images and manifests.
        created_at: the commit's time.
        scan: one line a component.
        irreversible: why there is no way back behind it, None where there is.
        repository: where the commit was cloned from, without credentials.
    """

    id: str
    application: str
    commit: str
    author: str
    author_email: str
    subject: str
    created_at: datetime
    images: tuple[ReleasedImage, ...]
    manifests: tuple[Manifests, ...]
    scan: tuple[str, ...] = ()
    irreversible: str | None = None
    repository: str = ""

    def manifests_for(self, environment: str) -> Manifests:
        """Return the manifests of one environment.

        Raises:
            KeyError: the release has none for it.
        """
        for manifests in self.manifests:
            if manifests.environment == environment:
                return manifests
        raise KeyError(environment)
