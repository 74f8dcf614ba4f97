"""Markup: HTML files that need nothing else, with plots by matplotlib as SVG inside them.

Everything that came from a log is escaped twice: made printable, then made HTML.  There is no script in a
page and no bitmap, and a Content-Security-Policy that would allow none.  The same content gives the same
bytes.
"""

from __future__ import annotations

import html
import io
import re
from collections.abc import Callable, Iterable
from typing import Any

from fl0p_py.errors import UsageError
from fl0p_py.output.escape import escape

FIRST, SECOND, QUIET = "#1f6f8b", "#c2571a", "#999999"
"""Colours of plots."""

POLICY = "default-src 'none'; style-src 'unsafe-inline'"

STYLE = """
body { font: 15px/1.45 sans-serif; margin: 2em auto; max-width: 64em; padding: 0 1em; color: #222;
       background: #fff }
h1 { font-size: 1.5em }
h2 { font-size: 1.1em; margin: 2em 0 .3em; border-top: 1px solid #ddd; padding-top: 1em }
code { font: 13px/1.6 monospace; background: #f4f4f0; padding: .4em .6em; display: block; overflow-x: auto;
       white-space: pre-wrap }
code b { color: #a04000; font-weight: normal }
table { border-collapse: collapse; margin: .6em 0 } td, th { padding: .15em .9em .15em 0; text-align: left;
        vertical-align: top } td.n, th.n { text-align: right }
svg { max-width: 100%; height: auto } .dim { color: #777 } a { color: #1f6f8b }
"""


def need_matplotlib() -> None:
    """Raise UsageError if there is nothing to draw with."""
    try:
        import matplotlib
    except ImportError:
        raise UsageError("--html draws with matplotlib: pip install 'fl0p-py[html]'") from None
    matplotlib.use("Agg")


def document(title: str, parts: Iterable[str]) -> str:
    """A whole page.  title : for people, not yet escaped; parts : HTML"""
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        f"<title>{text(title)}</title><style>{STYLE}</style></head><body>\n<h1>{text(title)}</h1>"
        f"{''.join(parts)}</body></html>\n"
    )


def text(words: str) -> str:
    """As HTML shows it."""
    return html.escape(escape(words))


def svg(draw: Callable[[Any], None], inches: tuple[float, float]) -> str:
    """What `draw` draws on axes, as an <svg> element."""
    from matplotlib import rc_context
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    look: Any = {"svg.hashsalt": "fl0p", "svg.fonttype": "none", "font.size": 8, "font.family": "sans-serif"}
    with rc_context(look):
        figure = Figure(figsize=inches, layout="constrained")
        FigureCanvasSVG(figure)
        axes = figure.add_subplot()
        axes.spines[["top", "right"]].set_visible(False)
        draw(axes)
        drawn = io.StringIO()
        figure.savefig(drawn, format="svg", metadata={"Date": None, "Creator": None})
    element = drawn.getvalue()
    element = re.sub(r"<metadata>.*?</metadata>", "", element[element.index("<svg") :], flags=re.DOTALL)
    return f"<div>{element}</div>"
