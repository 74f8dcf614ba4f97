"""Page: an exploration as an HTML file with pictures."""

from __future__ import annotations

from math import log10
from typing import TYPE_CHECKING

from fl0p_py.learn.corpus import NO_TIME
from fl0p_py.learn.explore import Counted, Exploration, Row
from fl0p_py.learn.listing import VARIES
from fl0p_py.learn.markup import FIRST, QUIET, SECOND, document, need_matplotlib, svg, text
from fl0p_py.learn.stage import Told, nobody
from fl0p_py.output.eve import eve_time
from fl0p_py.wording import counted

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def page(found: Exploration, title: str, told: Told = nobody) -> str:
    """The page.  title : what was explored, for people; raises UsageError without matplotlib."""
    need_matplotlib()
    parts = [_overview(found)]
    for done, row in enumerate(found.rows, 1):
        parts.append(_section(row, found))
        told(done, len(found.rows))
    return document(title, parts)


def _overview(found: Exploration) -> str:
    rows = "".join(
        f'<tr><td class="n"><a href="#c{row.number}">{row.number}</a></td><td class="n">{row.flows:,}</td>'
        f'<td class="n">{100 * row.flows / found.flows:.1f} %</td><td class="n">{row.sequences:,}</td>'
        f'<td class="n">{row.servers:,}</td><td>{text(_names(row.top_ports))}</td>'
        f"<td>{text(_names(row.known or row.labels))}</td></tr>"
        for row in found.rows
    )
    left = ""
    if found.left_out:
        ports = text(_names(found.rest_ports))
        left = f"<p>Not shown: {counted(found.left_out, 'flow')} in smaller clusters, on ports {ports}.</p>"
    return (
        f"<p>{counted(found.flows, 'flow')}, {counted(found.sequences, 'sequence')}, "
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
    table = "".join(f"<tr><th>{name}</th><td>{text(words)}</td></tr>" for name, words in facts if words)
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
        parts += [text(pattern[at : match.start()]), f"<b>{text(match[0])}</b>"]
        at = match.end()
    return "".join([*parts, text(pattern[at:])])


def _share_plot(found: Exploration) -> str:
    """How many clusters hold how much of the flows."""
    if not found.clusters:
        return ""

    def draw(axes: Axes) -> None:
        share = 100 * found.sizes.cumsum() / found.flows
        axes.plot(range(1, len(share) + 1), share, color=FIRST, drawstyle="steps-mid")
        axes.axvline(len(found.rows) or 1, color=QUIET, linewidth=0.8, linestyle=":")
        axes.set_xscale("log")
        axes.set_ylim(0, 102)
        axes.set_xlabel("clusters, largest first (dotted: those shown)")
        axes.set_ylabel("flows in them, %")

    return svg(draw, (7.5, 2.4))


def _sequence_plot(row: Row) -> str:
    """The sequence that leads, with the range of sizes at each place."""

    def draw(axes: Axes) -> None:
        at = 0.0
        for token, paused, low, high in zip(row.tokens, row.paused, row.low, row.high, strict=True):
            at += 2 if paused else 1
            sign = 1 if token > 0 else -1
            axes.bar(at, sign * _log(abs(token)), width=0.8, color=FIRST if token > 0 else SECOND)
            axes.plot([at, at], [sign * _log(low), sign * _log(high)], color=QUIET, linewidth=1.5)
        axes.axhline(0, color="#222222", linewidth=0.6)
        ticks = [1, 10, 100, 1000, 10000]
        axes.set_yticks([*(-_log(size) for size in reversed(ticks)), *(_log(size) for size in ticks)])
        axes.set_yticklabels([*(f"{size:,}" for size in reversed(ticks)), *(f"{size:,}" for size in ticks)])
        reach = 1.05 * _log(max(1500, *row.high))
        axes.set_ylim(-reach, reach)
        axes.set_xlim(0.2, max(at, 12) + 0.8)
        axes.set_xticks([])
        axes.set_ylabel("server   client")

    return svg(draw, (7.5, 1.9))


def _log(size: int) -> float:
    return log10(size + 1)
