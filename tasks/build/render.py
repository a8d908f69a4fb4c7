"""A built image as a page for the Prefect UI."""

from tasks.core.markdown import inline, page, plain, table
from tasks.core.model import Image, Source
from tasks.core.units import format_size

__all__ = ["image_page"]


def image_page(image: Image, source: Source) -> str:
    """Show what was built, out of what."""
    content = next(one.content for one in source.components if one.name == image.component)
    rows = [
        ("digest", inline(image.digest)),
        ("size", f"{format_size(image.size_bytes)} to pull"),
        ("commit", f"{inline(source.commit[:12])} {plain(source.subject)}"),
        ("content", inline(content)),
        ("layout", inline(image.layout)),
    ]
    return page(f"## {image.component}: image", table(("", ""), rows))
