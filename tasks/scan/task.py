"""The stage scan as Prefect tasks."""

from pathlib import Path

from prefect import get_run_logger, task

from tasks.core.application import Application, ScanPolicy
from tasks.core.clock import utc_now
from tasks.core.cluster import Scope
from tasks.core.cluster_api import connect
from tasks.core.model import Image, Outcome, Release, ReleasedImage, ScanResult, Source
from tasks.core.objects import Kind
from tasks.core.target import Target
from tasks.core.task import SOON, again, publish
from tasks.scan.alarm import Rescan
from tasks.scan.decide import require_passed
from tasks.scan.effects import scan, scan_manifests
from tasks.scan.model import Subject
from tasks.scan.others import others_in
from tasks.scan.program import installed_trivy
from tasks.scan.render import render_markdown
from tasks.scan.rescan import keep_known, rescan

__all__ = ["find_others", "keep_rescan", "rescan_running", "scan_draft", "scan_image"]

POD = Kind("v1", "Pod")


@task(task_run_name="{image.component}: scan")
def scan_image(source: Source, image: Image) -> ScanResult:
    """Scan one image with its Dockerfile; findings that block end the run here."""
    application = source.application
    described = application.components[image.component]
    dockerfile = Path(source.tree) / described.context / described.dockerfile
    subject = Subject(image.component, image, dockerfile)
    result = scan(subject, application.scan, installed_trivy(), utc_now())
    return _shown(result, application)


@task(task_run_name="manifests: scan")
def scan_draft(draft: Release, application: Application) -> ScanResult:
    """Scan the manifests before anything is pushed; findings that block end the run here.

    Those that go out differ in the digests of our own images alone.
    """
    result = scan_manifests(draft, application.scan, installed_trivy(), utc_now())
    return _shown(result, application)


def _shown(result: ScanResult, application: Application) -> ScanResult:
    words = ("scan", application.application, result.component)
    publish(words, render_markdown(result), result.verdict.reason)
    for line in (result.verdict.reason, *result.summary):
        get_run_logger().info(line)
    require_passed(result)
    return result


@task(task_run_name="{place}: what else runs?", **again(SOON))
def find_others(
    place: str, namespace: str, released: tuple[ReleasedImage, ...], target: Target
) -> tuple[ReleasedImage, ...]:
    """Return the images that run in an environment beside those of its live release."""
    del place  # part of the task's name
    with connect(target) as cluster:
        return others_in(cluster.find(Scope((POD,), namespace)), released)


@task(task_run_name="{place}: rescan {image.component}")
def rescan_running(place: str, image: ReleasedImage, policy: ScanPolicy, target: Target) -> Rescan:
    """Look at an image that runs with today's vulnerability database."""
    found = rescan(image, policy, target, installed_trivy(), utc_now())
    say = get_run_logger().info if found.outcome is Outcome.PASSED else get_run_logger().warning
    say("%s: %s: %s", place, image.component, found.said)
    return found


@task(task_run_name="{found.component}: known")
def keep_rescan(found: Rescan) -> None:
    """Keep what was found in what runs; the next night tells what is new since."""
    keep_known(found)
