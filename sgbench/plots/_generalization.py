"""Figures of generalization: training sets of one kind against test sets of another.

`rows` are always rows of the leaderboard (`sgbench.leaderboard.COLUMNS`). What is drawn as an
interval is their 95 % interval.
"""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from sgbench.plots._rows import families_of, row_of, tops
from sgbench.plots._style import BLUE, GREY, ORANGE, legend, look, page
from sgbench.plots.shown import WITHOUT
from sgbench.sets import SetSpec
from sgbench.text import percent

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure


def generalization_bars(
    rows: "pd.DataFrame",
    train_sets: Sequence[SetSpec],
    test_sets: Sequence[tuple[SetSpec, SetSpec | None]],
) -> "Figure":
    """Show how models fare on data of another kind than they were trained on (Fig. 10b-d).

    Parameters
    ----------
    rows : DataFrame
        Of one model, over extinction classes; a panel a family.
    train_sets : sequence of SetSpec
        A group of bars each; every panel shows the sets of its own family.
    test_sets : sequence of (SetSpec, SetSpec or None)
        A bar each, and the test set that is marked on the bar (the part of it whose cells lie in
        the designed mesh).
    """
    families = families_of(rows)
    with page(1, len(families), 3.2, sharey=True) as (figure, (axes,)):
        width = 0.8 / len(test_sets)
        for panel, family in zip(axes, families, strict=True):
            for index, (test_set, _) in enumerate(test_sets):
                shift = width * (index - (len(test_sets) - 1) / 2)
                found = _found(rows, family, train_sets, test_set)
                panel.bar(
                    [x + shift for x, _ in found], [100 * row["top1"] for _, row in found], width,
                    color=look(index)[0], linewidth=0, label=test_set.label,
                    yerr=np.array([tops(row)[1][:, 0] for _, row in found]).reshape(-1, 2).T,
                    error_kw={"linewidth": 0.8, "capsize": 1.5},
                )  # fmt: skip
            for index, (_, part) in enumerate(test_sets):
                marked = _found(rows, family, train_sets, part) if part else []
                if marked:
                    shift = width * (index - (len(test_sets) - 1) / 2)
                    panel.errorbar(
                        [x + shift for x, _ in marked], [100 * row["top1"] for _, row in marked],
                        fmt="D", color="white", markeredgecolor="black", markersize=3,
                        markeredgewidth=0.6, label="cells in the ULBD's mesh only",
                    )  # fmt: skip
            panel.set_xticks(
                range(len(train_sets)), [spec.label.replace("-", "\n") for spec in train_sets]
            )
            panel.set(title=family, xlabel="trained on", ylim=(0, 103))
        axes[0].set_ylabel("extinction classes right (%)")
        legend(figure, axes, title="tested on")
        return figure


def generalization_matrix(
    rows: "pd.DataFrame", train_sets: Sequence[SetSpec], test_sets: Sequence[SetSpec]
) -> "Figure":
    """Show every training set against every test set: the share of extinction classes right.

    Parameters
    ----------
    rows : DataFrame
        Of one model, over extinction classes; a panel a family.
    train_sets : sequence of SetSpec
        Rows of the matrix; every panel shows the sets of its own family.
    test_sets : sequence of SetSpec
        Columns of the matrix.
    """
    families = families_of(rows)
    height = 1.1 + len(families) * (0.3 + 0.24 * len(train_sets))
    with page(len(families), 1, height, sharex=True) as (figure, axes):
        for panel, family in zip(axes.flat, families, strict=True):
            found = [
                [row_of(rows, family, name, test) for test in test_sets] for name in train_sets
            ]
            values = np.array(
                [[np.nan if row is None else 100 * row["top1"] for row in line] for line in found]
            )
            image = panel.pcolormesh(
                np.ma.masked_invalid(values), cmap="cividis", vmin=0, vmax=100,
                edgecolor="white", linewidth=1,
            )  # fmt: skip
            for (y, x), value in np.ndenumerate(values):
                missing = np.isnan(value)
                panel.text(
                    x + 0.5, y + 0.5, percent(value / 100), ha="center",
                    va="center", color=GREY if missing else "black" if value > 50 else "white",
                )  # fmt: skip
            panel.set_yticks(np.arange(len(train_sets)) + 0.5, [spec.label for spec in train_sets])
            panel.set_xticks(
                np.arange(len(test_sets)) + 0.5,
                # In lines that fit into a column; "in-mesh" stays together.
                [re.sub("(?<!-in)(?<!-off)-", "\n", spec.label) for spec in test_sets],
            )
            panel.invert_yaxis()
            panel.set_title(family, loc="left")
            panel.tick_params(length=0)
            panel.spines[:].set_visible(False)
        axes[-1, 0].set_xlabel("tested on")
        figure.supylabel("trained on", fontsize=8)
        figure.colorbar(
            image, ax=list(axes.flat), label="extinction classes right (%)", aspect=40, pad=0.01
        )
        return figure


