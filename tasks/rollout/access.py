"""The rights that an environment's rollouts need, as manifests for whoever may grant them.

An identity for each environment: what rolls out into dev has no right in prod. Nothing is asked
for that no manifest, no probe and no record of the environment needs. The identities are outside
of the applications' namespaces, whose pods could borrow them there.

Source: https://kubernetes.io/docs/reference/access-authn-authz/rbac/
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from tasks.core.cluster import APPROVERS, OWN_NAMESPACE
from tasks.core.objects import Kind, Object, Ref, Resource, ref_of
from tasks.core.probes import Probe
from tasks.rollout.model import Place
from tasks.rollout.reach import labels_of
from tasks.rollout.spread import keeps_apart

__all__ = ["account_of", "grants"]

RBAC = "rbac.authorization.k8s.io"
LOOK = ("get", "list", "watch")
PUT = ("create", "delete", "get", "list", "patch", "watch")
KEEP = ("create", "delete", "get", "list", "patch", "update", "watch")


@dataclass(frozen=True, slots=True)
class _Right:
    """Verbs on resources of a group, on some objects alone where these are named.

    The core API's group is empty.
    """

    group: str
    resources: tuple[str, ...]
    verbs: tuple[str, ...]
    names: tuple[str, ...] = ()

    def rule(self) -> Object:
        found: Object = {
            "apiGroups": [self.group],
            "resources": list(self.resources),
            "verbs": list(self.verbs),
        }
        return {**found, "resourceNames": list(self.names)} if self.names else found


_Named = tuple[Ref, Resource]

ALWAYS = (
    _Right("", ("secrets",), KEEP),
    _Right("", ("configmaps",), ("create", "get", "list", "watch")),
    _Right("coordination.k8s.io", ("leases",), ("create", "get", "update")),
    _Right("", ("pods",), ("delete", *LOOK)),
    _Right("", ("pods/log", "pods/proxy", "services/proxy"), ("get",)),
    _Right("", ("events", "limitranges", "resourcequotas", "services"), LOOK),
    _Right("apps", ("daemonsets", "deployments", "replicasets", "statefulsets"), LOOK),
    _Right("autoscaling", ("horizontalpodautoscalers",), LOOK),
)
"""Records and generated secrets, the audit trail, the lock, and what is looked at in any case."""
COMMANDS = _Right("", ("pods/exec",), ("create", "get"))
TUNNELS = _Right("", ("pods/portforward",), ("create", "get"))
JOBS = _Right("batch", ("jobs",), ("create", "delete", *LOOK))


def account_of(place: Place) -> str:
    """Return the name of an environment's ServiceAccount, in the namespace OWN_NAMESPACE."""
    return f"slipway-{place.application}-{place.name}"


def grants(
    place: Place, wanted: Iterable[Object], resource: Callable[[Kind], Resource]
) -> tuple[Object, ...]:
    """Return the objects that let an identity of its own roll out into an environment, and no more.

    The namespace is among them: a right to make namespaces cannot be had for one name alone.

    Args:
        place: the environment.
        wanted: its rendered manifests.
        resource: says how the cluster calls a kind.
    """
    wanted = tuple(wanted)
    named = [(ref_of(thing), resource(ref_of(thing).kind)) for thing in wanted]
    name, namespace = account_of(place), place.namespace
    inside = [right.rule() for right in (*ALWAYS, *_probing(place.environment.probes))]
    inside += [right.rule() for right in _put(named)]
    inside += _handed_on(wanted, "Role")
    everywhere = [right.rule() for right in _everywhere(namespace, wanted, named)]
    everywhere += _handed_on(wanted, "ClusterRole")
    return (
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": OWN_NAMESPACE}},
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}},
        {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": {"name": name, "namespace": OWN_NAMESPACE},
            "automountServiceAccountToken": False,
        },
        *_role("Role", {"name": name, "namespace": namespace}, inside),
        *_judging(place, name),
        *_role("ClusterRole", {"name": name}, everywhere),
    )


def _judging(place: Place, name: str) -> tuple[Object, ...]:
    """Return the right to judge answers, where people are asked: their codes are used up."""
    if place.environment.approval is None and not place.environment.overriders:
        return ()
    right = _Right("", ("secrets",), ("get", "update"), (APPROVERS,))
    return _role("Role", {"name": name, "namespace": OWN_NAMESPACE}, [right.rule()])


def _probing(probes: Iterable[Probe]) -> Iterator[_Right]:
    """Yield what questions to pods need beyond plain HTTP."""
    asked = tuple(probes)
    if any(probe.command is not None for probe in asked):
        yield COMMANDS
    if any(probe.tcp is not None or probe.grpc is not None for probe in asked):
        yield TUNNELS
    if any(probe.job is not None for probe in asked):
        yield JOBS


def _put(named: Iterable[_Named]) -> Iterator[_Right]:
    """Yield the rights to what the manifests hold inside of the namespace, one a group."""
    groups: dict[str, set[str]] = {}
    for ref, found in named:
        if found.namespaced:
            groups.setdefault(_group(ref.kind), set()).add(found.name)
    for group, names in sorted(groups.items()):
        yield _Right(group, tuple(sorted(names)), PUT)


def _group(kind: Kind) -> str:
    return kind.group if "/" in kind.api_version else ""


def _everywhere(
    namespace: str, wanted: Iterable[Object], named: Iterable[_Named]
) -> Iterator[_Right]:
    """Yield rights outside of the namespace, on single objects wherever RBAC knows how."""
    yield _Right("", ("namespaces",), ("get", "patch"), (namespace,))
    if any(keeps_apart(thing, labels_of(thing)) for thing in wanted):
        yield _Right("", ("nodes",), ("list",))
    for ref, found in named:
        if not found.namespaced and ref.kind.name != "Namespace":
            yield _Right(_group(ref.kind), (found.name,), ("delete", "get", "patch"), (ref.name,))
            yield _Right(_group(ref.kind), (found.name,), ("create",))


def _handed_on(wanted: Iterable[Object], kind: str) -> list[Object]:
    """Return the rules of the roles among the manifests: nobody may grant what they lack."""
    return [rule for thing in wanted if thing["kind"] == kind for rule in thing.get("rules") or ()]


def _role(kind: str, metadata: Mapping[str, str], rules: list[Object]) -> tuple[Object, Object]:
    """Return a role and its binding to the identity of the same name."""
    subject = {"kind": "ServiceAccount", "name": metadata["name"], "namespace": OWN_NAMESPACE}
    role = {"apiGroup": RBAC, "kind": kind, "name": metadata["name"]}
    head = {"apiVersion": f"{RBAC}/v1", "metadata": dict(metadata)}
    return (
        {**head, "kind": kind, "rules": rules},
        {**head, "kind": f"{kind}Binding", "roleRef": role, "subjects": [subject]},
    )
