"""One style for all figures, and their file format."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sgbench.files import write_atomically

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Inches; the width of a page of text.
WIDTH = 6.9
# Okabe and Ito's colours, which colour-blind readers tell apart.
BLUE, ORANGE, GREEN, PURPLE, GREY = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#666666"
SHADES = ("#FFFFFF", "#EFEFEF")
_COLOURS = (ORANGE, BLUE, GREEN, PURPLE)
_MARKERS = ("o", "s", "^", "D", "v", "P", "X")
_STYLE = {
    "axes.grid": False,
    "axes.linewidth": 0.6,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "figure.constrained_layout.use": True,
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans", "Verdana", "Arial", "sans-serif"],
    "font.size": 8,
    "axes.labelsize": 8,
    "axes.titlesize": 8,
    "figure.titlesize": 8,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "lines.linewidth": 0.6,
    # Text stays text, so that it can be searched, and ids do not change from run to run.
    "svg.fonttype": "none",
    "svg.hashsalt": "sgbench",
}


def save(figure: "Figure", path: Path) -> None:
    """Write a figure as SVG; the same figure gives the same bytes.

    Raises
    ------
    SgbenchError
        If the folder cannot be written to.
    """
    with style(), write_atomically(path) as temporary:
        figure.savefig(temporary, format="svg", metadata={"Date": None})


def style() -> AbstractContextManager[None]:
    """Return the context that figures are drawn and written in."""
    from matplotlib import style as styles

    # From matplotlib's own defaults, whatever the reader's settings are.
    context: AbstractContextManager[None] = styles.context(["default", _STYLE])
    return context


@contextmanager
def page(rows: int, columns: int, height: float, **options: Any) -> Iterator[tuple["Figure", Any]]:
    """Yield a figure as wide as a page, and its panels, shape (rows, columns), to draw in style.

    Parameters
    ----------
    rows, columns : int
    height : float
        In inches.
    **options
        Of `matplotlib.figure.Figure.subplots`.
    """
    from matplotlib.figure import Figure

    with style():
        figure = Figure(figsize=(WIDTH, height))
        yield figure, figure.subplots(rows, columns, squeeze=False, **options)


def look(index: int) -> tuple[str, str]:
    """Return the colour and the marker of the n-th curve."""
    return _COLOURS[index % len(_COLOURS)], _MARKERS[index % len(_MARKERS)]


def legend(
    figure: "Figure", axes: Sequence["Axes"], title: str | None = None, most: int = 5
) -> None:
    """Put one legend for all panels above them, so many names a line at most."""
    found: dict[str, Any] = {}
    for panel in axes:
        for handle, label in zip(*panel.get_legend_handles_labels(), strict=True):
            found.setdefault(label, handle)
    figure.legend(
        list(found.values()), list(found), loc="outside upper center", ncols=min(len(found), most),
        frameon=False, title=title, title_fontsize=8, fontsize=7.5,
    )  # fmt: skip
