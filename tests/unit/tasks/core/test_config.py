import json
import stat
from datetime import date
from pathlib import Path

import pytest
import yaml

from tasks.core.config import check, examine, load, schema
from tasks.core.config.dockerfile import parse_dockerfile
from tasks.core.config.shape import ADAPTER
from tasks.core.errors import ConfigError

YAML = """\
application: shop
registry: ghcr.io/someone
components:
  api:
    context: api
    lint: {target: lint}
    test: {target: test, report: junit.xml}
    image: {max_size: 150MB}
    port: 8080
environments:
  dev:
    overlay: deploy/dev
    namespace: shop-dev
  prod:
    overlay: deploy/prod
    namespace: shop-prod
    url: https://shop.example.com
    strategy: {canary: {steps: [5, 50, 100], bake: 15m}}
    probes:
      - {path: /health, component: api}
      - {path: /}
    approval: {approvers: [ana, rui], count: 2}
    freezes: [{from: "Fri 16:00", to: "Mon 08:00", tz: Europe/Lisbon}]
    secrets: [{name: database, keys: [password]}]
scan:
  waivers:
    - {id: CVE-2026-1, reason: not reachable from outside, expires: 2999-12-31}
slos:
  availability: {objective: 99.5, errors: 'sum(rate(errors[$window]))', total: 'sum(rate(all[5m]))'}
  latency: {objective: 95, threshold: 1s, histogram: http_request_duration_seconds}
nightly: {cron: "0 3 * * *", tz: Europe/Lisbon}
triggers:
  - {event: push, branches: [main], paths: [api/**], until: prod}
"""
DOCKERFILE = """\
FROM node AS build
FROM build AS lint
FROM build AS test
FROM node AS runtime
"""
WORKLOAD = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: api}
spec: {template: {spec: {containers: [{name: api, image: "shop-api:1"}]}}}
"""

NOW = date(2026, 6, 1)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository without a fault."""
    (tmp_path / "api").mkdir()
    (tmp_path / "api" / "Dockerfile").write_text(DOCKERFILE)
    for name in ("dev", "prod"):
        overlay = tmp_path / "deploy" / name
        overlay.mkdir(parents=True)
        (overlay / "kustomization.yaml").write_text("resources: [api.yaml]\n")
        (overlay / "api.yaml").write_text(WORKLOAD)
    (tmp_path / "slipway.yaml").write_text(YAML)
    return tmp_path


def change(repository: Path, old: str, new: str) -> None:
    text = (repository / "slipway.yaml").read_text()
    assert text.count(old) == 1, old
    (repository / "slipway.yaml").write_text(text.replace(old, new))


def problems(repository: Path, kubectl: str | None = None) -> list[str]:
    found = examine(repository, kubectl=kubectl, today=NOW).problems
    return [f"{one.line}: {one.key}: {one.message}" for one in found]


def test_a_file_without_a_fault_becomes_a_frozen_application(repository: Path) -> None:
    application = load(repository / "slipway.yaml")
    assert application.image_name("api") == "shop-api"
    assert list(application.environments) == ["dev", "prod"]
    assert check(repository) == ()


def test_a_valid_application_survives_a_round_trip(repository: Path) -> None:
    application = load(repository)
    text = ADAPTER.dump_json(application)
    assert ADAPTER.validate_json(text) == application


