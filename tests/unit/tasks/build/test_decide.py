"""What buildx is asked for."""

from datetime import UTC, datetime, timedelta

import pytest

from tasks.build.decide import build_args, cache_flags, outdated, output
from tasks.core.application import Application, Component, Environment, ImageTarget
from tasks.core.model import Source

NOW = datetime(2026, 1, 31, tzinfo=UTC)


def source_with(args: dict[str, str]) -> Source:
    component = Component("api", image=ImageTarget(args=args))
    environments = {"dev": Environment("deploy", "shop")}
    application = Application("shop", {"api": component}, environments)
    who = ("Ana", "ana@example.org", "First")
    return Source("/shop", "c0ffee", "/tree", *who, NOW, application, ())


@pytest.mark.parametrize(
    ("dockerfile", "args", "passed"),
    [
        pytest.param("FROM x\n", {"A": "1"}, {"A": "1"}, id="only what is configured"),
        pytest.param(
            "FROM x\n  arg SOURCE_DATE_EPOCH\n",
            {},
            {"SOURCE_DATE_EPOCH": str(int(NOW.timestamp()))},
            id="the commit's time where the Dockerfile asks for it",
        ),
        pytest.param(
            "ARG SOURCE_DATE_EPOCH=0",
            {"SOURCE_DATE_EPOCH": "7"},
            {"SOURCE_DATE_EPOCH": "7"},
            id="a configured time goes before it",
        ),
        pytest.param("# ARG SOURCE_DATE_EPOCH", {}, {}, id="a comment asks for nothing"),
    ],
)
def test_steps_are_told_the_time_only_when_they_ask(
    dockerfile: str, args: dict[str, str], passed: dict[str, str]
) -> None:
    assert build_args(source_with(args), "api", dockerfile) == passed


def test_the_commits_time_is_in_every_file_of_the_image() -> None:
    assert output("/out", "ghcr.io/t/api", 7) == (
        "type=oci,tar=false,dest=/out,name=ghcr.io/t/api,rewrite-timestamp=true,source-date-epoch=7"
    )


def test_the_cache_is_not_beside_released_images_and_never_fails_a_build() -> None:
    flags = cache_flags("ghcr.io/t/api")
    assert flags[1] == "type=registry,ref=ghcr.io/t/api-cache:buildcache"
    assert "ignore-error=true" in flags[3]


def test_images_go_when_they_are_old_and_many() -> None:
    images = {str(days): NOW - timedelta(days=days) for days in range(12)}
    assert outdated(images, NOW, keep=3, days=7) == ("7", "8", "9", "10", "11")
    assert outdated(images, NOW, keep=20, days=7) == ()
