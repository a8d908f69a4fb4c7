"""The order of `up`: everything as soon as what it waits for is there, builds two at a time."""

import threading
from collections.abc import Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field

from infra.lab import durations
from infra.lab.builds import GoProgram
from infra.lab.component import Artifact, Component
from infra.lab.lanes import Lanes
from infra.lab.node import Node
from infra.lab.report import Event, Report, Step, making
from infra.lab.supervise import Supervisor

__all__ = ["Bringup"]

_NODE = "node"


@dataclass(slots=True)
class Bringup:
    """One run of `up`; use it once."""

    node: Node
    report: Report
    _all_known: threading.Event = field(default_factory=threading.Event)
    _cancelled: threading.Event = field(default_factory=threading.Event)
    _made: dict[Artifact, Future[None]] = field(default_factory=dict)
    _settled: dict[str, Future[None]] = field(default_factory=dict)

    def run(
        self, rootfs: Artifact, components: Sequence[Component], tools: Sequence[Artifact]
    ) -> None:
        """Return when everything is there; raise the first failure and start nothing more."""
        needs = [artifact for component in components for artifact in component.needs]
        artifacts = list(dict.fromkeys([rootfs, *needs, *tools]))
        self._announce(artifacts, components)
        supervisor = Supervisor(self.node, self.report, self._cancelled.is_set)
        lanes = Lanes(artifacts, supervisor.provide, lambda one: isinstance(one, GoProgram))
        self._made = lanes.futures
        starters = ThreadPoolExecutor(len(components) + 1, "lab-start")
        try:
            lanes.start()
            self._settled[_NODE] = starters.submit(self._settle_node, rootfs)
            for component in components:
                future = starters.submit(self._settle, supervisor, component)
                self._settled[component.name] = future
            self._all_known.set()
            self._collect()
        finally:
            self._cancelled.set()
            self._all_known.set()
            lanes.cancel()
            starters.shutdown(wait=False, cancel_futures=True)

    def _announce(self, artifacts: Sequence[Artifact], components: Sequence[Component]) -> None:
        cache = self.node.layout.cache
        for artifact in artifacts:
            if not artifact.path(cache).exists():
                seconds = durations.expected(cache, making(artifact.name), artifact.seconds)
                self.report(Event(making(artifact.name), Step.WAITING, seconds))
        for component in components:
            seconds = durations.expected(cache, component.name, 2.0)
            self.report(Event(component.name, Step.WAITING, seconds))

    def _collect(self) -> None:
        made = {making(one.name): future for one, future in self._made.items()}
        everything = {**made, **self._settled}
        done, _ = wait(everything.values(), return_when=FIRST_EXCEPTION)
        for name, future in everything.items():
            if future in done and future.exception() is not None:
                self.report(Event(name, Step.FAILED, detail=str(future.exception())))
                future.result()

    def _settle_node(self, rootfs: Artifact) -> None:
        self._made[rootfs].result()
        self.node.ensure()

    def _settle(self, supervisor: Supervisor, component: Component) -> None:
        self._all_known.wait()
        self._settled[_NODE].result()
        for artifact in component.needs:
            self._made[artifact].result()
        for name in component.after:
            self._settled[name].result()
        supervisor.settle(component)
