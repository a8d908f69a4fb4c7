"""The lab as a whole: it comes up, is repaired, comes back, and leaves nothing."""

import contextlib
import json
import os
import re
import signal
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from infra.lab import lifecycle as labs
from infra.lab.components import COMPONENTS
from infra.lab.layout import current
from infra.lab.lifecycle import Health, LabStatus
from infra.lab.waiting import wait_until
from tasks.core import process
from tasks.core.errors import ToolFailed

pytestmark = [pytest.mark.e2e, pytest.mark.disruptive]

SOON = timedelta(seconds=60)
WORKLOAD = """
apiVersion: v1
kind: Namespace
metadata: {name: lab-test, labels: {pod-security.kubernetes.io/enforce: restricted}}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: web, namespace: lab-test}
spec:
  serviceName: web
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 1
      securityContext: {runAsNonRoot: true, runAsUser: 1000, seccompProfile: {type: RuntimeDefault}}
      containers:
        - name: web
          image: busybox:1.36
          command: [sh, -c, "date +%s%N >> /data/starts; exec httpd -f -p 8080 -h /data"]
          readinessProbe: {httpGet: {path: /starts, port: 8080}, periodSeconds: 1}
          resources: {limits: {memory: 32Mi, cpu: 100m}}
          securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}
          volumeMounts: [{name: data, mountPath: /data}]
  volumeClaimTemplates:
    - metadata: {name: data}
      spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Mi}}}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: lab-test}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
"""


@dataclass(frozen=True, slots=True)
class Workload:
    """A pod with a volume and a service, and what a test asks about it."""

    lab: LabStatus

    def kubectl(self, *arguments: str, stdin: str | None = None) -> str:
        argv = [labs.target().kubectl, f"--kubeconfig={self.lab.kubeconfig}", *arguments]
        return process.run(argv, timeout=SOON, options=process.Options(stdin=stdin)).stdout

    def wait_ready(self) -> None:
        self.kubectl(
            "rollout", "status", "statefulset/web", "--namespace=lab-test", "--timeout=60s"
        )
        wait_until(lambda: self.starts() > 0, SOON, "the workload to answer")

    def identity(self) -> tuple[str, int]:
        """The pod's name for the API server, and how often its container was started again."""
        pod = json.loads(
            self.kubectl("get", "pod", "web-0", "--namespace=lab-test", "--output=json")
        )
        return pod["metadata"]["uid"], pod["status"]["containerStatuses"][0]["restartCount"]

    def starts(self) -> int:
        """Lines that its volume holds, one a start; asked through the service's address."""
        query = "--output=jsonpath={.spec.clusterIP}"
        address = self.kubectl("get", "service", "web", "--namespace=lab-test", query)
        with contextlib.suppress(httpx.HTTPError):
            return len(httpx.get(f"http://{address}/starts", timeout=2).text.splitlines())
        return 0


@pytest.fixture(scope="module")
def workload(lab: LabStatus) -> Iterator[Workload]:
    running = Workload(lab)
    running.kubectl("apply", "--filename=-", stdin=WORKLOAD)
    running.wait_ready()
    yield running
    labs.up()
    running.kubectl("delete", "namespace", "lab-test")


def pid_of(component: str) -> int:
    found = next(one for one in labs.status().components if one.name == component)
    assert found.pid is not None
    return found.pid


def test_every_component_is_healthy(lab: LabStatus) -> None:
    assert {one.name: one.health for one in lab.components} == {
        one.name: Health.HEALTHY for one in COMPONENTS
    }


def test_up_on_a_healthy_lab_starts_nothing_again(lab: LabStatus) -> None:  # noqa: ARG001 it is up
    before = {one.name: one.pid for one in labs.status().components}
    assert {one.name: one.pid for one in labs.up().components} == before


def test_names_of_services_and_of_nobody_are_answered_at_once(workload: Workload) -> None:
    ask = ("exec", "web-0", "--namespace=lab-test", "--", "nslookup")
    assert "Address" in workload.kubectl(*ask, "web.lab-test.svc.cluster.local")
    with pytest.raises(ToolFailed, match=r"NXDOMAIN|status 1"):
        workload.kubectl(*ask, "nobody.example.org")


def test_the_restricted_level_refuses_a_root_pod(workload: Workload) -> None:
    run = ("run", "root", "--namespace=lab-test", "--image=busybox:1.36", "--restart=Never")
    with pytest.raises(ToolFailed, match="violates PodSecurity"):
        workload.kubectl(*run)


@pytest.mark.parametrize("component", [one.name for one in COMPONENTS])
def test_a_killed_component_is_repaired_and_the_workload_kept(
    workload: Workload, component: str
) -> None:
    before, killed = workload.identity(), pid_of(component)
    os.kill(killed, signal.SIGKILL)
    after = labs.up()
    assert after.health is Health.HEALTHY
    assert pid_of(component) != killed
    workload.wait_ready()
    assert workload.identity() == before


def test_a_stopped_component_is_started_again(workload: Workload) -> None:
    hung = pid_of("kube-scheduler")
    os.kill(hung, signal.SIGSTOP)
    assert labs.up().health is Health.HEALTHY
    assert pid_of("kube-scheduler") != hung
    workload.wait_ready()


def test_after_everything_died_at_once_the_workload_comes_back(workload: Workload) -> None:
    uid, starts = workload.identity()[0], workload.starts()
    node = int((current().run / "node.pid").read_text().split()[0])
    os.kill(node, signal.SIGKILL)
    assert labs.up().health is Health.HEALTHY
    wait_until(lambda: workload.starts() > starts, SOON, "the workload to be started again")
    assert workload.identity()[0] == uid


def test_down_leaves_nothing_and_up_brings_the_workload_back(workload: Workload) -> None:
    uid, starts = workload.identity()[0], workload.starts()
    labs.down()
    assert labs.status().health is Health.DOWN
    assert traces() == []
    assert labs.up().health is Health.HEALTHY
    wait_until(lambda: workload.starts() > starts, SOON, "the workload to be started again")
    assert workload.identity()[0] == uid


def test_an_up_that_was_killed_half_way_is_finished_by_the_next(workload: Workload) -> None:
    labs.down()

    def cut(line: str) -> None:
        if line.startswith("etcd: ready"):
            raise InterruptedError

    argv = [sys.executable, "-m", "infra.lab", "up"]
    with pytest.raises(InterruptedError):
        process.run(argv, timeout=SOON, options=process.Options(on_line=cut))
    assert labs.up().health is Health.HEALTHY
    workload.wait_ready()


def traces() -> list[str]:
    """Everything on the machine outside cache and state folder that names the test's lab."""
    layout = current()
    own = re.compile(rf"{re.escape(str(layout.state))}|{layout.cgroup}\b|{layout.link}\b")
    links = process.run(["ip", "-o", "link"], timeout=SOON).stdout
    routes = process.run(["ip", "route"], timeout=SOON).stdout
    places = [links, routes, Path("/proc/self/mountinfo").read_text()]
    found = [line for text in places for line in text.splitlines() if own.search(line)]
    found += [str(path) for path in Path("/sys/fs/cgroup").glob(f"**/*{layout.cgroup[1:]}*")]
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            text = (folder / "cmdline").read_text() + (folder / "cgroup").read_text()
            found += [f"{folder}: {text}"] if own.search(text) else []
    return found
