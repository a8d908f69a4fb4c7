"""The frozen values that stages hand on to each other."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NewType

from tasks.core.application import Application
from tasks.core.sample import Sample

__all__ = [
    "Change",
    "ChangeKind",
    "CheckResult",
    "ComponentSource",
    "Digest",
    "Image",
    "Manifests",
    "Moment",
    "Outcome",
    "Plan",
    "Record",
    "Release",
    "ReleasedImage",
    "RolloutState",
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

    def manifests_for(self, environment: str) -> Manifests:
        """Return the manifests of one environment.

        Raises:
            KeyError: the release has none for it.
        """
        for manifests in self.manifests:
            if manifests.environment == environment:
                return manifests
        raise KeyError(environment)


class ChangeKind(StrEnum):
    """What happens to one object."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class Change:
    """What a rollout does to one object; object is `Kind/name`, diff a unified diff."""

    kind: ChangeKind
    object: str
    diff: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a rollout would do, against the cluster as it is now.

    Attributes:
        id: hash over release, environment and changes: what an approval is bound to.
        live: number of the record that is live now, None before the first rollout.
        how: by which strategy and steps the release would come in.
        warnings: what the reader should know before saying yes.
    """

    id: str
    environment: str
    namespace: str
    release: str
    live: int | None
    changes: tuple[Change, ...]
    warnings: tuple[str, ...] = ()
    how: str = ""


class RolloutState(StrEnum):
    """How far a rollout is; the words of a record."""

    STARTED = "started"
    SUCCEEDED = "succeeded"
    RESTORED = "restored"
    FAILED = "failed"
    SUPERSEDED = "superseded"


@dataclass(frozen=True, slots=True)
class Moment:
    """Something that happened in a rollout, in words.

    Attributes:
        share: percent of the traffic, where it changed.
        outcome: of the verdict that was reached then.
    """

    at: datetime
    what: str
    share: int | None = None
    outcome: Outcome | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """One rollout in an environment's history, kept in its own cluster.

    Attributes:
        number: 1, 2, 3 … within the environment.
        run: id of the Prefect flow run that did it.
        approved_by: names, in the order of their approvals.
        restores: number of the record whose release this one brought back.
        moments: what happened, oldest first.
        samples: what the service level indicators counted, oldest first.
        plan: what the rollout was to change, as it was shown before.
    """

    number: int
    environment: str
    namespace: str
    release: Release
    state: RolloutState
    reason: str
    started_at: datetime
    finished_at: datetime | None = None
    run: str = ""
    actor: str = ""
    approved_by: tuple[str, ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    restores: int | None = None
    moments: tuple[Moment, ...] = ()
    samples: tuple[Sample, ...] = ()
    plan: Plan | None = None
