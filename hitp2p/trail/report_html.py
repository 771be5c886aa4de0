"""A report as one page that works offline: no script, no picture, no request to anywhere, all foreign text escaped."""

from __future__ import annotations

from html import escape
from typing import Final

from hitp2p.trail.display import safe_line
from hitp2p.trail.report import Headline, Report
from hitp2p.trail.report_explain import render_explained
from hitp2p.trail.report_text import report_lines

__all__ = ["render_html_page"]

_COLORS: Final = {
    Headline.VERIFIED: "#116329",
    Headline.VERIFIED_WITH_GAPS: "#7d4e00",
    Headline.DISPUTED: "#a40e26",
    Headline.BROKEN: "#a40e26",
    Headline.CONTAINS: "#24292f",
    Headline.RESEMBLES: "#24292f",
    Headline.UNKNOWN: "#24292f",
}
_PAGE: Final = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
body {{ font: 1rem/1.5 system-ui, sans-serif; max-width: 50rem; margin: 2rem auto; padding: 0 1rem; color: #24292f; background: #fff }}
h1 {{ font-size: 1.4rem; margin: 0; color: {color} }}
dl {{ display: grid; grid-template-columns: max-content 1fr; gap: .4rem 1rem }}
dt {{ font-weight: 600 }}
dd {{ margin: 0; overflow-wrap: anywhere }}
pre {{ white-space: pre-wrap; overflow-wrap: anywhere; background: #f6f8fa; padding: 1rem }}
@media (max-width: 36rem) {{ dl {{ grid-template-columns: 1fr }} dd {{ margin-bottom: .5rem }} }}
</style>
</head>
<body>
<main>
<h1>{headline}</h1>
<p>{name}: {because}.</p>
<dl>
{lines}
</dl>
<details>
<summary>Everything that this rests on</summary>
<pre>{explained}</pre>
</details>
</main>
</body>
</html>
"""


def render_html_page(report: Report) -> str:
    """A whole page: the lines of the report, and behind a fold all that they rest on."""
    name = safe_line(report.file.name) if report.file.name else "The file"
    rows = (
        f"<dt>{escape(label)}</dt><dd>{escape(words)}</dd>" for label, words in report_lines(report)
    )
    return _PAGE.format(
        title=escape(f"{report.headline.value}: {name}"),
        color=_COLORS[report.headline],
        headline=escape(report.headline.value),
        name=escape(name),
        because=escape(report.because),
        lines="\n".join(rows),
        explained=escape(render_explained(report)),
    )
