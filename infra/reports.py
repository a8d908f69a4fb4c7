"""The reports of rollouts, for a browser on this machine; `slipway up` starts it."""

import logging
from pathlib import Path

import uvicorn
from markupsafe import Markup
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from infra.server.settings import reports_address, reports_port
from tasks.core.files import write_whole
from tasks.report.effects import address_file, reports_folder

__all__ = ["main", "make_app"]

PAGE = Markup(
    "<!doctype html><meta charset=utf-8><meta name=viewport content='width=device-width'>"
    "<title>Rollouts</title><style>:root{{color-scheme:light dark;font:16px system-ui}}"
    "body{{margin:2rem auto;max-width:40rem;padding:0 1rem}}</style><h1>Rollouts</h1>{}"
)
PLACE = Markup("<h2>{}</h2><p>{}</p>")
LINK = Markup("<a href='{}'>{}</a>")


def main() -> None:
    """Serve the reports until a signal comes."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    folder, port = reports_folder(), reports_port()
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(address_file(), reports_address().encode())
    uvicorn.run(make_app(folder), host="127.0.0.1", port=port, log_config=None, access_log=False)


def make_app(folder: Path) -> Starlette:
    """Return an application that shows the reports of a folder, and a page that lists them."""

    def listing(_request: Request) -> HTMLResponse:
        return HTMLResponse(_listing(folder))

    files = StaticFiles(directory=folder)
    return Starlette(routes=[Route("/", listing), Mount("/", files)])


def _listing(folder: Path) -> str:
    places = sorted({file.parent for file in folder.glob("*/*/*.html")})
    return PAGE.format(Markup().join(_place(each, folder) for each in places) or "None yet.")


def _place(place: Path, folder: Path) -> Markup:
    newest_first = sorted(place.glob("*.html"), key=lambda file: int(file.stem), reverse=True)
    links = (LINK.format(f"/{file.relative_to(folder)}", file.stem) for file in newest_first)
    application, environment = place.parts[-2:]
    return PLACE.format(f"{environment}/{application}", Markup(" ").join(links))


if __name__ == "__main__":
    main()
