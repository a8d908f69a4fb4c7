"""What Trivy finds in an image and its manifests, judged by the application's policy."""

from tasks.scan.decide import judge, require_passed
from tasks.scan.effects import scan, scan_manifests
from tasks.scan.model import Subject
from tasks.scan.program import Trivy, installed_trivy
from tasks.scan.render import render_markdown

__all__ = [
    "Subject",
    "Trivy",
    "installed_trivy",
    "judge",
    "render_markdown",
    "require_passed",
    "scan",
    "scan_manifests",
]
