"""Figures of labels: which space groups are taken for which, and which share a class."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sgbench.plots._style import BLUE, GREY, ORANGE, page
from sgbench.symmetry import (
    class_labels,
    extinction_classes,
    family_spacegroups,
    spacegroup_symbol,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from sgbench.evaluation import Score

# Relative frequencies below this share the lightest colour.
_RAREST = 0.01


def confusion_matrices(panels: Sequence[tuple[str, Sequence["Score"]]]) -> "Figure":
    """Show which space groups are taken for which (Figs. 5a, 5b and 7).

    Parameters
    ----------
    panels : sequence of (str, sequence of Score)
        What a panel shows, and its scores over space groups; several seeds are summed. All of one
        family.

    Returns
    -------
    Figure
        Each panel has the relative frequency within the true space group, on a logarithmic scale:
        blue where extinction laws cannot tell the two groups apart (such cells are shaded), orange
        where they can. Beside it are bars with the number of samples of each true group.
    """
    ratios = [7, 1] * len(panels)
    height = 1.2 + 5.4 / len(panels)
    with page(1, len(ratios), height, width_ratios=ratios) as (figure, (axes,)):
        from matplotlib.cm import ScalarMappable
        from matplotlib.collections import PolyCollection
        from matplotlib.colors import LinearSegmentedColormap, LogNorm
        from matplotlib.ticker import MultipleLocator, NullLocator

        norm = LogNorm(_RAREST, 1, clip=True)
        maps = [
            LinearSegmentedColormap.from_list(name, colours)
            for name, colours in (
                ("the same class", ("#A9CDE6", BLUE, "#00263D")),
                ("another class", ("#F6C29B", ORANGE, "#5A2700")),
            )
        ]
        for (title, scores), matrix, strip in zip(panels, axes[::2], axes[1::2], strict=True):
            numbers = np.array(family_spacegroups(scores[0].family))
            counts = _counts(scores, numbers)
            n = counts.sum(axis=1)
            share = counts / np.maximum(n, 1)[:, None]
            labels = class_labels(tuple(numbers.tolist()))
            alike = labels[:, None] == labels[None, :]
            matrix.add_collection(
                PolyCollection(_cells(alike, numbers), facecolor="#E4E4E4", linewidth=0)
            )
            for chosen, colours in zip((alike, ~alike), maps, strict=True):
                filled = chosen & (share > 0)
                cells = PolyCollection(
                    _cells(filled, numbers), array=share[filled], cmap=colours, norm=norm,
                    linewidth=0,
                )  # fmt: skip
                matrix.add_collection(cells)
            edges = (numbers[0] - 0.5, numbers[-1] + 0.5)
            matrix.set(xlim=edges, ylim=edges[::-1], xlabel="predicted space group", title=title)
            matrix.spines[:].set_visible(True)
            step = 5 if len(numbers) < 40 else 10
            matrix.xaxis.set_major_locator(MultipleLocator(step))
            matrix.yaxis.set_major_locator(MultipleLocator(step))
            # Bars begin below 1, so that a single sample is seen.
            strip.barh(numbers[n > 0], n[n > 0] - 0.5, 0.8, left=0.5, color=GREY, linewidth=0)
            strip.set(xscale="log", xlim=(0.5, 1.5 * max(n.max(), 10)), ylim=edges[::-1])
            strip.set_yticks([])
            strip.xaxis.set_minor_locator(NullLocator())
            strip.set_xlabel("samples")
        axes[0].set_ylabel("true space group")
        for colours, side in zip(
            maps, (axes[: len(axes) // 2], axes[len(axes) // 2 :]), strict=True
        ):
            bar = figure.colorbar(
                ScalarMappable(norm, colours), ax=list(side), location="bottom", extend="min",
                fraction=0.04, aspect=40,
            )  # fmt: skip
            bar.set_ticks([0.01, 0.1, 1.0], labels=["1 %", "10 %", "100 %"])
            bar.set_label(f"of the true group taken for one of {colours.name}")
        return figure


def relabelling_scheme(family: str) -> "Figure":
    """Show which space groups of a family become one extinction class (Fig. 10a)."""
    classes = extinction_classes(family_spacegroups(family))
    with page(1, 1, 0.55 + 0.225 * len(classes)) as (figure, ((axes,),)):
        # Units of x are widths of a space group's box.
        most = max(len(cls.spacegroups) for cls in classes)
        frame = {"boxstyle": "round,pad=0.25", "linewidth": 0.5}
        for y, cls in enumerate(classes):
            several = len(cls.spacegroups) > 1
            colour = BLUE if several else GREY
            for x, number in enumerate(cls.spacegroups):
                axes.text(
                    most - len(cls.spacegroups) + x, y,
                    f"{number}  {spacegroup_symbol(number)}", fontsize=6.5, ha="center",
                    va="center", bbox={**frame, "facecolor": "#F4F4F4", "edgecolor": colour},
                )  # fmt: skip
            axes.annotate(
                "", (most - 0.02, y), (most - 0.47, y),
                arrowprops={"arrowstyle": "-|>", "color": colour, "linewidth": 0.8},
            )  # fmt: skip
            axes.text(
                most + 0.42, y, cls.symbol, fontsize=7, ha="center", va="center", color="white",
                fontweight="bold", bbox={**frame, "facecolor": colour, "edgecolor": colour},
            )  # fmt: skip
        axes.set_xlim(-0.55, most + 0.95)
        axes.set_ylim(len(classes) - 0.4, -1.1)
        n = len(family_spacegroups(family))
        axes.text((most - 1) / 2, -0.9, f"{n} space groups", ha="center", va="center")
        axes.text(most + 0.42, -0.9, f"{len(classes)} classes", ha="center", va="center")
        axes.set_axis_off()
        return figure


def _counts(scores: Sequence["Score"], numbers: NDArray[np.int64]) -> NDArray[np.int64]:
    counts = np.zeros((len(numbers), len(numbers)), dtype=np.int64)
    for result in scores:
        for true, predicted, n in result.confusion:
            counts[true - numbers[0], predicted - numbers[0]] += n
    return counts


def _cells(chosen: NDArray[np.bool_], numbers: NDArray[np.int64]) -> list[NDArray[np.float64]]:
    """Return the corners of the chosen cells of a matrix, (4, 2) each."""
    y, x = np.nonzero(chosen)
    corners = np.array([[-0.5, -0.5], [0.5, -0.5], [0.5, 0.5], [-0.5, 0.5]])
    centres = np.stack([numbers[x], numbers[y]], axis=1)
    return list(centres[:, None, :] + corners[None])