FAULTS = {
    "an unknown key, with the one that was meant": (
        ("registry:", "registy:"),
        "2: registy: is not known here",
    ),
    "an unknown key deep inside": (
        ("max_size: 150MB", "max_sise: 150MB"),
        "8: components.api.image.max_sise: is not known here",
    ),
    "a number between quotation marks": (
        ("port: 8080", 'port: "8080"'),
        '9: components.api.port: must be a whole number, got "8080"',
    ),
    "a duration without a unit": (
        ("bake: 15m", "bake: 15"),
        (
            "18: environments.prod.strategy.canary.bake:"
            " must be a duration such as 30s, 15m, 24h or 1d12h, got 15"
        ),
    ),
    "a bake of no time": (
        ("bake: 15m", "bake: 0s"),
        "18: environments.prod.strategy.canary.bake: must be at least 1s, got 0s",
    ),
    "a duration beyond all times": (
        ("bake: 15m", "bake: 99999999999999d"),
        (
            "18: environments.prod.strategy.canary.bake:"
            " must be a duration of less than a million years, got '99999999999999d'"
        ),
    ),
    "a missing key, at its parent's line": (
        ("    namespace: shop-dev\n", ""),
        "11: environments.dev.namespace: is missing",
    ),
    "a name that Kubernetes refuses": (
        ("application: shop", "application: The_Shop"),
        (
            "1: application: must be a name of at most 40 lower-case letters, digits and dashes"
            ' that begins and ends with a letter or a digit, got "The_Shop"'
        ),
    ),
    "a component's context that is not there": (
        ("context: api", "context: backend"),
        "5: components.api.context: folder 'backend' does not exist",
    ),
    "a context outside the repository": (
        ("context: api", "context: ../api"),
        "5: components.api.context: '../api' leads out of the repository",
    ),
    "a Dockerfile that is not there": (
        ("context: api", "context: api\n    dockerfile: Containerfile"),
        "6: components.api.dockerfile: api/Containerfile does not exist",
    ),
    "a target that the Dockerfile does not have": (
        ("{target: lint}", "{target: eslint}"),
        (
            "6: components.api.lint.target: api/Dockerfile has no target 'eslint',"
            " only build, lint, test, runtime"
        ),
    ),
    "an overlay that is not there": (
        ("overlay: deploy/prod", "overlay: deploy/live"),
        "15: environments.prod.overlay: folder 'deploy/live' does not exist",
    ),
    "a folder without a kustomization": (
        ("overlay: deploy/prod", "overlay: deploy"),
        "15: environments.prod.overlay: deploy holds no kustomization.yaml",
    ),
    "an image that no manifest names": (
        ("image: {max_size: 150MB}", "image: {name: shop-backend}"),
        (
            "8: components.api.image.name: the image shop-backend is in no manifest of dev or prod,"
            " only shop-api"
        ),
    ),
    "an image budget that no image fits": (
        ("max_size: 150MB", "max_size: 150"),
        "8: components.api.image.max_size: must be between 1 MB and 50 GB, got 150 B",
    ),
    "an absurd image budget": (
        ("max_size: 150MB", "max_size: 15TB"),
        "8: components.api.image.max_size: must be between 1 MB and 50 GB, got 15000.0 GB",
    ),
    "two environments in one namespace": (
        ("namespace: shop-prod", "namespace: shop-dev"),
        (
            "16: environments.prod.namespace: shop-dev is the namespace of dev too,"
            " in the same context"
        ),
    ),
    "the namespace in which approvers are kept": (
        ("namespace: shop-prod", "namespace: slipway"),
        "16: environments.prod.namespace: slipway is for Slipway's or Kubernetes' own things",
    ),
    "a namespace of Kubernetes": (
        ("namespace: shop-prod", "namespace: kube-system"),
        "16: environments.prod.namespace: kube-system is for Slipway's or Kubernetes' own things",
    ),
    "an address without a host": (
        ("url: https://shop.example.com", "url: shop.example.com"),
        (
            "17: environments.prod.url: must be an address with http or https and a host,"
            " got 'shop.example.com'"
        ),
    ),
    "an address with a password": (
        ("url: https://shop.example.com", "url: https://ann:pass@shop.example.com"),
        ("17: environments.prod.url: must hold no user name and no password: addresses are logged"),
    ),
    "canary steps that fall": (
        ("[5, 50, 100]", "[50, 5, 100]"),
        "18: environments.prod.strategy.canary.steps: must rise from step to step, got 50, 5, 100",
    ),
    "canary steps that end early": (
        ("[5, 50, 100]", "[5, 50]"),
        "18: environments.prod.strategy.canary.steps: must end at 100, got 5, 50",
    ),
    "a gate that nobody may open": (
        (
            "overlay: deploy/dev",
            "overlay: deploy/dev\n    strategy: {canary: {steps: [{share: 5, gate: true}, 100]}}",
        ),
        (
            "13: environments.dev.strategy.canary.steps: has a gate, and nobody is named who could"
            " open it"
        ),
    ),
    "a component that waits for one that is not there": (
        ("port: 8080", "port: 8080\n    depends_on: [db]"),
        "10: components.api.depends_on: db is no component of this application",
    ),
    "a component that waits for itself": (
        ("port: 8080", "port: 8080\n    depends_on: [api]"),
        "10: components.api.depends_on: api depends on itself, by way of api",
    ),
    "a hook whose Job is in no manifest": (
        ("slos:", "hooks: {before: [{job: migrate}]}\nslos:"),
        "28: hooks.before[0].job: migrate is no Job in the manifests of dev or prod",
    ),
    "two strategies": (
        ("strategy: {canary", "strategy: {rolling: {}, canary"),
        "18: environments.prod.strategy: must name exactly one strategy, names rolling, canary",
    ),
    "a strategy that is only begun": (
        ("{canary: {steps: [5, 50, 100], bake: 15m}}", "{rolling: }"),
        "18: environments.prod.strategy.rolling: is empty",
    ),
    "a probe of an unknown component": (
        ("component: api}", "component: web}"),
        "20: environments.prod.probes[0].component: web is no component of this application",
    ),
    "a probe of a component without a port": (
        ("    port: 8080\n", ""),
        "19: environments.prod.probes[0].component: api has no port, so its pods cannot be asked",
    ),
    "a public probe without an address": (
        ("    url: https://shop.example.com\n", ""),
        "20: environments.prod.probes[1]: goes to the public route, and the environment has no url",
    ),
    "a probe that asks two things": (
        ("{path: /health, component: api}", "{path: /health, tcp: {}, component: api}"),
        "20: environments.prod.probes[0]: must ask one thing, asks path and tcp",
    ),
    "a probe that asks nothing": (
        ("{path: /health, component: api}", "{component: api}"),
        "20: environments.prod.probes[0]: must ask one thing, asks nothing",
    ),
    "a JSON path that is none": (
        ("{path: /}", "{path: /, json: {status: ok}}"),
        (
            "21: environments.prod.probes[1].json.status: is no JSON path: expected 'TOKEN_ROOT',"
            " found 'TOKEN_NAME'"
        ),
    ),
    "a command of nobody": (
        ("{path: /}", "{command: [check]}"),
        "21: environments.prod.probes[1]: asks command of no component",
    ),
    "a command of no words": (
        ("{path: /}", "{command: [], component: api}"),
        "21: environments.prod.probes[1].command: must hold a program and its arguments",
    ),
    "a connection through the route": (
        ("{path: /}", "{tcp: {}, component: api, via: route}"),
        (
            "21: environments.prod.probes[1].via: the public address accepts connections whoever"
            " is behind it"
        ),
    ),
    "a command in a Service": (
        ("{path: /}", "{command: [check], component: api, via: service}"),
        "21: environments.prod.probes[1].via: a command runs in each pod, service runs none",
    ),
    "a scheme of a connection": (
        ("{path: /}", "{tcp: {}, component: api, scheme: https}"),
        "21: environments.prod.probes[1].scheme: has nothing to encrypt",
    ),
    "a Service of nobody": (
        ("{path: /}", "{path: /, via: service}"),
        "21: environments.prod.probes[1]: asks path of no component",
    ),
    "a Job without an image": (
        ("{path: /}", "{job: {command: [check]}}"),
        "21: environments.prod.probes[1].job: has no image",
    ),
    "an HTTP status of a connection": (
        ("{path: /}", "{tcp: {}, component: api, expect: 404}"),
        "21: environments.prod.probes[1].expect: means something for a probe with a `path` only",
    ),
    "a text of a health check": (
        ("{path: /}", "{grpc: {}, component: api, contains: ok}"),
        "21: environments.prod.probes[1].contains: has nothing to look into",
    ),
    "more approvals than approvers": (
        ("count: 2", "count: 3"),
        "22: environments.prod.approval.count: must be at most the number of approvers, 2, got 3",
    ),
    "an approver named twice": (
        ("[ana, rui], count: 2", "[ana, ana]"),
        "22: environments.prod.approval.approvers: names ana twice",
    ),
    "freezes that leave no time": (
        ('to: "Mon 08:00"', 'to: "Fri 15:00"}, {from: "Fri 15:00", to: "Fri 16:00"'),
        (
            "23: environments.prod.freezes: cover the whole week, so that nothing could ever be"
            " rolled out"
        ),
    ),
    "a freeze at a time that does not exist": (
        ('"Fri 16:00"', '"Fri 24:30"'),
        "23: environments.prod.freezes[0].from: 24:30 is no time of day",
    ),
    "a freeze on a day that does not exist": (
        ('"Fri 16:00"', '"Friday 16:00"'),
        (
            "23: environments.prod.freezes[0].from: must be a weekday and a time such as"
            ' `Fri 16:00`, or a day such as `2026-12-24`, got "Friday 16:00"'
        ),
    ),
    "an unknown time zone": (
        ('to: "Mon 08:00", tz: Europe/Lisbon', 'to: "Mon 08:00", tz: Lisbon'),
        "23: environments.prod.freezes[0].tz: 'Lisbon' is no time zone",
    ),
    "a secret's key named twice": (
        ("keys: [password]", "keys: [password, password]"),
        "24: environments.prod.secrets[0].keys: names password twice",
    ),
    "a waiver that has expired": (
        ("expires: 2999-12-31", "expires: 2026-05-31"),
        "27: scan.waivers[0].expires: the waiver for CVE-2026-1 expired on 2026-05-31",
    ),
    "a waiver until a day that does not exist": (
        ("expires: 2999-12-31", "expires: 2026-02-31"),
        '27: scan.waivers[0].expires: must be a date such as 2026-12-31, got "2026-02-31"',
    ),
    "an objective without an error budget": (
        ("objective: 99.5", "objective: 100"),
        "29: slos.availability.objective: must be less than 100, got 100",
    ),
    "a query with a bracket too few": (
        ("errors[$window]))", "errors[$window])"),
        "29: slos.availability.errors: is no valid PromQL: unclosed left parenthesis",
    ),
    "a query that gives no number": (
        ("sum(rate(errors[$window]))", "errors[5m]"),
        (
            "29: slos.availability.errors: is no valid PromQL: a string or a range of samples,"
            " where a number for each series is needed"
        ),
    ),
    "a threshold of nothing": (
        ("threshold: 1s", "threshold: 0s"),
        "30: slos.latency.threshold: must be longer than 0s, got 0s",
    ),
    "a histogram with labels": (
        ("histogram: http_request_duration_seconds", "histogram: 'requests{a=\"b\"}'"),
        (
            "30: slos.latency.histogram: must be the name of a metric without labels,"
            " got 'requests{a=\"b\"}'"
        ),
    ),
    "a histogram's own series": (
        ("http_request_duration_seconds", "http_request_duration_seconds_bucket"),
        (
            "30: slos.latency.histogram: must be the histogram itself, not one of its series,"
            " got 'http_request_duration_seconds_bucket'"
        ),
    ),
    "a selector that selects nothing": (
        ("threshold: 1s", "selector: 'route=', threshold: 1s"),
        ("30: slos.latency.selector: holds no matchers of labels: invalid promql query"),
    ),
    "an indicator that is half a ratio, half a number": (
        ("slos:", "slos:\n  custom: {orders: {query: up, objective: 99}}"),
        (
            "29: slos.custom.orders: must have either objective, errors and total, or query and"
            " limit"
        ),
    ),
    "an indicator of a name that is taken": (
        ("slos:", "slos:\n  custom: {latency: {query: up, limit: 1}}"),
        "29: slos.custom.latency: latency is the name of an indicator that Slipway knows",
    ),
    "a number whose query is none": (
        ("slos:", "slos:\n  saturation: {query: max(, limit: 1}"),
        "29: slos.saturation.query: is no valid PromQL: unclosed left parenthesis",
    ),
    "more false alarms than anybody would bear": (
        ("slos:", "slos:\n  judging: {false_alarms: 11}"),
        "29: slos.judging.false_alarms: must be at most 10, got 11",
    ),
    "a schedule with a field too few": (
        ('"0 3 * * *"', '"3 * * *"'),
        "31: nightly.cron: must have five fields, got '3 * * *'",
    ),
    "a schedule that never comes": (
        ('"0 3 * * *"', '"0 3 31 2 *"'),
        "31: nightly.cron: is a day that never comes, got '0 3 31 2 *'",
    ),
    "a night in a zone that does not exist": (
        ("Europe/Lisbon}\ntriggers", "Europe/Porto}\ntriggers"),
        "31: nightly.tz: 'Europe/Porto' is no time zone",
    ),
    "a night for an environment that does not exist": (
        ("tz: Europe/Lisbon}\ntriggers", "environments: [dev, moon]}\ntriggers"),
        "31: nightly.environments[1]: moon is no environment of this application",
    ),
    "a night without a time of day that could be moved": (
        ('"0 3 * * *", tz: Europe/Lisbon', '"*/5 3 * * *", jitter: 15m'),
        "31: nightly.jitter: can only move one time of day, got '*/5 3 * * *'",
    ),
    "a night that could be any time": (
        ("tz: Europe/Lisbon}\ntriggers", "jitter: 24h}\ntriggers"),
        "31: nightly.jitter: must be between 1m and 12h, got 24h",
    ),
    "a stage to refresh that has no name": (
        ("tz: Europe/Lisbon}\ntriggers", "refresh: [--no-cache]}\ntriggers"),
        "31: nightly.refresh[0]: '--no-cache' is no name of a stage",
    ),
    "a trigger to nowhere": (
        ("until: prod}", "until: moon}"),
        "33: triggers[0].until: moon is no environment of this application",
    ),
    "a pattern that an event knows nothing of": (
        ("event: push, branches: [main]", "event: release"),
        "33: triggers[0].paths: says nothing about a release",
    ),
    "an end that a pull request does not go to": (
        (
            "event: push, branches: [main], paths: [api/**], until: prod",
            "event: pull_request, until: prod",
        ),
        "33: triggers[0].until: says nothing about a pull_request",
    ),
    "previews that nothing starts": (
        ("triggers:", "previews: {overlay: deploy/dev, namespace: 'shop-pr-{number}'}\ntriggers:"),
        "32: previews: are started by no trigger",
    ),
    "a trigger for an event that is none": (
        ("event: push", "event: fork"),
        (
            "33: triggers[0].event: must be 'push', 'pull_request', 'release', 'workflow_run' or"
            " 'deployment', got \"fork\""
        ),
    ),
    "a key that stands twice": (
        ("count: 2}", "count: 2}\n    url: https://other.example.com"),
        "23: environments.prod.url: stands here twice",
    ),
    "YAML that is none": (
        ("components:", "components: ["),
        "5: : is no valid YAML: expected ',' or ']', but got ':'",
    ),
    "no YAML at all": ((YAML, ""), "1: : is empty"),
    "a list instead of a mapping": ((YAML, "- a"), "1: : must be a mapping"),
}


