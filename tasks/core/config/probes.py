"""Whether probes can be sent to anybody."""

from collections.abc import Iterator

import jsonpath

from tasks.core.application import Environment
from tasks.core.config.known import Known
from tasks.core.config.problem import Finding, Path
from tasks.core.probes import Probe
from tasks.core.units import format_duration

__all__ = ["probe_findings"]

_ASKS = ("path", "tcp", "grpc", "command", "job")
_HTTP_ONLY = ("port", "expect", "json")
_DEFAULT = Probe()


def probe_findings(environment: Environment, path: Path, known: Known) -> Iterator[Finding]:
    """Probes of an environment that could never pass."""
    for index, probe in enumerate(environment.probes):
        place = (*path, index)
        asks = [key for key in _ASKS if getattr(probe, key) is not None]
        if len(asks) != 1:
            what = f"must ask one thing, asks {' and '.join(asks) or 'nothing'}"
            yield Finding(place, what, f"keep one of {', '.join(_ASKS)}")
            continue
        yield from _question(probe, asks[0], place)
        yield from _answer(probe, place)
        yield from _subject(probe, asks[0], place, known)
        if _needs_route(probe, asks[0]) and environment.url is None:
            yield Finding(
                place,
                "goes to the public route, and the environment has no url",
                "add `url:` to the environment, or `component:` to the probe",
            )


def _question(probe: Probe, asks: str, path: Path) -> Iterator[Finding]:
    if probe.path is not None and not probe.path.startswith("/"):
        remedy = f"write /{probe.path}"
        yield Finding((*path, "path"), f"must begin with /, got {probe.path!r}", remedy)
    if probe.command == ():
        what = "must hold a program and its arguments"
        yield Finding((*path, "command"), what, "write it as a list, such as [/app/check, --quick]")
    for key in _HTTP_ONLY if asks != "path" else ():
        if getattr(probe, key) != getattr(_DEFAULT, key):
            remedy = f"remove it, or ask a `path` instead of `{asks}`"
            yield Finding((*path, key), "means something for a probe with a `path` only", remedy)
    if probe.scheme != _DEFAULT.scheme and asks not in {"path", "grpc"}:
        remedy = f"remove it; `{asks}` speaks neither HTTP nor gRPC"
        yield Finding((*path, "scheme"), "has nothing to encrypt", remedy)
    if probe.contains is not None and asks not in {"path", "command", "job"}:
        remedy = f"remove it; `{asks}` is answered without a text"
        yield Finding((*path, "contains"), "has nothing to look into", remedy)


def _answer(probe: Probe, path: Path) -> Iterator[Finding]:
    for query in probe.json:
        try:
            jsonpath.compile(query, strict=True)
        except jsonpath.JSONPathError as error:
            fault = str(error).splitlines()[0]
            remedy = "write a path as in RFC 9535, such as $.status or $.checks[*].up"
            yield Finding((*path, "json", query), f"is no JSON path: {fault}", remedy)
    if probe.within > probe.deadline:
        yield Finding(
            (*path, "within"),
            f"must not be longer than the deadline of {format_duration(probe.deadline)},"
            f" got {format_duration(probe.within)}",
            "write how long one answer may take, and the time for all passes as `deadline`",
        )


def _subject(probe: Probe, asks: str, path: Path, known: Known) -> Iterator[Finding]:
    if probe.component is None:
        yield from _nobody(probe, asks, path)
    elif probe.component not in known.components:
        yield Finding(
            (*path, "component"),
            f"{probe.component} is no component of this application",
            f"name one of {', '.join(sorted(known.components)) or 'the components'}",
        )
    elif asks in {"path", "tcp", "grpc"} and probe.via == "pods":
        asked = probe.tcp or probe.grpc or probe
        if asked.port is None and probe.component not in known.with_port:
            yield Finding(
                (*path, "component"),
                f"{probe.component} has no port, so its pods cannot be asked",
                f"add `port:` to components.{probe.component}, or `via: route` to the probe",
            )
    if asks == "command" and probe.via != "pods":
        what = f"a command runs in each pod, {probe.via} runs none"
        yield Finding((*path, "via"), what, "remove it, or ask a `path`")
    if asks == "tcp" and probe.via == "route":
        what = "the public address accepts connections whoever is behind it"
        yield Finding((*path, "via"), what, "ask a `path` or `grpc` there, or remove it")


def _nobody(probe: Probe, asks: str, path: Path) -> Iterator[Finding]:
    """Look at a probe that names no component."""
    if asks in {"tcp", "command"} or probe.via == "service":
        yield Finding(path, f"asks {asks} of no component", "add `component:` to the probe")
    elif probe.job is not None and probe.job.image is None:
        remedy = "add `image:` to the job, or `component:` to the probe"
        yield Finding((*path, "job"), "has no image", remedy)


def _needs_route(probe: Probe, asks: str) -> bool:
    return asks in {"path", "grpc"} and probe.way == "route" and probe.via != "service"
