"""A repository with pull requests, and builders that write down what they were asked for."""

import json
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from tasks.core import process
from tasks.core.target import Workshop
from tests.unit.tasks.scan.oci_layout import ImageFiles, write_image

__all__ = ["Pulls", "pulls"]

ANA = ("-c", "user.name=Ana", "-c", "user.email=ana@example.com")
YAML = """\
application: shop
components:
  api: {context: api, lint: {target: lint}}
  web: {context: web}
environments:
  dev: {overlay: deploy/dev, namespace: shop-dev}
scan: {no_database: ignore, nothing_scanned: ignore, high: warn, critical: warn}
"""
DOCKERFILE = "FROM scratch AS lint\nFROM scratch AS runtime\nUSER 65534\nHEALTHCHECK CMD true\n"
DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}}}
spec:
  selector: {{matchLabels: {{app: {name}}}}}
  template:
    metadata: {{labels: {{app: {name}}}}}
    spec: {{containers: [{{name: {name}, image: "shop-{name}:1"}}]}}
"""
FILES = {
    "slipway.yaml": YAML,
    "api/Dockerfile": DOCKERFILE,
    "web/Dockerfile": DOCKERFILE,
    "deploy/dev/kustomization.yaml": "resources: [api.yaml, web.yaml]\n",
    "deploy/dev/api.yaml": DEPLOYMENT.format(name="api"),
    "deploy/dev/web.yaml": DEPLOYMENT.format(name="web"),
}
BUILDX = """\
#!/usr/bin/env python3
import json, os, pathlib, re, shutil, sys
here = pathlib.Path(__file__).parent
with (here / "asked.jsonl").open("a") as kept:
    kept.write(json.dumps([sys.argv[1:], os.environ.get("DOCKER_CONFIG")]) + "\\n")
for word in sys.argv:
    if found := re.search("type=oci,.*dest=([^,]+)", word):
        shutil.copytree(here / "image" / "layout", found[1], dirs_exist_ok=True)
if (here / "fails").exists() and "lint" in sys.argv:
    step = {"digest": "d", "name": "[lint 1/1] RUN lint", "error": "exit code: 1"}
    sys.stderr.write(json.dumps({"vertexes": [step]}) + "\\n")
    sys.exit(1)
"""


@dataclass(frozen=True, slots=True)
class Pulls:
    """What a test does with a repository and its builders."""

    folder: Path
    workshop: Workshop

    @property
    def repository(self) -> str:
        """Where it is."""
        return str(self.folder / "shop")

    def given_head(self, number: int, files: Mapping[str, str]) -> str:
        """Propose a commit with other files, and return it."""
        for name, text in files.items():
            path = Path(self.repository, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", "Sell more")
        self.git("update-ref", f"refs/pull/{number}/head", "HEAD")
        return self.git("rev-parse", "HEAD")

    def given_lint_fails(self) -> None:
        (self.folder / "fails").touch()

    def builds(self) -> list[tuple[list[str], str | None]]:
        """Return the words of each build, and where its accounts of registries were."""
        file = self.folder / "asked.jsonl"
        lines = file.read_text().splitlines() if file.is_file() else []
        asked = [json.loads(line) for line in lines]
        return [(words, config) for words, config in asked if words[0] == "build"]

    def git(self, *arguments: str) -> str:
        argv = ("git", *ANA, *arguments)
        options = process.Options(cwd=Path(self.repository))
        return process.run(argv, timeout=timedelta(minutes=1), options=options).stdout.strip()


@contextmanager
def pulls(folder: Path) -> Iterator[Pulls]:
    """Give a repository whose pull requests change nothing yet."""
    write_image(folder / "image", ImageFiles(({"app": b"x"},), {"User": "65534"}))
    program = folder / "buildx"
    program.write_text(BUILDX)
    program.chmod(0o755)
    address = folder / "b.sock"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(address))
        server.listen()
        workshop = Workshop("registry.example/acme", f"unix://{address}", str(program))
        found = Pulls(folder, workshop)
        Path(found.repository).mkdir()
        found.git("init", "--quiet", "--initial-branch", "main")
        yield found