@pytest.mark.parametrize(("edit", "expected"), FAULTS.values(), ids=FAULTS.keys())
def test_a_fault_is_named_with_line_key_and_reason(
    repository: Path, edit: tuple[str, str], expected: str
) -> None:
    change(repository, *edit)
    assert problems(repository) == [expected]


def test_every_problem_is_told_in_one_run(repository: Path) -> None:
    for old, new in (
        ("registry:", "registy:"),
        ("port: 8080", 'port: "8080"'),
        ("{target: lint}", "{target: eslint}"),
        ("    namespace: shop-dev\n", ""),
        ("overlay: deploy/dev", "overlay: deploy/nowhere"),
        ("[5, 50, 100]", "[5]"),
        ("objective: 99.5", "objective: 100"),
        ("errors[$window]))", "errors[$window])"),
        ('"0 3 * * *"', "daily"),
        ("count: 2}", "count: 2, count: 1}"),
    ):
        change(repository, old, new)
    keys = [one.key for one in check(repository)]
    assert keys == [
        "registy",
        "components.api.lint.target",
        "components.api.port",
        "environments.dev.namespace",
        "environments.dev.overlay",
        "environments.prod.strategy.canary.steps",
        "environments.prod.approval.count",
        "slos.availability.errors",
        "slos.availability.objective",
        "nightly.cron",
    ]


