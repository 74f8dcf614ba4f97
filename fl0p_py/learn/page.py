"""Page: an exploration as one HTML file that needs nothing else, with plots by matplotlib as SVG inside it.

Everything that came from a log is escaped twice: made printable, then made HTML.  There is no script in the
page, and a Content-Security-Policy that would allow none.  The same exploration gives the same bytes.
"""

from __future__ import annotations

import html
import io
import re
from collections.abc import Callable
from math import log10
from typing import TYPE_CHECKING, Any

from fl0p_py.errors import UsageError
from fl0p_py.learn.corpus import NO_TIME
from fl0p_py.learn.explore import Counted, Exploration, Row
from fl0p_py.learn.listing import VARIES
from fl0p_py.output.escape import escape
from fl0p_py.output.eve import eve_time
from fl0p_py.wording import counted

if TYPE_CHECKING:
    from matplotlib.axes import Axes

CLIENT, SERVER, RANGE = "#1f6f8b", "#c2571a", "#999999"

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


def page(found: Exploration, title: str, progress: Callable[[int, int], None] | None = None) -> str:
    """The page.  title : what was explored, for people; raises UsageError without matplotlib."""
    try:
        import matplotlib
    except ImportError:
        raise UsageError("--html draws with matplotlib: pip install 'fl0p-py[html]'") from None
    matplotlib.use("Agg")
    parts = [_overview(found, title)]
    for done, row in enumerate(found.rows, 1):
        parts.append(_section(row, found))
        if progress is not None:
            progress(done, len(found.rows))
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">\n'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; style-src '
        "'unsafe-inline'\">\n"
        f"<title>{_text(title)}</title><style>{STYLE}</style></head><body>\n{''.join(parts)}</body></html>\n"
    )


def _text(text: str) -> str:
    return html.escape(escape(text))


def _overview(found: Exploration, title: str) -> str:
    rows = "".join(
        f'<tr><td class="n"><a href="#c{row.number}">{row.number}</a></td><td class="n">{row.flows:,}</td>'
        f'<td class="n">{100 * row.flows / found.flows:.1f} %</td><td class="n">{row.sequences:,}</td>'
        f'<td class="n">{row.servers:,}</td><td>{_text(_names(row.top_ports))}</td>'
        f"<td>{_text(_names(row.known or row.labels))}</td></tr>"
        for row in found.rows
    )
    left = (
        f"<p>Not shown: {counted(found.left_out, 'flow')} in smaller clusters.</p>" if found.left_out else ""
    )
    return (
        f"<h1>{_text(title)}</h1><p>{counted(found.flows, 'flow')}, {counted(found.sequences, 'sequence')}, "
        f"{counted(found.clusters, 'cluster')}.</p>{_share_plot(found)}"
        '<table><tr><th class="n">cluster</th><th class="n">flows</th><th class="n">share</th>'
        '<th class="n">sequences</th><th class="n">servers</th><th>ports</th><th>known as</th></tr>'
        f"{rows}</table>{left}"
        "<p class=dim>In the pictures a token is a bar: upwards from the client, downwards from the "
        "server, on a "
        "log scale; its line reaches from the smallest to the largest size at that place; a gap between bars "
        "is a pause. In the patterns, what varies is coloured; a pattern can be pasted into a signature file "
        "with “ : name” behind it.</p>"
    )


def _section(row: Row, found: Exploration) -> str:
    facts = [
        (
            "flows",
            f"{row.flows:,} ({100 * row.flows / found.flows:.1f} %), {counted(row.sequences, 'sequence')}",
        ),
        ("servers", f"{row.servers:,}: {_names(row.top_servers)}"),
        ("clients", f"{row.clients:,}"),
        ("ports", f"{row.ports:,}: {_names(row.top_ports)}"),
        ("known as", _names(row.known)),
        ("labels", _names(row.labels)),
        ("the pattern matches", f"{row.takes:,} of them, {row.others:,} others; {row.bits:.0f} bits"),
        ("seen", "" if row.first_ns == NO_TIME else f"{eve_time(row.first_ns)} to {eve_time(row.last_ns)}"),
        ("examples", ", ".join(row.examples)),
    ]
    table = "".join(f"<tr><th>{name}</th><td>{_text(text)}</td></tr>" for name, text in facts if text)
    return (
        f'<h2 id="c{row.number}">Cluster {row.number}</h2><code>{_marked(row.pattern)}</code>'
        f"{_sequence_plot(row)}<table>{table}</table>\n"
    )


def _names(names: tuple[Counted, ...]) -> str:
    return ", ".join(f"{name.what} ({name.flows:,})" for name in names)


def _marked(pattern: str) -> str:
    """The pattern as HTML, with what varies marked."""
    parts, at = [], 0
    for match in VARIES.finditer(pattern):
        parts += [_text(pattern[at : match.start()]), f"<b>{_text(match[0])}</b>"]
        at = match.end()
    return "".join([*parts, _text(pattern[at:])])


def _share_plot(found: Exploration) -> str:
    """How many clusters hold how much of the flows."""
    if not found.clusters:
        return ""

    def draw(axes: Axes) -> None:
        share = 100 * found.sizes.cumsum() / found.flows
        axes.plot(range(1, len(share) + 1), share, color=CLIENT, drawstyle="steps-mid")
        axes.axvline(len(found.rows) or 1, color=RANGE, linewidth=0.8, linestyle=":")
        axes.set_xscale("log")
        axes.set_ylim(0, 102)
        axes.set_xlabel("clusters, largest first (dotted: those shown)")
        axes.set_ylabel("flows in them, %")

    return _svg(draw, (7.5, 2.4))


def _sequence_plot(row: Row) -> str:
    """The sequence that leads, with the range of sizes at each place."""

    def draw(axes: Axes) -> None:
        at = 0.0
        for token, paused, low, high in zip(row.tokens, row.paused, row.low, row.high, strict=True):
            at += 2 if paused else 1
            sign = 1 if token > 0 else -1
            axes.bar(at, sign * _log(abs(token)), width=0.8, color=CLIENT if token > 0 else SERVER)
            axes.plot([at, at], [sign * _log(low), sign * _log(high)], color=RANGE, linewidth=1.5)
        axes.axhline(0, color="#222222", linewidth=0.6)
        ticks = [1, 10, 100, 1000, 10000]
        axes.set_yticks([*(-_log(size) for size in reversed(ticks)), *(_log(size) for size in ticks)])
        axes.set_yticklabels([*(f"{size:,}" for size in reversed(ticks)), *(f"{size:,}" for size in ticks)])
        reach = 1.05 * _log(max(1500, *row.high))
        axes.set_ylim(-reach, reach)
        axes.set_xlim(0.2, max(at, 12) + 0.8)
        axes.set_xticks([])
        axes.set_ylabel("server   client")

    return _svg(draw, (7.5, 1.9))


def _log(size: int) -> float:
    return log10(size + 1)


def _svg(draw: Callable[[Any], None], inches: tuple[float, float]) -> str:
    """A plot as an <svg> element with ids of its own content's making."""
    from matplotlib import rc_context
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    with rc_context(
        {"svg.hashsalt": "fl0p", "svg.fonttype": "none", "font.size": 8, "font.family": "sans-serif"}
    ):
        figure = Figure(figsize=inches, layout="constrained")
        FigureCanvasSVG(figure)
        axes = figure.add_subplot()
        axes.spines[["top", "right"]].set_visible(False)
        draw(axes)
        text = io.StringIO()
        figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None})
    svg = text.getvalue()
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg[svg.index("<svg") :], flags=re.DOTALL)
    return f"<div>{svg}</div>"
