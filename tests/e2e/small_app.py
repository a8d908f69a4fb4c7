"""An application of one component, small enough to be built in a second."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Self

from tasks.core import process
from tasks.core.model import Source
from tasks.source.effects import fetch_source

__all__ = ["DOCKERFILE", "SmallApp", "report"]

SLIPWAY = """
application: small
components:
  app: {context: app, lint: {target: lint}, test: {target: test, report: out/junit.xml}}
environments:
  dev: {overlay: deploy, namespace: small-dev}
"""
DOCKERFILE = """
FROM busybox:1.36 AS base
WORKDIR /app
COPY . .
FROM base AS lint
RUN sh lint.sh
FROM base AS test
RUN sh test.sh
FROM base AS build
RUN mkdir dist && cp main dist/main && date > dist/.log && rm dist/.log && ln -s main dist/link
FROM busybox:1.36 AS runtime
COPY --from=build /app/dist /dist
USER 1000:1000
CMD ["/bin/cat", "/dist/main"]
"""
WORKLOAD = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: app}
spec:
  selector: {matchLabels: {app: app}}
  template:
    metadata: {labels: {app: app}}
    spec: {containers: [{name: app, image: small-app}]}
"""
FILES = {
    "slipway.yaml": SLIPWAY,
    "deploy/kustomization.yaml": "resources: [workload.yaml]\n",
    "deploy/workload.yaml": WORKLOAD,
    "app/Dockerfile": DOCKERFILE,
    "app/main": "hello\n",
    "app/lint.sh": "echo all is well\n",
}


def report(*cases: str, exit_code: int = 0) -> str:
    """Return a test script that leaves a report and an exit status behind."""
    suite = f"<testsuite>{''.join(cases)}</testsuite>"
    return f"mkdir out; echo '{suite}' > out/junit.xml; echo {exit_code} > out/exit-code\n"


@dataclass(frozen=True, slots=True)
class SmallApp:
    """Its repository."""

    folder: Path

    def given(self, changed: Mapping[str, str] | None = None) -> Self:
        """Commit the application with some files replaced or added."""
        passes = {"app/test.sh": report('<testcase name="adds"/>')}
        for path, content in {**FILES, **passes, **(changed or {})}.items():
            file = self.folder / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(content)
        self._git("init", "--quiet", "--initial-branch", "main")
        self._git("add", "--all")
        self._git("commit", "--quiet", "--message", "A change")
        return self

    def when_fetched(self) -> Source:
        """Bring the newest commit into a clean tree."""
        return fetch_source(str(self.folder), "HEAD", print)

    def _git(self, *arguments: str) -> None:
        who = ("-c", "user.name=Ana", "-c", "user.email=ana@example.org")
        options = process.Options(cwd=self.folder)
        process.run(("git", *who, *arguments), timeout=timedelta(minutes=1), options=options)
