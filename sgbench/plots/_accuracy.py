"""Figures of accuracies: over k, over the course of a training, over meshes, over models.

`rows` are always rows of the leaderboard (`sgbench.leaderboard.COLUMNS`). What is drawn as an
interval is their 95 % interval.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from sgbench.evaluation import CLASS_SCHEMES, SCHEME_NAMES
from sgbench.plots._rows import families_of, top_columns, tops
from sgbench.plots._style import BLUE, GREEN, ORANGE, PURPLE, legend, look, page
from sgbench.sets import SetSpec
from sgbench.symmetry import TOP_K
from sgbench.text import percent

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def top_k_accuracies(rows: "pd.DataFrame") -> "Figure":
    """Show top-1 to top-5 accuracy beside its ceiling (Figs. 5c and 9).

    Parameters
    ----------
    rows : DataFrame
        Of one model and one class scheme; a panel a family, a curve a test set.
    """
    families = families_of(rows)
    with page(1, len(families), 2.8, sharey=True) as (figure, (axes,)):
        tests = list(dict.fromkeys(rows["test_set"]))
        for panel, family in zip(axes, families, strict=True):
            _top_k(panel, rows[rows["family"] == family], tests)
            panel.set_title(family)
        axes[0].set_ylabel("top-k accuracy (%)")
        legend(figure, axes)
        return figure


def top_k_by_scheme(rows: "pd.DataFrame") -> "Figure":
    """Show top-1 to top-5 accuracy beside its ceiling, by space group and by extinction class.

    Parameters
    ----------
    rows : DataFrame
        Of one model and one family; a panel a class scheme, a curve a test set.
    """
    schemes = [one for one in CLASS_SCHEMES if one in set(rows["class_scheme"])]
    with page(1, len(schemes), 2.8, sharey=True) as (figure, (axes,)):
        tests = list(dict.fromkeys(rows["test_set"]))
        for panel, scheme in zip(axes, schemes, strict=True):
            _top_k(panel, rows[rows["class_scheme"] == scheme], tests)
            panel.set_title(SCHEME_NAMES[scheme])
        axes[0].set_ylabel("top-k accuracy (%)")
        legend(figure, axes)
        return figure


def training_curves(
    histories: Mapping[str, Sequence["pd.DataFrame"]], ceilings: Mapping[str, Mapping[str, float]]
) -> "Figure":
    """Show how the accuracy over space groups rose in training (Fig. 8).

    Parameters
    ----------
    histories : mapping of str to sequence of DataFrame
        From the title of a panel to the histories of its trainings, one a seed, with the columns of
        `sgbench.training.Progress`.
    ceilings : mapping of str to mapping of str to float
        From the title of a panel to the lines that it has: name and fraction.
    """
    with page(1, len(histories), 2.9, sharey=True) as (figure, (axes,)):
        for panel, (title, runs) in zip(axes, histories.items(), strict=True):
            for number, run in enumerate(runs):
                panel.plot(
                    run["patterns"] / 1000, 100 * run["top1"], "o-", color=BLUE, markersize=3,
                    linewidth=0.9, label="validation" if number == 0 else None,
                )  # fmt: skip
            for (name, value), colour, dashes in zip(
                ceilings[title].items(), (ORANGE, GREEN, PURPLE), ("--", "-.", ":"), strict=False
            ):
                panel.axhline(
                    100 * value, color=colour, linestyle=dashes, linewidth=1.2,
                    label=f"{name}, {percent(value)} %",
                )  # fmt: skip
            panel.legend(loc="lower right", frameon=False)
            panel.set(title=title, xlabel="training patterns (thousands)")
            panel.set_xlim(left=0)
            panel.set_ylim(0, 100)
        axes[0].set_ylabel("top-1 accuracy over space groups (%)")
        return figure


def regret_curves(histories: Mapping[str, Sequence["pd.DataFrame"]]) -> "Figure":
    """Show how the regret fell in training, both axes logarithmic.

    Parameters
    ----------
    histories : mapping of str to sequence of DataFrame
        From the title of a panel to the histories of its trainings, one a seed, with the columns
        ``patterns`` and ``regret``. A regret that chance has put below 0 has no place on the axis.
    """
    with page(1, len(histories), 2.9, sharey=True) as (figure, (axes,)):
        for panel, (title, runs) in zip(axes, histories.items(), strict=True):
            for run in runs:
                shown = run[run["regret"] > 0]
                panel.plot(
                    shown["patterns"], shown["regret"], "o-", color=BLUE, markersize=3,
                    linewidth=0.9,
                )  # fmt: skip
            panel.set(title=title, xscale="log", yscale="log", xlabel="training patterns")
        axes[0].set_ylabel("regret over space groups (nats)")
        return figure


def mesh_dependence(rows: "pd.DataFrame") -> "Figure":
    """Show how accuracy depends on the mesh that a model was trained on (Fig. S1).

    Parameters
    ----------
    rows : DataFrame
        Of one model, family and class scheme, trained on sets named ``…@STEPxPATTERNS``: the step
        of the lattice in ångström and the number of patterns a lattice. A panel a test set.
    """
    meshes = [mesh for mesh in (SetSpec.parse(name).mesh for name in rows["train_set"]) if mesh]
    rows = rows.assign(
        step=[mesh.step for mesh in meshes], patterns=[mesh.patterns for mesh in meshes]
    )
    tests = list(dict.fromkeys(rows["test_set"]))
    with page(1, len(tests), 3.0, sharey=True) as (figure, (axes,)):
        from matplotlib import colormaps

        counts = sorted(set(rows["patterns"]))
        colours = colormaps["viridis"](np.linspace(0, 0.85, len(counts)))
        for panel, test_set in zip(axes, tests, strict=True):
            mine = rows[rows["test_set"] == test_set].sort_values("step")
            for index, (colour, n) in enumerate(zip(colours, counts, strict=True)):
                curve = mine[mine["patterns"] == n]
                errors = np.array([tops(row)[1][:, 0] for _, row in curve.iterrows()])
                panel.errorbar(
                    curve["step"], 100 * curve["top1"], errors.reshape(-1, 2).T,
                    fmt=look(index)[1] + "-", color=colour, markersize=4, linewidth=0.9,
                    capsize=2, label=f"{n} pattern{'s' if n > 1 else ''} a lattice",
                )  # fmt: skip
            ceiling = 100 * float(mine["ceiling_top1"].iloc[0])
            panel.axhline(ceiling, color="black", linestyle="--", linewidth=0.9, label="ceiling")
            steps = sorted(set(rows["step"]))
            panel.set_xscale("log")
            panel.set_xticks(steps, [f"{step:g}" for step in steps])
            panel.set_xticks([], minor=True)
            panel.set(xlabel="lattice step (Å)", ylim=(0, 1.1 * ceiling))
            panel.set_title(f"tested on {SetSpec.parse(test_set).label}")
        axes[0].set_ylabel("top-1 accuracy over space groups (%)")
        legend(figure, axes)
        return figure


def models_compared(panels: Sequence[tuple[str, "pd.DataFrame"]]) -> "Figure":
    """Compare all models, best first.

    Parameters
    ----------
    panels : sequence of (str, DataFrame)
        What a panel shows, and its rows: of one training set, test set, family and class scheme
        each. The first panel gives the order.

    Returns
    -------
    Figure
        A dot a model with its interval; the ceiling is a dashed line.
    """
    order = panels[0][1].sort_values("top1", ascending=False)["model"].tolist()
    order += [name for _, rows in panels for name in rows["model"] if name not in order]
    names = list(dict.fromkeys(order))
    with page(1, len(panels), 0.9 + 0.2 * len(names), sharey=True) as (figure, (axes,)):
        for panel, (title, rows) in zip(axes, panels, strict=True):
            share = float(rows["ceiling_top1"].iloc[0])
            ceiling = 100 * share
            panel.axvline(ceiling, color="black", linestyle="--", linewidth=0.9)
            panel.annotate(
                f"ceiling {percent(share)}", (ceiling, 0.0), (-2, 2), ha="right", va="bottom",
                xycoords=panel.get_xaxis_transform(), textcoords="offset points", fontsize=6.5,
            )  # fmt: skip
            for _, row in rows.iterrows():
                top, errors = tops(row)
                y = names.index(row["model"])
                panel.errorbar(
                    top[0], y, xerr=errors[:, :1], fmt="o", color=BLUE, markersize=4, capsize=2,
                    linewidth=0.9,
                )  # fmt: skip
            panel.set_title(title)
            panel.set_xlim(0, 1.06 * ceiling)
            panel.grid(axis="y", color="#E4E4E4", linewidth=0.5)
            panel.set_axisbelow(True)
        axes[0].set_yticks(range(len(names)), names)
        axes[0].set_ylim(len(names) - 0.2, -0.6)
        figure.supxlabel("top-1 accuracy (%)", fontsize=8)
        return figure


def _top_k(panel: "Axes", mine: "pd.DataFrame", tests: Sequence[str]) -> None:
    """Draw the accuracies of rows, a curve a test set, over their ceilings."""
    k = np.arange(1, TOP_K + 1)
    same = len(mine[top_columns("ceiling_top{}")].round(6).drop_duplicates()) == 1
    ceilings = 100 * mine[top_columns("ceiling_top{}")].to_numpy(dtype=float)
    if same and not np.isnan(ceilings).any():
        panel.bar(k, ceilings[0], 0.7, color="#DDDDDD", linewidth=0, label="ceiling")
    for ceiling, (_, row) in zip(ceilings, mine.iterrows(), strict=True):
        index = tests.index(row["test_set"])
        colour, marker = look(index)
        name = SetSpec.parse(row["test_set"]).label
        shift = 0.2 * (index - (len(tests) - 1) / 2)
        if not same and not np.isnan(ceiling).any():
            panel.plot(
                k + shift, ceiling, "_--", color=colour, markersize=9, linewidth=0.8,
                label=f"ceiling, {name}",
            )  # fmt: skip
        top, errors = tops(row)
        panel.errorbar(
            k + shift, top, errors, fmt=marker + ("" if same else "-"),
            color=colour, markersize=3.5, linewidth=0.8, capsize=2, label=name,
        )  # fmt: skip
    panel.set(xlabel="k", xticks=k)
    panel.set_ylim(0, 103)