def test_a_problem_reads_as_place_key_fault_and_remedy(repository: Path) -> None:
    change(repository, "registry:", "registy:")
    assert [str(one) for one in check(repository)] == [
        "slipway.yaml:2: registy: is not known here. Next: did you mean registry?"
    ]


def test_what_is_known_instead_of_a_key_is_said_at_every_depth(repository: Path) -> None:
    change(repository, "    port: ", "    prot: ")
    assert any("Next: did you mean port?" in str(one) for one in check(repository))


def test_load_raises_one_problem_as_an_error_with_place_and_remedy(repository: Path) -> None:
    change(repository, "bake: 15m", "bake: 0s")
    with pytest.raises(ConfigError) as raised:
        load(repository)
    assert str(raised.value) == (
        "slipway.yaml:18: environments.prod.strategy.canary.bake: must be at least 1s, got 0s."
        " Next: write a longer duration, such as 30s, 15m or 24h"
    )


def test_load_raises_all_problems_at_once(repository: Path) -> None:
    change(repository, "bake: 15m", "bake: 0s")
    change(repository, "registry:", "registy:")
    with pytest.raises(ConfigError, match="2 problems") as raised:
        load(repository)
    assert "slipway.yaml:2: registy" in str(raised.value)
    assert "slipway.yaml:18: environments.prod.strategy.canary.bake" in str(raised.value)


