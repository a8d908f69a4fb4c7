"""Whether probes can be sent to anybody."""

from collections.abc import Iterator

from tasks.core.application import Environment
from tasks.core.config.known import Known
from tasks.core.config.problem import Finding, Path
from tasks.core.probes import Probe
from tasks.core.units import format_duration

__all__ = ["probe_findings"]


def probe_findings(environment: Environment, path: Path, known: Known) -> Iterator[Finding]:
    """Probes of an environment that could never pass."""
    for index, probe in enumerate(environment.probes):
        yield from _probe(probe, environment, (*path, index), known)


def _probe(probe: Probe, environment: Environment, path: Path, known: Known) -> Iterator[Finding]:
    if not probe.path.startswith("/"):
        remedy = f"write /{probe.path}"
        yield Finding((*path, "path"), f"must begin with /, got {probe.path!r}", remedy)
    if probe.within > probe.deadline:
        yield Finding(
            (*path, "within"),
            f"must not be longer than the deadline of {format_duration(probe.deadline)},"
            f" got {format_duration(probe.within)}",
            "write how long one answer may take, and the time for all passes as `deadline`",
        )
    no_port = probe.component not in known.with_port
    if probe.component is not None and probe.component not in known.components:
        yield Finding(
            (*path, "component"),
            f"{probe.component} is no component of this application",
            f"name one of {', '.join(sorted(known.components)) or 'the components'}",
        )
    elif probe.component is not None and probe.via == "pods" and no_port:
        yield Finding(
            (*path, "component"),
            f"{probe.component} has no port, so its pods cannot be asked",
            f"add `port:` to components.{probe.component}, or `via: route` to the probe",
        )
    needs_route = probe.component is None or probe.via == "route"
    if needs_route and environment.url is None:
        yield Finding(
            path,
            "goes to the public route, and the environment has no url",
            "add `url:` to the environment, or `component:` to the probe",
        )
