import asyncio
from pathlib import Path

import httpx
import pytest

from infra.reports import make_app


def get(folder: Path, path: str) -> httpx.Response:
    """Ask as a browser does; no path is tidied up on the way."""

    async def ask() -> httpx.Response:
        served = httpx.ASGITransport(make_app(folder))
        async with httpx.AsyncClient(transport=served, base_url="http://reports") as client:
            return await client.get(path)

    return asyncio.run(ask())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("shop/prod/9.html", "shop/prod/10.html", "shop/dev/1.html"):
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"<p>{name}</p>")
    (tmp_path.parent / "secret").write_text("not for browsers")
    return tmp_path


def test_reports_are_listed_by_environment_newest_first(folder: Path) -> None:
    page = get(folder, "/").text
    places = ["dev/shop", "'/shop/dev/1.html'", "prod/shop", "/prod/10.html", "/prod/9.html"]
    assert [page.index(each) for each in places] == sorted(page.index(each) for each in places)


def test_a_report_is_shown(folder: Path) -> None:
    assert get(folder, "/shop/prod/10.html").text == "<p>shop/prod/10.html</p>"


@pytest.mark.parametrize("path", ["/../secret", "/%2e%2e/secret", "/shop/prod/11.html"])
def test_nothing_else_is_shown(folder: Path, path: str) -> None:
    assert get(folder, path).status_code == 404


def test_without_reports_the_page_says_so(tmp_path: Path) -> None:
    assert "None yet." in get(tmp_path, "/").text