def test_load_leaves_expired_waivers_to_the_scan(repository: Path) -> None:
    change(repository, "expires: 2999-12-31", "expires: 2024-12-31")
    assert load(repository).scan.waivers[0].expires == date(2024, 12, 31)
    assert len(check(repository)) == 1


def test_a_missing_file_is_a_problem_in_its_first_line(tmp_path: Path) -> None:
    assert [str(one) for one in check(tmp_path)] == [
        "slipway.yaml:1: does not exist. Next: slipway init PATH writes a first one"
    ]


def test_an_image_that_only_kustomize_could_find_is_not_missed(repository: Path) -> None:
    for name in ("dev", "prod"):
        file = repository / "deploy" / name / "kustomization.yaml"
        file.write_text("resources: [https://example.com/remote]\n")
    assert problems(repository) == []


def test_an_image_that_the_kustomization_renames_is_found_under_its_new_name(
    repository: Path,
) -> None:
    file = repository / "deploy" / "dev" / "kustomization.yaml"
    file.write_text("resources: [api.yaml]\nimages: [{name: shop-api, newName: web}]\n")
    change(repository, "image: {max_size: 150MB}", "image: {name: web}")
    assert problems(repository) == []


def kubectl(folder: Path, script: str) -> str:
    """A program that stands in for kubectl at the boundary of processes."""
    file = folder / "kubectl"
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(file.stat().st_mode | stat.S_IXUSR)
    return str(file)


