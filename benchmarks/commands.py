"""The commands that a delivery stands for, each started as soon as those before it have ended."""

import base64
import json
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import httpx

from benchmarks.myfin import COMPONENTS, Arm
from tasks.core import process
from tasks.core.clock import SystemClock
from tasks.core.http import authorities
from tasks.scan import installed_trivy

__all__ = ["Bare", "Plan", "Step", "critical_path"]

DEADLINE = timedelta(minutes=15)
LOOK_EVERY = timedelta(milliseconds=50)
PORTS = {"api": (3001, "/"), "frontend": (8080, "/health")}
PUBLIC = ("/api/v1/about", "/")
PASSES = 3
WRITABLE = "/tmp"  # noqa: S108 a path inside the container
TRIVY_OFFLINE = (
    "--quiet", "--offline-scan", "--skip-db-update", "--skip-java-db-update",
    "--skip-check-update", "--skip-version-check", "--disable-telemetry", "--format", "json",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Step:
    """Commands one after another, and the steps that must have ended before."""

    name: str
    act: Callable[[], object]
    after: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """Steps that ran, with their times."""

    steps: tuple[Step, ...]
    seconds: float
    took: dict[str, float] = field(default_factory=dict)


def critical_path(plan: Plan) -> tuple[tuple[str, ...], float]:
    """Return the longest chain of steps that wait for each other, and its seconds."""
    longest: dict[str, tuple[tuple[str, ...], float]] = {}
    for step in plan.steps:  # in an order in which every step comes behind those it waits for
        chain, before = max(
            (longest[name] for name in step.after), key=lambda each: each[1], default=((), 0.0)
        )
        longest[step.name] = ((*chain, step.name), before + plan.took[step.name])
    return max(longest.values(), key=lambda each: each[1])


def run_steps(steps: Sequence[Step]) -> Plan:
    """Run every step as early as it can; the first failure is raised."""
    took: dict[str, float] = {}
    running: dict[str, Future[None]] = {}

    def run(step: Step) -> None:
        for name in step.after:
            running[name].result()
        began = time.perf_counter()
        step.act()
        took[step.name] = time.perf_counter() - began

    began = time.perf_counter()
    with ThreadPoolExecutor(len(steps)) as pool:
        for step in steps:
            running[step.name] = pool.submit(run, step)
        for future in running.values():
            future.result()
    return Plan(tuple(steps), time.perf_counter() - began, took)


@dataclass(frozen=True, slots=True)
class Bare:
    """A delivery by hand: clone, lint, test, build, try, scan, push, apply, probe."""

    arm: Arm
    repository: Path
    work: Path

    def run(self) -> Plan:
        """Run it once; what a person has prepared long ago is not timed."""
        self.work.mkdir()
        self._prepare()
        parts = [step for component in COMPONENTS for step in self._component(component)]
        pushed = tuple(f"push {component}" for component in COMPONENTS)
        return run_steps(
            [
                Step("clone", self._clone),
                *parts,
                Step("apply", self._apply, pushed),
                Step("probe", self._probe, ("apply",)),
            ]
        )

    @property
    def tree(self) -> Path:
        """The clone."""
        return self.work / "tree"

    def _component(self, name: str) -> list[Step]:
        return [
            Step(f"lint {name}", lambda: self._lint(name), ("clone",)),
            Step(f"test {name}", lambda: self._test(name), ("clone",)),
            Step(f"build {name}", lambda: self._build(name), ("clone",)),
            Step(f"smoke {name}", lambda: self._smoke(name), (f"build {name}",)),
            Step(f"scan {name}", lambda: self._scan(name), (f"build {name}",)),
            Step(
                f"push {name}",
                lambda: self._push(name),
                tuple(f"{stage} {name}" for stage in ("lint", "test", "smoke", "scan")),
            ),
        ]

    def _clone(self) -> None:
        _run("git", "clone", "--quiet", "--depth", "1", f"file://{self.repository}", str(self.tree))

    def _lint(self, name: str) -> None:
        self._buildx(name, "--target", "lint", "--output", "type=cacheonly")

    def _test(self, name: str) -> None:
        report = self.work / f"report-{name}"
        self._buildx(name, "--target", "test", "--output", f"type=local,dest={report}")

    def _build(self, name: str) -> None:
        cache = f"{self.arm.registry}/myfin/{name}-cache:buildcache"
        store = f"type=registry,ref={cache},mode=max,image-manifest=true,ignore-error=true"
        self._buildx(
            name,
            *("--target", "runtime", "--provenance=false"),
            *("--cache-from", f"type=registry,ref={cache}", "--cache-to", store),
            *("--output", f"type=oci,tar=false,dest={self._layout(name)}"),
            *("--output", f"type=docker,name={self._tag(name)},dest={self.work}/{name}.tar"),
        )

    def _smoke(self, name: str) -> None:
        port, path = PORTS[name]
        self._docker("load", "--quiet", "--input", f"{self.work}/{name}.tar")
        started = self._docker(
            *("run", "--detach", "--read-only", "--cap-drop", "ALL", "--tmpfs", WRITABLE),
            *("--security-opt", "no-new-privileges", "--memory", "256m", self._tag(name)),
        )
        container = started.strip()
        shown = json.loads(self._docker("inspect", container))[0]["NetworkSettings"]["Networks"]
        (network,) = shown.values()
        _wait_for(f"http://{network['IPAddress']}:{port}{path}")
        self._docker("stop", container)
        self._docker("rm", container)
        self._docker("rmi", self._tag(name))

    def _scan(self, name: str) -> None:
        trivy, report = str(installed_trivy().program), f"{self.work}/{name}.json"
        scanners = ("--scanners", "secret,misconfig,license", "--cache-backend", "memory")
        layout = ("--image-config-scanners", "misconfig,secret", "--input", self._layout(name))
        _run(trivy, "image", *TRIVY_OFFLINE, *scanners, *layout, "--output", report)
        for form in ("cyclonedx", "spdx-json"):
            output = f"{self.work}/{name}.{form}"
            _run(trivy, "convert", "--quiet", "--format", form, "--output", output, report)
        files = ("--scanners", "misconfig,secret", "--output", f"{self.work}/{name}-files.json")
        _run(trivy, "fs", *TRIVY_OFFLINE, *files, str(self.tree / name / "Dockerfile"))

    def _push(self, name: str) -> None:
        """Everything is in the builder's cache: this only sends it."""
        digest = f"{self.work}/{name}.digest"
        output = f"type=image,name={self._tag(name)},push=true"
        self._buildx(
            name,
            *("--target", "runtime", "--provenance=false"),
            *("--metadata-file", digest, "--output", output),
        )

    def _apply(self) -> None:
        overlay = self.tree / "deploy" / "overlays" / "bare"
        overlay.mkdir()
        described = {"resources": ["../dev"], "images": [self._pin(name) for name in COMPONENTS]}
        (overlay / "kustomization.yaml").write_text(json.dumps(described))
        rendered = _run(self.arm.target.kubectl, "kustomize", str(overlay))
        (self.work / "rendered.yaml").write_text(rendered)
        apply = ("apply", "--server-side", "--filename", f"{self.work}/rendered.yaml")
        _run(*self.arm.kubectl(*apply))
        _run(*self.arm.kubectl("rollout", "status", "statefulset/mysql"))
        for name in COMPONENTS:
            _run(*self.arm.kubectl("rollout", "status", f"deployment/myfin-{name}"))

    def _probe(self) -> None:
        for path in PUBLIC:
            for _ in range(PASSES):
                _wait_for(f"http://{self.arm.target.ingress}{path}", host=self.arm.host)

    def _prepare(self) -> None:
        """Make builder, namespace and MySQL's passwords, which an environment has already."""
        target = self.arm.target
        if not (self.work.parent / "buildx").exists():
            create = ("create", "--name", "bare", "--driver", "remote", target.builder)
            _run(target.buildx, *create, env=self._environment)
        namespace = {"apiVersion": "v1", "kind": "Namespace"}
        passwords = {
            key: base64.b64encode(secrets.token_hex(16).encode()).decode()
            for key in ("root-password", "password")
        }
        secret = {"apiVersion": "v1", "kind": "Secret", "data": passwords}
        metadata = {"name": "mysql-secrets", "namespace": self.arm.namespace}
        labels = {"name": self.arm.namespace}
        things = [{**namespace, "metadata": labels}, {**secret, "metadata": metadata}]
        if not _run(*self.arm.kubectl("get", "secret", "--output", "name")).strip():
            for thing in things:
                options = process.Options(stdin=json.dumps(thing), ok=(0, 1))
                argv = self.arm.kubectl("create", "--filename", "-")
                process.run(argv, timeout=DEADLINE, options=options)

    def _buildx(self, name: str, *flags: str) -> None:
        target = self.arm.target
        bundle = f"id=ca-certificates,src={target.ca_certificates}"
        secret = ("--secret", bundle) if target.ca_certificates else ()
        fixed = ("build", "--builder", "bare", "--progress", "plain", *secret)
        context = str(self.tree / name)
        _run(target.buildx, *fixed, *flags, context, env=self._environment)

    @property
    def _environment(self) -> dict[str, str]:
        home = str(self.work.parent / "buildx")
        return {"BUILDX_CONFIG": home, "BUILDX_NO_DEFAULT_ATTESTATIONS": "1"}

    def _docker(self, *argv: str) -> str:
        return _run("docker", "--host", self.arm.target.docker_host, *argv)

    def _layout(self, name: str) -> str:
        return str(self.work / f"layout-{name}")

    def _repository(self, name: str) -> str:
        return f"{self.arm.registry}/myfin/{name}"

    def _tag(self, name: str) -> str:
        return f"{self._repository(name)}:bare"

    def _pin(self, name: str) -> dict[str, str]:
        digest = json.loads((self.work / f"{name}.digest").read_text())["containerimage.digest"]
        return {"name": f"myfin-{name}", "newName": self._repository(name), "digest": digest}


def _run(*argv: str, env: Mapping[str, str] | None = None) -> str:
    return process.run(argv, timeout=DEADLINE, options=process.Options(env=env)).stdout


def _wait_for(url: str, host: str | None = None) -> None:
    clock = SystemClock()
    deadline = clock.now() + timedelta(minutes=2)
    headers = {"Host": host} if host else {}
    while clock.now() < deadline:
        try:
            answer = httpx.get(
                url, headers=headers, timeout=2, verify=authorities(url), trust_env=False
            )
            if answer.is_success:
                return
        except httpx.HTTPError:
            pass
        clock.wait(LOOK_EVERY)
    raise TimeoutError(url)