def designed_sets(
    rows: "pd.DataFrame", train_sets: Sequence[SetSpec], test_sets: Sequence[SetSpec]
) -> "Figure":
    """Compare designed training sets with each other: what each ingredient brings.

    Parameters
    ----------
    rows : DataFrame
        Of one model, over extinction classes.
    train_sets : sequence of SetSpec
        From top to bottom; the first is what the others are compared with. Every line of panels
        shows the sets of its own family.
    test_sets : sequence of SetSpec
        A column of panels each.
    """
    families = families_of(rows)
    lines = {
        family: [name for name in train_sets
                 if any(row_of(rows, family, name, test) is not None for test in test_sets)]
        for family in families
    }  # fmt: skip
    heights = [len(names) + 0.6 for names in lines.values()]
    height = 0.5 + 0.35 * len(families) + 0.26 * sum(heights)
    with page(len(families), len(test_sets), height, sharex="col", height_ratios=heights) as (
        figure,
        axes,
    ):
        for line, (family, names) in zip(axes, lines.items(), strict=True):
            for panel, test_set in zip(line, test_sets, strict=True):
                for y, name in enumerate(names):
                    row = row_of(rows, family, name, test_set)
                    if row is None:
                        continue
                    top, errors = tops(row)
                    colour = ORANGE if y == 0 else BLUE if y == 1 else GREY
                    if y == 0:
                        panel.axvspan(
                            top[0] - errors[0, 0], top[0] + errors[1, 0], color=colour,
                            alpha=0.15, linewidth=0,
                        )  # fmt: skip
                    panel.errorbar(
                        top[0], y, xerr=errors[:, :1], fmt="o", color=colour, markersize=4,
                        capsize=2, linewidth=0.9,
                    )  # fmt: skip
                    panel.annotate(
                        percent(top[0] / 100), (top[0], y), (0, 4), textcoords="offset points",
                        ha="center", fontsize=6.5, color=colour,
                    )  # fmt: skip
                panel.set_ylim(len(names) - 0.5, -0.8)
                panel.margins(x=0.15)
                panel.set_yticks([])
            line[0].set_yticks(
                range(len(names)),
                [f"without {WITHOUT[one]}" if one in WITHOUT else one.label for one in names],
            )
            line[0].set_ylabel(family.replace("-", "-\n"))
        for panel, test_set in zip(axes[0], test_sets, strict=True):
            panel.set_title(f"tested on\n{test_set.label}")
        figure.align_ylabels(axes[:, 0])
        figure.supxlabel("extinction classes right (%)", fontsize=8)
        return figure


def _found(
    rows: "pd.DataFrame", family: str, train_sets: Sequence[SetSpec], test_set: SetSpec
) -> list[tuple[int, "pd.Series"]]:
    """Return the rows of a test set, with the place of each one's training set."""
    pairs = [(x, row_of(rows, family, name, test_set)) for x, name in enumerate(train_sets)]
    return [(x, row) for x, row in pairs if row is not None]