def test_an_overlay_that_does_not_render_is_a_problem_with_kustomizes_words(
    repository: Path,
) -> None:
    program = kubectl(repository, "echo 'error: no matches for patch' >&2; exit 1")
    assert problems(repository, program) == [
        f"{line}: environments.{name}.overlay: cannot be rendered:"
        " ended with status 1 error: no matches for patch"
        for line, name in ((12, "dev"), (15, "prod"))
    ]


def test_a_workload_in_another_namespace_than_the_environments_is_a_problem(
    repository: Path,
) -> None:
    rendered = WORKLOAD.replace("{name: api}", "{name: api, namespace: shop-dev}")
    program = kubectl(repository, f"cat <<'EOF'\n{rendered}EOF")
    assert problems(repository, program) == [
        (
            "16: environments.prod.namespace: is shop-prod, and the overlay puts Deployment/api"
            " into shop-dev"
        )
    ]


def test_the_lines_of_a_here_document_are_no_stages() -> None:
    parsed = parse_dockerfile(
        "# FROM a AS commented\n"
        "FROM --platform=$BUILDPLATFORM node:22 AS Build\n"
        "RUN <<EOF\nFROM x AS hidden\nEOF\n"
        "RUN echo \\\n  FROM y AS continued\n"
        "from build as runtime\nEXPOSE 8080/tcp 9090\nEXPOSE $PORT\n"
    )
    assert (parsed.stages, parsed.targets, parsed.ports) == (2, ("build", "runtime"), (8080, 9090))
    assert parsed.builds("BUILD")
    assert parsed.builds("1")
    assert not parsed.builds("2")


def test_aliases_and_merged_mappings_count_as_if_written_out(repository: Path) -> None:
    change(
        repository,
        "  dev:\n    overlay: deploy/dev\n    namespace: shop-dev\n",
        "  dev: &dev\n    overlay: deploy/dev\n    namespace: shop-dev\n"
        "  test:\n    <<: *dev\n    namespace: shop-test\n",
    )
    environments = load(repository).environments
    assert environments["test"].overlay == "deploy/dev"
    assert environments["test"].namespace == "shop-test"


