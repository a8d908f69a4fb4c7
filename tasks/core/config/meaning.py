"""What the model's types cannot say: whether the values make sense together."""

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from datetime import timedelta

from tasks.core.application import Application, Environment
from tasks.core.cluster import OWN_NAMESPACE
from tasks.core.config.addresses import wrong_with
from tasks.core.config.gates import gate_findings
from tasks.core.config.known import Known
from tasks.core.config.monitoring import monitoring_findings
from tasks.core.config.previews import preview_findings
from tasks.core.config.probes import probe_findings
from tasks.core.config.problem import Finding, Path
from tasks.core.config.queries import slo_findings
from tasks.core.config.strategies import order_findings, strategy_findings
from tasks.core.config.times import nightly_findings
from tasks.core.config.triggers import trigger_findings
from tasks.core.units import format_duration, format_size

__all__ = ["meaning_findings"]

MIN_BAKE = timedelta(seconds=1)
MIN_PERIOD = timedelta(days=1)
MIN_SIZE, MAX_SIZE = 10**6, 50 * 10**9
MIN_MEMORY, MAX_MEMORY = 6 * 2**20, 2**40


def meaning_findings(application: Application, known: Known) -> Iterator[Finding]:
    """Every value that is of the right type and still cannot work."""
    yield from _durations(application, ())
    yield from _components(application)
    for name, environment in application.environments.items():
        yield from _environment(environment, ("environments", name), known)
    yield from gate_findings(application)
    yield from order_findings(application, known)
    yield from _namespaces(application)
    yield from _waivers(application, known)
    yield from slo_findings(application.slos)
    yield from monitoring_findings(application)
    yield from nightly_findings(application)
    yield from trigger_findings(application)
    yield from preview_findings(application)


def _durations(value: object, path: Path) -> Iterator[Finding]:
    """No time in the file may be nothing."""
    minimum = {"bake": MIN_BAKE, "period": MIN_PERIOD}.get(str(path[-1]) if path else "")
    if isinstance(value, timedelta):
        if value < (minimum or timedelta(milliseconds=1)):
            least = f"must be {_at_least(minimum)}"
            remedy = "write a longer duration, such as 30s, 15m or 24h"
            yield Finding(path, f"{least}, got {format_duration(value)}", remedy)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _durations(item, (*path, key))
    elif isinstance(value, tuple):
        for index, item in enumerate(value):
            yield from _durations(item, (*path, index))
    elif is_dataclass(value):
        for part in fields(value):
            yield from _durations(getattr(value, part.name), (*path, part.name))


def _at_least(minimum: timedelta | None) -> str:
    return f"at least {format_duration(minimum)}" if minimum else "longer than 0s"


def _components(application: Application) -> Iterator[Finding]:
    images: dict[str, str] = {}
    for name, component in application.components.items():
        path = ("components", name, "image")
        size = component.image.max_size
        if size is not None and not MIN_SIZE <= size <= MAX_SIZE:
            yield Finding(
                (*path, "max_size"),
                f"must be between 1 MB and 50 GB, got {format_size(size)}",
                "write the size of the unpacked image, such as 150MB",
            )
        memory = component.smoke.memory if component.smoke else None
        if memory is not None and not MIN_MEMORY <= memory <= MAX_MEMORY:
            yield Finding(
                ("components", name, "smoke", "memory"),
                f"must be between 6 MiB and 1 TiB, got {format_size(memory)}",
                "leave it out: the limit of the manifests counts then",
            )
        image = application.image_name(name)
        if image in images:
            yield Finding(
                (*path, "name"),
                f"{image} is the image of {images[image]} too",
                "give each component an image name of its own",
            )
        images.setdefault(image, name)


def _environment(environment: Environment, path: Path, known: Known) -> Iterator[Finding]:
    for key, address in (("url", environment.url), ("prometheus", environment.prometheus)):
        if address is not None and (wrong := wrong_with(address)):
            yield Finding(
                (*path, key),
                wrong,
                "write it as people type it, such as https://shop.example.com",
            )
    yield from strategy_findings(environment, path, known)
    yield from probe_findings(environment, (*path, "probes"), known)
    yield from _secrets(environment, (*path, "secrets"))


def _secrets(environment: Environment, path: Path) -> Iterator[Finding]:
    seen: set[str] = set()
    for index, secret in enumerate(environment.secrets):
        if secret.name in seen:
            yield Finding(
                (*path, index, "name"),
                f"{secret.name} stands in this list already",
                "put all its keys into one entry",
            )
        seen.add(secret.name)
        twice = sorted({key for key in secret.keys if secret.keys.count(key) > 1})
        if twice:
            what = f"names {', '.join(twice)} twice"
            yield Finding((*path, index, "keys"), what, "name every key once")


def _namespaces(application: Application) -> Iterator[Finding]:
    seen: dict[tuple[str | None, str], str] = {}
    for name, environment in application.environments.items():
        place = (environment.context, environment.namespace)
        if environment.namespace == OWN_NAMESPACE or environment.namespace.startswith("kube-"):
            yield Finding(
                ("environments", name, "namespace"),
                f"{environment.namespace} is for Slipway's or Kubernetes' own things",
                "give each environment a namespace of its own",
            )
        if place in seen:
            yield Finding(
                ("environments", name, "namespace"),
                f"{environment.namespace} is the namespace of {seen[place]} too, in the same"
                " context",
                "give each environment a namespace of its own",
            )
        seen.setdefault(place, name)


def _waivers(application: Application, known: Known) -> Iterator[Finding]:
    for index, waiver in enumerate(application.scan.waivers):
        path = ("scan", "waivers", index)
        if known.today is not None and waiver.expires < known.today:
            yield Finding(
                (*path, "expires"),
                f"the waiver for {waiver.id} expired on {waiver.expires}",
                "fix the finding and remove the waiver, or give it a new day and a reason",
            )
        if waiver.component is not None and waiver.component not in known.components:
            yield Finding(
                (*path, "component"),
                f"{waiver.component} is no component of this application",
                f"name one of {', '.join(sorted(known.components)) or 'the components'}",
            )
