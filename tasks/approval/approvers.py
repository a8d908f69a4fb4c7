"""Where approvers are kept: a port, a Secret of the cluster that they guard, the tests' memory."""

import base64
import gzip
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from pydantic import TypeAdapter, ValidationError

from tasks.approval.model import Approver
from tasks.core.cluster import APPROVERS, OWN_NAMESPACE, Objects
from tasks.core.errors import ConfigError, Conflict, Unavailable
from tasks.core.objects import Kind, Object, Ref

__all__ = ["Approvers", "Change", "MemoryApprovers", "SecretApprovers"]

T = TypeVar("T")
Change = Callable[[Approver | None], tuple[Approver | None, T]]
"""Gets an approver, None where there is none, and returns what to keep and what to answer.

It may be called again: somebody else may have changed what it was called with.
"""

_STORED = TypeAdapter(tuple[Approver, ...])
SECRET, NAMESPACE = Kind("v1", "Secret"), Kind("v1", "Namespace")
TYPE, KEY = "slipway.dev/approvers.v1", "approvers"
MANAGED = {"app.kubernetes.io/managed-by": "slipway"}
MOST_TRIES = 100
"""Each lost one is a change of somebody else's."""


class Approvers(Protocol):
    """Keeps approvers with their secrets, used codes and failures."""

    def everybody(self) -> tuple[Approver, ...]:
        """Return all, by name."""
        ...

    def change(self, name: str, change: Change[T]) -> T:
        """Change one approver while nobody else can; None as the new value removes them."""
        ...


@dataclass(frozen=True, slots=True)
class SecretApprovers:
    """One Secret, written over the version that it was read in.

    Used codes and failures of a whole team fit: they are compressed, and repeat themselves.
    """

    cluster: Objects
    namespace: str = OWN_NAMESPACE

    def everybody(self) -> tuple[Approver, ...]:
        """Return all, by name.

        Raises:
            ConfigError: the Secret is damaged, or may not be read.
            Unavailable: the cluster does not answer.
        """
        return self._read(self.cluster.read(self._ref))

    def change(self, name: str, change: Change[T]) -> T:
        """Change one approver; what others change at the same time is not lost.

        Raises:
            ConfigError: the Secret is damaged, or may not be written.
            Unavailable: the cluster does not answer, or others write without end.
        """
        for _ in range(MOST_TRIES):
            found = self.cluster.read(self._ref)
            before = {one.name: one for one in self._read(found)}
            kept, answer = change(before.get(name))
            after = _with(before, name, kept)
            if after == before or self._write(found, after):
                return answer
        raise Unavailable("others write without end", where=self._where, next_step="try again")

    def _write(self, found: Object | None, approvers: dict[str, Approver]) -> bool:
        """Write all; say whether nobody else has written since they were read."""
        packed = gzip.compress(_STORED.dump_json(tuple(approvers.values())), mtime=0)
        content = {KEY: base64.b64encode(packed).decode()}
        try:
            if found is not None:
                self.cluster.replace({**found, "data": content})
            else:
                self._ensure_namespace()
                self.cluster.create(self._fresh(content))
        except Conflict:
            return False
        return True

    def _ensure_namespace(self) -> None:
        if self.cluster.read(Ref(NAMESPACE, "", self.namespace)) is None:
            metadata = {"name": self.namespace, "labels": MANAGED}
            self.cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})

    def _fresh(self, content: dict[str, str]) -> Object:
        names = {"name": APPROVERS, "namespace": self.namespace, "labels": MANAGED}
        kind = {"apiVersion": SECRET.api_version, "kind": SECRET.name}
        return {**kind, "metadata": names, "type": TYPE, "data": content}

    def _read(self, secret: Object | None) -> tuple[Approver, ...]:
        if secret is None:
            return ()
        try:
            packed = base64.b64decode((secret.get("data") or {})[KEY], validate=True)
            return _STORED.validate_json(gzip.decompress(packed))
        except ValidationError as error:
            # its text would show what is in there
            raise self._damaged(f"{error.error_count()} faults") from None
        except (KeyError, ValueError, EOFError, OSError, zlib.error) as error:
            raise self._damaged(type(error).__name__) from error

    def _damaged(self, how: str) -> ConfigError:
        return ConfigError(
            f"is damaged ({how})",
            where=self._where,
            next_step="restore it, or delete it and enrol its approvers anew",
        )

    @property
    def _ref(self) -> Ref:
        return Ref(SECRET, self.namespace, APPROVERS)

    @property
    def _where(self) -> str:
        return f"{self.namespace}/{self._ref}"


@dataclass(slots=True)
class MemoryApprovers:
    """Approvers of a test."""

    kept: dict[str, Approver] = field(default_factory=dict)

    def everybody(self) -> tuple[Approver, ...]:
        """Return all, by name."""
        return tuple(self.kept.values())

    def change(self, name: str, change: Change[T]) -> T:
        """Change one approver."""
        kept, answer = change(self.kept.get(name))
        self.kept = _with(self.kept, name, kept)
        return answer


def _with(approvers: dict[str, Approver], name: str, kept: Approver | None) -> dict[str, Approver]:
    others = {key: one for key, one in approvers.items() if key != name}
    return dict(sorted({**others, **({name: kept} if kept else {})}.items()))
