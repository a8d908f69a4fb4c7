"""Whether pull requests can be shown where slipway.yaml wants them."""

import re
from collections.abc import Iterator

from tasks.core.application import Application
from tasks.core.config.addresses import wrong_with
from tasks.core.config.problem import Finding
from tasks.core.previews import NUMBER, Previews

__all__ = ["preview_findings"]

_NAMESPACE = re.compile(r"[a-z0-9][a-z0-9-]*\{number\}(-?[a-z0-9])*", re.ASCII)


def preview_findings(application: Application) -> Iterator[Finding]:
    """Namespaces that are none or somebody else's, addresses that are none, and no trigger."""
    previews = application.previews
    if previews is None:
        return
    if not any(each.event == "pull_request" for each in application.triggers or ()):
        yield Finding(
            ("previews",), "are started by no trigger", "add {event: pull_request} to triggers"
        )
    yield from _namespace(previews, application)
    if previews.url is not None:
        wrong = wrong_with(previews.url.replace(NUMBER, "1"))
        if wrong or NUMBER not in previews.url:
            yield Finding(
                ("previews", "url"),
                wrong or f"must hold {NUMBER}",
                f"write it such as https://pr-{NUMBER}.shop.example.com",
            )


def _namespace(previews: Previews, application: Application) -> Iterator[Finding]:
    path = ("previews", "namespace")
    if not _NAMESPACE.fullmatch(previews.namespace):
        what = f"must be a name with {NUMBER} in it, behind letters or digits"
        remedy = f"write {application.application[:20]}-pr-{NUMBER}"
        yield Finding(path, what, remedy)
        return
    fitting = re.compile(re.escape(previews.namespace).replace(re.escape(NUMBER), "[0-9]+"))
    for name, environment in application.environments.items():
        if fitting.fullmatch(environment.namespace):
            what = f"{environment.namespace} of {name} could be that of a pull request"
            yield Finding(path, what, "give pull requests names of their own")
