"""The page that people see."""

from html import escape

from guestbook.book import MAX_LINE, MAX_NAME, Entry

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Guestbook</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 38rem; margin: 3rem auto; }}
body {{ padding: 0 1rem; }}
form {{ display: grid; gap: .5rem; margin: 1.5rem 0; }}
input, button {{ font: inherit; padding: .4rem .6rem; }}
li {{ margin: .6rem 0; }}
footer {{ margin-top: 3rem; opacity: .7; font-size: .85rem; }}
</style>
</head>
<body>
<h1>{greeting}</h1>
<form method="post" action="/entries">
<label for="name">Name</label><input id="name" name="name" maxlength="{max_name}" required>
<label for="line">Line</label><input id="line" name="line" maxlength="{max_line}" required>
<button>Sign</button>
</form>
<ol reversed>{entries}</ol>
<footer>{environment} · version {version}</footer>
</body>
</html>
"""


def render(entries: tuple[Entry, ...], words: dict[str, str]) -> str:
    """Return the page; whatever people wrote is shown, never run."""
    items = (f"<li><b>{escape(entry.name)}</b>: {escape(entry.line)}</li>" for entry in entries)
    safe = {key: escape(value) for key, value in words.items()}
    return PAGE.format(entries="\n".join(items), max_name=MAX_NAME, max_line=MAX_LINE, **safe)