BOMBS = {
    "an alias of itself": ("a: &a [*a]", "a[0]: contains itself"),
    "aliases of aliases": (
        "a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
        + "\n".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 9)),
        "holds more than 50,000 values",
    ),
    "a thousand lists": ("[" * 1000, "is nested too deeply"),
    "a tag": ("a: !!python/object:os.system x", "a: has the tag tag:yaml.org,2002:python"),
    "a control character": ("a: \0", "holds a character that YAML does not allow"),
}


@pytest.mark.parametrize(("text", "expected"), BOMBS.values(), ids=BOMBS.keys())
def test_hostile_yaml_is_a_problem_like_any_other(tmp_path: Path, text: str, expected: str) -> None:
    (tmp_path / "slipway.yaml").write_text(text)
    assert any(expected in str(one) for one in check(tmp_path))


def test_what_a_file_says_cannot_reach_through_to_the_terminal(tmp_path: Path) -> None:
    (tmp_path / "slipway.yaml").write_text('{"[key]": 0, "a\\n\\u001b[31m": 1, "b\\ud800": 2}')
    assert all(str(one).isprintable() for one in check(tmp_path))


def test_only_true_and_false_are_booleans_and_times_stay_text(repository: Path) -> None:
    change(repository, "count: 2", "comment: no")
    assert problems(repository) == [
        '22: environments.prod.approval.comment: must be true or false, got "no"'
    ]


def test_the_schema_describes_every_class_and_says_the_files_own_words() -> None:
    whole = schema()
    assert whole["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert all(part["description"] for part in whole["$defs"].values())
    smoke = whole["$defs"]["Smoke"]["properties"]
    assert smoke["within"] == {
        "default": "30s",
        "description": "time to become healthy.",
        "examples": ["30s", "15m", "24h"],
        "type": "string",
    }
    assert set(whole["$defs"]["Freeze"]["properties"]) == {"from", "to", "tz", "reason"}


def test_the_schema_knows_every_key_of_the_example() -> None:
    assert set(yaml.safe_load(YAML)) <= set(schema()["properties"])
    json.dumps(schema())


GOOD = "{overlay: deploy/dev, namespace: 'shop-pr-{number}', url: 'https://{number}.example.com'}"


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        pytest.param(("shop-pr", "shop-pull"), [], id="as they should be"),
        pytest.param(
            ("shop-pr-{number}", "shop-pr"),
            ["namespace: must be a name with {number} in it, behind letters or digits"],
            id="one namespace for all",
        ),
        pytest.param(
            ("shop-pr-{number}", "{number}"),
            ["namespace: must be a name with {number} in it, behind letters or digits"],
            id="a namespace that could be anybody's",
        ),
        pytest.param(
            ("shop-pr-{number}", "shop-{number}-{number}"),
            ["namespace: must be a name with {number} in it, behind letters or digits"],
            id="a number twice",
        ),
        pytest.param(
            ("deploy/dev", "deploy/none"),
            ["overlay: folder 'deploy/none' does not exist"],
            id="no overlay",
        ),
        pytest.param(
            ("{number}.example", "www.example"), ["url: must hold {number}"], id="one address"
        ),
        pytest.param(
            ("com'}", "com', from_forks: always}"),
            ["from_forks: must be 'never', got \"always\""],
            id="forks",
        ),
    ],
)
def test_previews_are_validated(
    repository: Path, edit: tuple[str, str], expected: list[str]
) -> None:
    described = GOOD.replace(*edit)
    text = f"  - {{event: pull_request}}\npreviews: {described}\n"
    (repository / "slipway.yaml").write_text(YAML + text)
    assert problems(repository) == [f"35: previews.{each}" for each in expected]


def test_a_preview_takes_no_environments_namespace(repository: Path) -> None:
    text = YAML.replace("shop-prod", "shop-pr-1")
    text += f"  - {{event: pull_request}}\npreviews: {GOOD}\n"
    (repository / "slipway.yaml").write_text(text)
    assert problems(repository) == [
        "35: previews.namespace: shop-pr-1 of prod could be that of a pull request"
    ]
