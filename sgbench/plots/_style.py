"""One style for all figures, and their file format."""

from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

from sgbench.files import write_atomically

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Inches; the width of a page of text.
WIDTH = 6.9
# Okabe and Ito's colours, which colour-blind readers tell apart.
BLUE, ORANGE, GREEN, PURPLE, GREY = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#666666"
SHADES = ("#FFFFFF", "#EFEFEF")
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
