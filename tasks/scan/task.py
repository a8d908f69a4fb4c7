"""The stage scan as a Prefect task."""

from pathlib import Path

from prefect import task
from prefect.artifacts import create_markdown_artifact

from tasks.core.application import Application
from tasks.core.clock import utc_now
from tasks.core.model import Image, Manifests, ScanResult, Source
from tasks.scan.decide import require_passed
from tasks.scan.effects import scan
from tasks.scan.model import Subject
from tasks.scan.program import installed_trivy
from tasks.scan.render import render_markdown

__all__ = ["scan_image"]


@task(task_run_name="scan {image.component}")
def scan_image(source: Source, image: Image, manifests: tuple[Manifests, ...] = ()) -> ScanResult:
    """Scan one image with its Dockerfile and manifests; findings that block end the run here."""
    application = source.application
    dockerfile = _dockerfile(source.tree, application, image.component)
    subject = Subject(image.component, image, dockerfile, manifests)
    result = scan(subject, application.scan, installed_trivy(), utc_now())
    create_markdown_artifact(
        key=f"scan-{application.application}-{image.component}", markdown=render_markdown(result)
    )
    require_passed(result)
    return result


def _dockerfile(tree: str, application: Application, component: str) -> Path:
    described = application.components[component]
    return Path(tree) / described.context / described.dockerfile
