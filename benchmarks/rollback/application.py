"""The application that every side rolls out: the guestbook, with a way to make it bad."""

import json
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from infra.examples import EXAMPLES, commit_all, make_repository
from tasks.core import process
from tasks.core.cluster import Scope
from tasks.core.cluster_api import KubernetesCluster
from tasks.core.objects import Kind, Object, Ref, parse_stream, ref_of
from tasks.core.target import Target

__all__ = ["FAULTS", "REPLICAS", "Application", "build_image"]

FAULTS = 0.2
REPLICAS = 4
SHARE_FILE = "/tmp/share"  # noqa: S108 a path inside the container
POD = Kind("v1", "Pod")
WITHIN = timedelta(seconds=30)
BUILD = timedelta(minutes=10)
OVERLAY = Path("deploy/overlays/prod/kustomization.yaml")


@dataclass(frozen=True, slots=True)
class Application:
    """The guestbook in a namespace and under a host name of one side's own."""

    side: str
    folder: Path
    target: Target

    @property
    def namespace(self) -> str:
        """Namespace of this side."""
        return f"rollback-{self.side}"

    @property
    def host(self) -> str:
        """The public name of this side."""
        return f"{self.namespace}.localhost"

    def start(self) -> None:
        """Make its repository."""
        make_repository("guestbook", self.folder)

    def commit(self, number: int, faults: float, image: str | None = None) -> None:
        """Write a release: another version, which fails a share of its requests."""
        base = f"{Path('..') / '..' / 'base'}"
        written = {
            "namespace": self.namespace,
            "resources": [base],
            "patches": [{"patch": json.dumps(self._workload(number, faults))}, self._route()],
        }
        if image is not None:
            name, _, digest = image.partition("@")
            written["images"] = [{"name": "guestbook", "newName": name, "digest": digest}]
        (self.folder / OVERLAY).write_text(json.dumps(written))
        commit_all(self.folder, f"Release {number}")

    def rendered(self) -> tuple[Object, ...]:
        """Return the manifests of the newest release."""
        argv = [self.target.kubectl, "kustomize", str((self.folder / OVERLAY).parent)]
        return parse_stream(process.run(argv, timeout=WITHIN).stdout)

    def burn(self, number: int, cluster: KubernetesCluster) -> None:
        """Make every pod of a release fail a share of its requests from now on."""
        words = ("sh", "-c", f"echo {FAULTS} > {SHARE_FILE}")
        for pod in self._pods(number, cluster):
            cluster.execute(pod, "guestbook", words, WITHIN)

    def _pods(self, number: int, cluster: KubernetesCluster) -> tuple[Ref, ...]:
        pods = cluster.find(Scope((POD,), self.namespace))
        return tuple(ref_of(pod) for pod in pods if _version(pod) == str(number))

    def _workload(self, number: int, faults: float) -> Object:
        env = {"VERSION": str(number), "FAULTS": str(faults), "FAULTS_FILE": SHARE_FILE}
        container = {
            "name": "guestbook",
            "env": [{"name": key, "value": value} for key, value in env.items()],
            "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],  # noqa: S108 as above
        }
        spec = {"containers": [container], "volumes": [{"name": "tmp", "emptyDir": {}}]}
        return {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "guestbook"},
            "spec": {"replicas": REPLICAS, "template": {"spec": spec}},
        }

    def _route(self) -> Object:
        patch = [{"op": "replace", "path": "/spec/hostnames", "value": [self.host]}]
        target = {"kind": "HTTPRoute", "name": "guestbook"}
        return {"target": target, "patch": json.dumps(patch)}


def build_image(target: Target, folder: Path) -> str:
    """Build the guestbook once and return it by digest, as in the lab's registry."""
    name, written = f"{target.registry}/rollback/guestbook", folder / "built.json"
    options = process.Options(env={"BUILDX_CONFIG": str(folder / "buildx")})
    create = ("create", "--name", "rollback", "--driver", "remote", target.builder)
    process.run([target.buildx, *create], timeout=WITHIN, options=options)
    argv = [
        *(target.buildx, "build", "--builder", "rollback", "--target", "runtime"),
        *("--provenance=false", "--output", f"type=image,name={name}:bench,push=true"),
        *("--metadata-file", str(written), str(EXAMPLES / "guestbook")),
    ]
    process.run(argv, timeout=BUILD, options=options)
    return f"{name}@{json.loads(written.read_text())['containerimage.digest']}"


def _version(pod: Object) -> str | None:
    env = pod["spec"]["containers"][0].get("env") or ()
    return next((each.get("value") for each in env if each["name"] == "VERSION"), None)
