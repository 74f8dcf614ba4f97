"""Evaluation page: how signatures do on labelled flows, as an HTML file with plots."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fl0p_py.learn.evaluation import MOST_VALUES, Evaluation, FacetScore
from fl0p_py.learn.markup import FIRST, QUIET, SECOND, document, need_matplotlib, svg, text
from fl0p_py.learn.score import Share
from fl0p_py.wording import counted

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MEASURES = (("precision", FIRST), ("recall", SECOND))


def evaluation_page(found: Evaluation, title: str) -> str:
    """The page.  title : what was judged, for people; raises UsageError without matplotlib."""
    need_matplotlib()
    return document(title, [_head(found), *(_facet(facet) for facet in found.facets), _signatures(found)])


def _head(found: Evaluation) -> str:
    rows = "".join(
        f"<tr><th>{text(facet.facet)}</th><td class=n>{facet.flows:,}</td>"
        f"<td>{text(str(facet.right))}</td></tr>"
        for facet in found.facets
    )
    return (
        f"<p>{counted(found.flows, 'labelled flow')} of {counted(found.sources, 'capture')}; "
        f"{found.unlabelled:,} without a label were left out.</p>"
        f"<table><tr><th>facet</th><th class=n>flows</th><th>right</th></tr>{rows}</table>"
    )


def _facet(score: FacetScore) -> str:
    rows = "".join(
        f"<tr><td>{text(value.name)}</td><td class=n>{value.counts.recall.whole:,}</td>"
        f"<td class=n>{value.counts.precision.whole:,}</td><td>{text(str(value.counts.precision))}</td>"
        f"<td>{text(str(value.counts.recall))}</td><td>{_f1(value.counts.f1, value.interval)}</td></tr>"
        for value in score.values
    )
    plots = ""
    if 0 < len(score.values) <= MOST_VALUES:
        plots = _confusion(score) + _measures(score)
    return (
        f"<h2>{text(score.facet)}</h2>{plots}<table><tr><th>value</th><th class=n>true</th>"
        f"<th class=n>said</th><th>precision</th><th>recall</th><th>F1</th></tr>{rows}</table>"
    )


def _f1(value: float | None, interval: tuple[float, float] | None) -> str:
    if value is None:
        return "-"
    return f"{value:.3f}" if interval is None else f"{value:.3f} ({interval[0]:.3f}-{interval[1]:.3f})"


def _confusion(score: FacetScore) -> str:
    """What was said of what is true; the shade is the share of the row."""
    names, table = score.confusion.names, score.confusion.table
    share = table / np.maximum(table.sum(axis=1, keepdims=True), 1)

    def draw(axes: Axes) -> None:
        axes.pcolormesh(share, cmap="Blues", vmin=0, vmax=1, edgecolors="white")  # no bitmap, as imshow's
        axes.invert_yaxis()
        for row, column in zip(*np.nonzero(table), strict=True):
            colour = "white" if share[row, column] > 0.5 else "black"
            axes.text(
                column + 0.5, row + 0.5, f"{table[row, column]:,}", ha="center", va="center", color=colour
            )
        middle = np.arange(len(names)) + 0.5
        axes.set_xticks(middle, _words(names), rotation=45, ha="right")
        axes.set_yticks(middle, _words(names))
        axes.set_xlabel("said")
        axes.set_ylabel("true")

    side = 1.4 + 0.38 * len(names)
    return svg(draw, (min(9.0, side + 2), min(8.0, side)))


def _measures(score: FacetScore) -> str:
    """Precision and recall of each value, with their intervals."""

    def draw(axes: Axes) -> None:
        for shift, (name, colour) in zip((-0.14, 0.14), MEASURES, strict=True):
            for at, value in enumerate(score.values):
                share: Share = getattr(value.counts, name)
                if share.value is not None and share.interval is not None:
                    axes.plot(share.interval, [at + shift] * 2, color=colour, linewidth=1.2)
                    axes.plot(share.value, at + shift, "o", color=colour, markersize=4)
            axes.plot([], [], "o-", color=colour, label=name)
        axes.set_yticks(range(len(score.values)), _words([value.name for value in score.values]))
        axes.set_ylim(len(score.values) - 0.5, -0.5)
        axes.set_xlim(-0.02, 1.02)
        axes.axvline(1, color=QUIET, linewidth=0.6)
        axes.legend(frameon=False, loc="upper left", bbox_to_anchor=(1.01, 1))

    return svg(draw, (7.5, 0.9 + 0.32 * len(score.values)))


def _words(names: tuple[str, ...] | list[str]) -> list[str]:
    """For matplotlib, to which a dollar begins a formula; the SVG writer makes them XML."""
    from fl0p_py.output.escape import escape

    return [escape(name).replace("$", r"\$") for name in names]


def _signatures(found: Evaluation) -> str:
    def draw(axes: Axes) -> None:
        for one in found.signatures:
            if one.named:
                axes.plot(one.bits, one.named, "o", color=SECOND if one.false else FIRST, markersize=4)
        for label, colour in (("no false match", FIRST), ("with false matches", SECOND)):
            axes.plot([], [], "o", color=colour, label=label, markersize=4)
        axes.set_yscale("log")
        axes.set_xlabel("bits of specificity")
        axes.set_ylabel("labelled flows named")
        axes.legend(frameon=False)

    rows = "".join(
        f"<tr><td>{text(one.id)}</td><td class=n>{one.named:,}</td><td class=n>{one.false:,}</td>"
        f"<td class=n>{one.shared:,}</td><td class=n>{one.bits:.1f}</td></tr>"
        for one in found.signatures
        if one.named
    )
    silent = sum(not one.named for one in found.signatures)
    words = (
        "Each tried as if it were the only one. false: flows of which it says what is not true; shared: "
        "flows that another signature with the same facets names as well. "
        f"{counted(silent, 'signature')} more: no labelled flow."
    )
    return (
        f"<h2>Signatures</h2>{svg(draw, (7.5, 2.6))}<p class=dim>{words}</p>"
        "<table><tr><th>signature</th><th class=n>flows</th><th class=n>false</th>"
        f"<th class=n>shared</th><th class=n>bits</th></tr>{rows}</table>"
    )
