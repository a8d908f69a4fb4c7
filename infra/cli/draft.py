"""The text of a first slipway.yaml, with comments that say what may be changed."""

import json
import re
from collections.abc import Iterator

from infra.cli.survey import FoundComponent, FoundEnvironment, Survey

__all__ = ["draft", "kustomization"]

LINT = ("lint", "linter", "eslint", "check")
TEST = ("test", "tests", "unit", "unittest")
SEVERITIES = {"critical": "block", "high": "block", "medium": "warn", "low": "ignore"}
RUNTIME = ("runtime", "production", "prod", "release", "final", "app", "server")


def draft(found: Survey) -> str:
    """Write the file for what a survey found."""
    return "\n".join((*_head(found), *_components(found), *_environments(found), *_rest(), ""))


def kustomization(environment: FoundEnvironment) -> str:
    """Write the kustomization of a folder that holds plain manifests."""
    lines = [f"namespace: {_text(environment.namespace)}"] if environment.namespace else []
    lines += ["resources:", *(f"  - {_text(name)}" for name in environment.loose), ""]
    return "\n".join(lines)


def _head(found: Survey) -> Iterator[str]:
    yield "# yaml-language-server: $schema=slipway.schema.json"
    yield "# (for the line above: slipway check --schema > slipway.schema.json)"
    yield "# What Slipway does with a commit of this repository. Written by `slipway init`;"
    yield "# change it as you like, and `slipway check` says what is wrong with it."
    yield f"application: {_text(found.application)}"
    yield "# registry: ghcr.io/your-name  # the target's own where absent"
    yield ""


def _components(found: Survey) -> Iterator[str]:
    yield "# One image each. Lint and test are targets of the component's own Dockerfile."
    yield "components:"
    for component in found.components:
        yield f"  {_text(component.name)}:"
        yield f"    context: {_text(component.context)}"
        if component.dockerfile != "Dockerfile":
            yield f"    dockerfile: {_text(component.dockerfile)}"
        yield from _targets(component)
        yield from _image(component, found)
        ports = component.parsed.ports
        if ports:
            yield f"    port: {ports[0]}"
        else:
            yield "    # port: 8080  # EXPOSE names none; probes of the pods need it"
        yield from _smoke(component)
    yield ""


def _targets(component: FoundComponent) -> Iterator[str]:
    for key, usual in (("lint", LINT), ("test", TEST)):
        target = _first(usual, component.parsed.targets)
        if target:
            yield f"    {key}: {{ target: {_text(target)} }}"
        else:
            yield f"    # {key}: {{ target: {key} }}  # no such target in the Dockerfile yet"


def _image(component: FoundComponent, found: Survey) -> Iterator[str]:
    target, remark = _runtime(component)
    name = _image_of(component, found)
    words = [f"target: {_text(target)}"]
    if name is not None and name != f"{found.application}-{component.name}":
        words.append(f"name: {_text(name)}")
    elif name is None:
        remark = f"no manifest names {found.application}-{component.name}: add name: as they do"
    yield f"    image: {{ {', '.join(words)} }}{f'  # {remark}' if remark else ''}"


def _runtime(component: FoundComponent) -> tuple[str, str]:
    """The target that users get: by its usual name, or the last stage."""
    parsed = component.parsed
    named = _first(RUNTIME, parsed.targets)
    if named:
        return named, ""
    if parsed.last:
        return parsed.last, ""
    return str(parsed.stages - 1), "the last stage has no name; better: FROM ... AS runtime"


def _smoke(component: FoundComponent) -> Iterator[str]:
    if component.parsed.healthcheck:
        yield "    # smoke: {}  # starts the image alone and waits for its HEALTHCHECK"
    else:
        yield "    # smoke: { path: /health }  # starts the image alone, without its neighbours"


