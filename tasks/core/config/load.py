"""Reading slipway.yaml: every problem of every kind in one run, or the frozen application."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path as FilePath

from tasks.core.application import Application
from tasks.core.clock import utc_now
from tasks.core.config.document import Document, Value, parse
from tasks.core.config.gates import with_people
from tasks.core.config.known import Known
from tasks.core.config.manifests import manifest_findings
from tasks.core.config.meaning import meaning_findings
from tasks.core.config.problem import Finding, Problem, dotted
from tasks.core.config.shape import salvage, shape_findings
from tasks.core.config.tree import tree_findings
from tasks.core.errors import ConfigError

__all__ = ["FILE", "Examination", "check", "examine", "load"]

FILE = "slipway.yaml"


@dataclass(frozen=True, slots=True)
class Examination:
    """What a look at a slipway.yaml found.

    Attributes:
        application: None where there are problems.
        rendered_by: how the manifests were read, for people.
    """

    problems: tuple[Problem, ...]
    application: Application | None
    rendered_by: str


def load(path: FilePath) -> Application:
    """Read the application that a repository (or its slipway.yaml) describes.

    The manifests are read without kustomize and waivers are not held to the calendar: the stages
    that render and scan judge them, and an old waiver shall not stop what it does not cover.

    Raises:
        ConfigError: with every problem of the file.
    """
    examination = examine(path, kubectl=None, today=None)
    if examination.application is None:
        raise _error(examination.problems)
    return examination.application


def check(path: FilePath, kubectl: str | None = None) -> tuple[Problem, ...]:
    """Return every problem of a repository's slipway.yaml, in the order of its lines."""
    return examine(path, kubectl=kubectl, today=utc_now().date()).problems


def examine(path: FilePath, *, kubectl: str | None, today: date | None) -> Examination:
    """Look at a slipway.yaml from all sides.

    Args:
        path: the file or the folder that holds it.
        kubectl: program that renders overlays; None reads the YAML files instead.
        today: day that waivers are held to; None where their expiry does not matter.
    """
    file = path / FILE if path.is_dir() else path
    rendered_by = "kubectl kustomize" if kubectl else "reading the YAML files, without kustomize"
    text = _text(file)
    if isinstance(text, Problem):
        return Examination((text,), None, rendered_by)
    document = parse(text)
    shape = _shape(document)
    application = salvage(document.data)
    found = list(shape)
    if application is not None:
        known = _known(document.data, today)
        root = file.parent
        found += _beside(list(meaning_findings(application, known)), shape)
        found += _beside(list(tree_findings(application, root)), shape)
        manifests = manifest_findings(application, root, kubectl)
        found += _beside([one for one in manifests if _certain(one, shape)], shape)
    problems = _problems(document, found, file.name, len(text.splitlines()))
    sound = None if problems or application is None else with_people(application)
    return Examination(problems, sound, rendered_by)


def _text(file: FilePath) -> str | Problem:
    try:
        return file.read_text(encoding="utf-8")
    except FileNotFoundError:
        what, remedy = "does not exist", "slipway init PATH writes a first one"
    except UnicodeDecodeError:
        what, remedy = "is not UTF-8 text", "store it as UTF-8"
    except OSError as error:
        what, remedy = f"cannot be read: {error.strerror}", "correct its permissions"
    return Problem(file.name, 1, "", what, remedy)


def _shape(document: Document) -> list[Finding]:
    unread = document.data is None and document.findings
    return [] if unread else shape_findings(document.data)


def _known(data: Value, today: date | None) -> Known:
    components = data.get("components") if isinstance(data, dict) else None
    named = components if isinstance(components, dict) else {}
    with_port = (
        name for name, component in named.items() if isinstance(component, dict)
        and component.get("port") is not None
    )  # fmt: skip
    return Known(frozenset(named), frozenset(with_port), today)


def _certain(finding: Finding, shape: list[Finding]) -> bool:
    """Without the application's name the names of its images are not known either."""
    nameless = any(one.path == ("application",) for one in shape)
    return not (nameless and finding.path[-1] == "name")


def _beside(findings: list[Finding], shape: list[Finding]) -> list[Finding]:
    """Drop what is said about places that are known to be wrong and hold a stand-in."""
    wrong = {finding.path for finding in shape}
    return [
        finding
        for finding in findings
        if not any(finding.path[:length] in wrong for length in range(1, len(finding.path) + 1))
    ]


def _problems(
    document: Document, found: list[Finding], name: str, last_line: int
) -> tuple[Problem, ...]:
    placed = [*document.findings, *((document.line(one.path), one) for one in found)]
    problems = {
        Problem(
            name,
            max(1, min(line, last_line)),
            _clean(dotted(one.path)),
            _clean(one.message),
            _clean(one.remedy),
        )
        for line, one in placed
    }
    return tuple(sorted(problems, key=lambda one: (one.line, one.key, one.message)))


def _clean(text: str) -> str:
    """Keep what the file says in one line, without anything that a terminal would obey."""
    return "".join(one if one.isprintable() else "?" for one in " ".join(text.split()))


def _error(problems: tuple[Problem, ...]) -> ConfigError:
    first = problems[0]
    if len(problems) == 1:
        what = f"{first.key}: {first.message}" if first.key else first.message
        return ConfigError(what, where=f"{first.file}:{first.line}", next_step=first.remedy)
    lines = "\n".join(f"  {problem}" for problem in problems)
    return ConfigError(f"{len(problems)} problems\n{lines}", where=first.file)
