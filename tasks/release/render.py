"""A release as a page for the Prefect UI."""

from tasks.core.application import Environment
from tasks.core.gates import Approval
from tasks.core.markdown import bullets, inline, page, plain, public_address, table
from tasks.core.model import Release, Source
from tasks.core.target import Target

__all__ = ["release_page"]


def release_page(release: Release, source: Source, target: Target) -> str:
    """Show what was bound together and where it goes."""
    environments = source.application.environments
    images = [
        (plain(image.component), inline(image.digest), inline(image.repository))
        for image in release.images
    ]
    return page(
        f"## {plain(release.application)} {inline(release.id)}",
        table(("", ""), _facts(release, source)),
        "### Images",
        table(("component", "digest", "repository"), images),
        "### Scan" if release.scan else "",
        bullets(map(plain, release.scan)),
        "### Environments",
        table(
            ("environment", "namespace", "address", "approval"),
            [_row(name, each, target) for name, each in environments.items()],
        ),
    )


def _facts(release: Release, source: Source) -> list[tuple[str, str]]:
    return [
        ("commit", f"{inline(release.commit)} {plain(release.subject)}"),
        ("author", f"{plain(release.author)} ({plain(release.author_email)})"),
        ("repository", inline(source.repository)),
        ("made", f"{release.created_at:%Y-%m-%d %H:%M:%S} UTC"),
    ]


def _row(name: str, environment: Environment, target: Target) -> tuple[str, ...]:
    url = environment.url
    link = public_address(url, target.ingress) if url else ""
    return (
        plain(name),
        inline(environment.namespace),
        f"[{link}]({link})" if link else "",
        _approval(environment.approval),
    )


def _approval(rules: Approval | None) -> str:
    return "" if rules is None else f"{rules.count} of {plain(', '.join(rules.approvers))}"