def _image_of(component: FoundComponent, found: Survey) -> str | None:
    """The image that the manifests give a component: the only one, or one that ends like it."""
    images = sorted({image for one in found.environments for image in one.images})
    if len(images) == len(found.components) == 1:
        return images[0]
    wanted = (f"{found.application}-{component.name}", component.name)
    for name in wanted:
        for image in images:
            if image.rsplit("/", 1)[-1] == name:
                return image
    ends = [
        image for image in images if image.endswith((f"-{component.name}", f"_{component.name}"))
    ]
    return ends[0] if len(ends) == 1 else None


def _environments(found: Survey) -> Iterator[str]:
    yield "# In the order of promotion; each is a namespace and a kustomize overlay."
    yield "environments:"
    for environment in found.environments:
        yield f"  {_text(environment.name)}:"
        yield f"    overlay: {_text(environment.folder)}"
        default = f"{found.application}-{environment.name}"
        remark = "" if environment.namespace else "  # the manifests name none"
        yield f"    namespace: {_text(environment.namespace or default)}{remark}"
        if environment.url:
            yield f"    url: {_text(environment.url)}"
        else:
            yield "    # url: https://app.example.com  # no route with a host; for public probes"
        yield "    strategy: { rolling: { deadline: 10m } }"
        yield from _probes(environment, found)
        yield from _secrets(environment)
    yield "    # The last environment usually wants a person's word (slipway approver add NAME):"
    yield "    # approval: { approvers: [alice, bob], count: 1, not_author: true, expires: 24h }"
    yield '    # freezes: [{ from: "Fri 16:00", to: "Mon 08:00", tz: Europe/Lisbon }]'
    yield ""


def _probes(environment: FoundEnvironment, found: Survey) -> Iterator[str]:
    lines = []
    for component in found.components:
        path = environment.images.get(_image_of(component, found) or "")
        if path and component.parsed.ports:
            words = f"path: {_text(path)}, component: {_text(component.name)}"
            lines.append(f"      - {{ {words}, expect: 200, within: 1s }}")
    if lines:
        yield "    probes:"
        yield from lines
        if environment.url:
            yield "      # - { path: /, via: route }  # through the public route"
    else:
        yield "    # probes: [{ path: /health, component: NAME, expect: 200, within: 1s }]"


def _secrets(environment: FoundEnvironment) -> Iterator[str]:
    if environment.secrets:
        yield "    # In no manifest; uncomment what may be made once with random values:"
        yield "    # secrets:"
    for name, keys in environment.secrets.items():
        words = ", ".join(_text(key) for key in keys)
        yield f"    #   - {{ name: {_text(name)}, keys: [{words}] }}"


def _rest() -> Iterator[str]:
    yield "# What a finding does to a release: block, warn or ignore."
    yield "scan:"
    for severity, action in SEVERITIES.items():
        yield f"  {severity}: {action}"
    yield "  # no_database: warn  # where Trivy's database cannot be had, as in the lab"
    yield ""
    yield "# What users may expect, as PromQL; $namespace and $window are filled in."
    yield "# slos:"
    yield "#   availability:"
    yield "#     objective: 99.5"
    errors = 'sum(increase(http_requests_total{namespace="$namespace",status=~"5.."}[$window]))'
    yield f"#     errors: {errors}"
    yield '#     total: sum(increase(http_requests_total{namespace="$namespace"}[$window]))'
    yield "#   latency: { objective: 95, threshold: 1s, histogram: http_request_duration_seconds }"
    yield ""
    yield '# nightly: { cron: "0 3 * * *", tz: UTC }  # again, on fresh base images'


def _first(usual: tuple[str, ...], targets: tuple[str, ...]) -> str | None:
    return next((name for name in usual if name in targets), None)


def _text(value: str | None) -> str:
    """Write text so that YAML reads text: quoted where it could be anything else."""
    plain = value is not None and re.fullmatch(
        r"[A-Za-z./][A-Za-z0-9._/:-]*[A-Za-z0-9/]|\.|/", value
    )
    words = {"true", "false", "null", "yes", "no", "on", "off"}
    return value if plain and value and value.lower() not in words else json.dumps(value)
