from dataclasses import replace

import pytest

from infra.lab.baseimages import IMAGES
from infra.lab.baseimages.recipe import FILES, Config, Debian, Overlay, digest_of


def test_the_same_recipe_has_the_same_name_and_another_one_another() -> None:
    image = IMAGES[0]
    assert digest_of(image) == digest_of(replace(image))
    assert digest_of(image) != digest_of(replace(image, config=Config(user="1")))


def test_a_layer_is_named_by_what_it_is_made_of() -> None:
    assert digest_of((Debian("sid", "minbase"),)) != digest_of((Debian("bookworm", "minbase"),))


def test_images_that_share_a_layer_share_its_name() -> None:
    debian = next(image for image in IMAGES if image.repository == "library/debian")
    node = next(image for image in IMAGES if image.repository == "library/node")
    assert digest_of(debian.layers[0]) == digest_of(node.layers[0])


def test_no_two_images_claim_the_same_name() -> None:
    names = [f"{image.repository}:{tag}" for image in IMAGES for tag in image.tags]
    assert len(names) == len(set(names))


def _overlays() -> list[tuple[str, Overlay, str]]:
    return [
        (image.repository, source, image.config.user)
        for image in IMAGES
        for layer in image.layers
        for source in layer
        if isinstance(source, Overlay)
    ]


@pytest.mark.parametrize(
    ("repository", "overlay", "user"), _overlays(), ids=lambda value: str(value)[:40]
)
def test_an_image_knows_the_user_that_it_runs_as(
    repository: str, overlay: Overlay, user: str
) -> None:
    rows = (FILES / overlay.name / "etc" / "passwd").read_text().splitlines()
    known = {row.split(":")[2] for row in rows}
    assert {user or "0"} <= known, repository
    for program in overlay.executables:
        assert (FILES / overlay.name / program).is_file()


def test_whoever_looks_at_an_image_learns_what_it_stands_in_for() -> None:
    for image in IMAGES:
        assert image.standing_for.endswith(
            (image.repository, f"{image.repository}:{image.tags[0]}")
        )
