"""What is around every page: one HTML file in light and dark that needs no network, no library, no server."""

from html import escape
from pathlib import Path
from typing import Final

_FOLDER: Final = Path(__file__).parent

_SHELL: Final = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<style>
{style}</style>
</head>
<body>
<main>
<header>
<div>
<p class="eyebrow">{kind}</p>
<h1>{heading}</h1>
<p class="subtitle">{subtitle}</p>
</div>
<button id="theme" type="button" aria-label="Switch between light and dark">Light / dark</button>
</header>
{body}
<footer>{footer}</footer>
</main>
<script>
{script}</script>
</body>
</html>
"""


def shell(
    kind: str, title: str, heading: str, subtitle: str, body: str, footer: str, *, style: str = ""
) -> str:
    """Return a page. `body` is HTML, as it is; all else is text, and `style` more CSS."""
    return _SHELL.format(
        kind=escape(kind),
        title=escape(title),
        heading=escape(heading),
        subtitle=escape(subtitle),
        body=body,
        footer=escape(footer),
        style=(_FOLDER / "style.css").read_text("utf-8") + style,
        script=(_FOLDER / "script.js").read_text("utf-8"),
    )


def card(name: str, value: str, note: str, tone: str = "") -> str:
    """Return one figure, large, with its name and a note; `tone`: "good", "bad" or none."""
    return (
        f'<div class="card"><span>{escape(name)}</span><b class="{tone}">{escape(value)}</b>'
        f"<small>{escape(note)}</small></div>"
    )
