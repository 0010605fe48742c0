"""Figures of results: after Figs. 5 and 7 to 10 and Fig. S1 of the paper, and some more.

`rows` are always rows of the leaderboard (`sgbench.leaderboard.COLUMNS`). What is drawn as an
interval is their 95 % interval.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sgbench.datasets import mesh_of, with_family
from sgbench.plots._style import BLUE, GREEN, GREY, ORANGE, PURPLE, WIDTH, style
from sgbench.symmetry import (
    PAPER_FAMILIES,
    TOP_K,
    class_labels,
    extinction_classes,
    family_spacegroups,
    spacegroup_symbol,
)

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from sgbench.evaluation import Score

# Relative frequencies below this share the lightest colour.
_RAREST = 0.01
_COLOURS = (ORANGE, BLUE, GREEN, PURPLE)
_MARKERS = ("o", "s", "^", "D", "v", "P", "X")
_INGREDIENTS = {
    "wilson": "Wilson statistics",
    "multiplicity": "multiplicity",
    "falloff": "fall-off",
}
_ACRONYMS = ("ulbd", "cddd", "gcdd")


def short_name(dataset: str, family: str | None = None) -> str:
    """Return the name of a set as figures have it: ``ulbd-physical-cubic`` as ULBD-physical."""
    name = dataset if family is None else dataset.replace(f"-{family}", "")
    for acronym in _ACRONYMS:
        name = name.replace(acronym, acronym.upper())
    return name


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
    with style():
        from matplotlib.cm import ScalarMappable
        from matplotlib.collections import PolyCollection
        from matplotlib.colors import LinearSegmentedColormap, LogNorm
        from matplotlib.figure import Figure
        from matplotlib.ticker import MultipleLocator, NullLocator

        norm = LogNorm(_RAREST, 1, clip=True)
        maps = [
            LinearSegmentedColormap.from_list(name, colours)
            for name, colours in (
                ("the same class", ("#A9CDE6", BLUE, "#00263D")),
                ("another class", ("#F6C29B", ORANGE, "#5A2700")),
            )
        ]
        figure = Figure(figsize=(WIDTH, 1.2 + 5.4 / len(panels)))
        axes = figure.subplots(1, 2 * len(panels), width_ratios=[7, 1] * len(panels))
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


def top_k_accuracies(rows: "pd.DataFrame") -> "Figure":
    """Show top-1 to top-5 accuracy beside its ceiling (Figs. 5c and 9).

    Parameters
    ----------
    rows : DataFrame
        Of one model and one class scheme; a panel a family, a curve a test set.
    """
    with style():
        from matplotlib.figure import Figure

        families = _families(rows)
        figure = Figure(figsize=(WIDTH, 2.8))
        axes = figure.subplots(1, len(families), sharey=True, squeeze=False)[0]
        k = np.arange(1, TOP_K + 1)
        tests = list(dict.fromkeys(rows["test_set"]))
        for panel, family in zip(axes, families, strict=True):
            mine = rows[rows["family"] == family]
            same = len(mine[_columns("ceiling_top{}")].round(6).drop_duplicates()) == 1
            ceilings = 100 * mine[_columns("ceiling_top{}")].to_numpy(dtype=float)
            if same:
                panel.bar(k, ceilings[0], 0.7, color="#DDDDDD", linewidth=0, label="ceiling")
            for ceiling, (_, row) in zip(ceilings, mine.iterrows(), strict=True):
                index = tests.index(row["test_set"])
                colour, marker = _look(index)
                name = short_name(row["test_set"], family)
                shift = 0.2 * (index - (len(tests) - 1) / 2)
                if not same:
                    panel.plot(
                        k + shift, ceiling, "_--", color=colour, markersize=9, linewidth=0.8,
                        label=f"ceiling, {name}",
                    )  # fmt: skip
                top, errors = _top(row)
                panel.errorbar(
                    k + shift, top, errors, fmt=marker + ("" if same else "-"),
                    color=colour, markersize=3.5, linewidth=0.8, capsize=2, label=name,
                )  # fmt: skip
            panel.set(title=family, xlabel="k", xticks=k)
            panel.set_ylim(0, 103)
        axes[0].set_ylabel("top-k accuracy (%)")
        _legend(figure, axes)
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
    with style():
        from matplotlib.figure import Figure

        figure = Figure(figsize=(WIDTH, 2.9))
        axes = figure.subplots(1, len(histories), sharey=True, squeeze=False)[0]
        for panel, (title, runs) in zip(axes, histories.items(), strict=True):
            for number, run in enumerate(runs):
                panel.plot(
                    run["patterns"] / 1000, 100 * run["top1"], "o-", color=BLUE, markersize=3,
                    linewidth=0.9, label="validation" if number == 0 else None,
                )  # fmt: skip
            looks = zip((ORANGE, GREEN, PURPLE), ("--", "-.", ":"), strict=True)
            for (name, value), (colour, dashes) in zip(
                ceilings[title].items(), looks, strict=False
            ):
                panel.axhline(
                    100 * value, color=colour, linestyle=dashes, linewidth=1.2,
                    label=f"{name}, {100 * value:.1f} %",
                )  # fmt: skip
            panel.legend(loc="lower right", frameon=False)
            panel.set(title=title, xlabel="training patterns (thousands)")
            panel.set_xlim(left=0)
            panel.set_ylim(0, 100)
        axes[0].set_ylabel("top-1 accuracy over space groups (%)")
        return figure


def relabelling_scheme(family: str) -> "Figure":
    """Show which space groups of a family become one extinction class (Fig. 10a)."""
    classes = extinction_classes(family_spacegroups(family))
    with style():
        from matplotlib.figure import Figure

        figure = Figure(figsize=(WIDTH, 0.55 + 0.225 * len(classes)))
        axes = figure.subplots()
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


def generalization_bars(
    rows: "pd.DataFrame", train_sets: Sequence[str], test_sets: Sequence[tuple[str, str | None]]
) -> "Figure":
    """Show how models fare on data of another kind than they were trained on (Fig. 10b-d).

    Parameters
    ----------
    rows : DataFrame
        Of one model, over extinction classes; a panel a family.
    train_sets : sequence of str
        Without the family, e.g. ``ulbd``; a group of bars each.
    test_sets : sequence of (str, str or None)
        A bar each, and the test set that is marked on the bar (the part of it whose cells lie in
        the designed mesh).
    """
    with style():
        from matplotlib.figure import Figure

        families = _families(rows)
        figure = Figure(figsize=(WIDTH, 3.2))
        axes = figure.subplots(1, len(families), sharey=True, squeeze=False)[0]
        width = 0.8 / len(test_sets)
        for panel, family in zip(axes, families, strict=True):
            for index, (test_set, _) in enumerate(test_sets):
                shift = width * (index - (len(test_sets) - 1) / 2)
                found = _found(rows, family, train_sets, test_set)
                panel.bar(
                    [x + shift for x, _ in found], [100 * row["top1"] for _, row in found], width,
                    color=_look(index)[0], linewidth=0, label=short_name(test_set, family),
                    yerr=np.array([_top(row)[1][:, 0] for _, row in found]).reshape(-1, 2).T,
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
            names = [short_name(name, family) for name in train_sets]
            panel.set_xticks(range(len(names)), [name.replace("-", "\n") for name in names])
            panel.set(title=family, xlabel="trained on", ylim=(0, 103))
        axes[0].set_ylabel("extinction classes right (%)")
        _legend(figure, axes, title="tested on")
        return figure


def generalization_matrix(
    rows: "pd.DataFrame", train_sets: Sequence[str], test_sets: Sequence[str]
) -> "Figure":
    """Show every training set against every test set: the share of extinction classes right.

    Parameters
    ----------
    rows : DataFrame
        Of one model, over extinction classes; a panel a family.
    train_sets : sequence of str
        Without the family; rows of the matrix.
    test_sets : sequence of str
        Columns of the matrix.
    """
    with style():
        from matplotlib.figure import Figure

        families = _families(rows)
        figure = Figure(figsize=(WIDTH, 1.1 + len(families) * (0.3 + 0.24 * len(train_sets))))
        axes = figure.subplots(len(families), 1, sharex=True, squeeze=False)[:, 0]
        for panel, family in zip(axes, families, strict=True):
            found = [[_row(rows, family, name, test) for test in test_sets] for name in train_sets]
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
                    x + 0.5, y + 0.5, "–" if missing else f"{value:.1f}", ha="center",
                    va="center", color=GREY if missing else "black" if value > 50 else "white",
                )  # fmt: skip
            panel.set_yticks(
                np.arange(len(train_sets)) + 0.5, [short_name(name, family) for name in train_sets]
            )
            panel.set_xticks(
                np.arange(len(test_sets)) + 0.5,
                [_broken(short_name(name, family)) for name in test_sets],
            )
            panel.invert_yaxis()
            panel.set_title(family, loc="left")
            panel.tick_params(length=0)
            panel.spines[:].set_visible(False)
        axes[-1].set_xlabel("tested on")
        figure.supylabel("trained on", fontsize=8)
        figure.colorbar(
            image, ax=list(axes), label="extinction classes right (%)", aspect=40, pad=0.01
        )
        return figure


def mesh_dependence(rows: "pd.DataFrame") -> "Figure":
    """Show how accuracy depends on the mesh that a model was trained on (Fig. S1).

    Parameters
    ----------
    rows : DataFrame
        Of one model, family and class scheme, trained on sets named ``…@STEPxPATTERNS``: the step
        of the lattice in ångström and the number of patterns a lattice. A panel a test set.
    """
    meshes = [mesh for mesh in map(mesh_of, rows["train_set"]) if mesh]
    rows = rows.assign(
        step=[mesh.step for mesh in meshes], patterns=[mesh.patterns for mesh in meshes]
    )
    with style():
        from matplotlib import colormaps
        from matplotlib.figure import Figure

        tests = list(dict.fromkeys(rows["test_set"]))
        figure = Figure(figsize=(WIDTH, 3.0))
        axes = figure.subplots(1, len(tests), sharey=True, squeeze=False)[0]
        counts = sorted(set(rows["patterns"]))
        colours = colormaps["viridis"](np.linspace(0, 0.85, len(counts)))
        for panel, test_set in zip(axes, tests, strict=True):
            mine = rows[rows["test_set"] == test_set].sort_values("step")
            for index, (colour, n) in enumerate(zip(colours, counts, strict=True)):
                curve = mine[mine["patterns"] == n]
                errors = np.array([_top(row)[1][:, 0] for _, row in curve.iterrows()])
                panel.errorbar(
                    curve["step"], 100 * curve["top1"], errors.reshape(-1, 2).T,
                    fmt=_look(index)[1] + "-", color=colour, markersize=4, linewidth=0.9,
                    capsize=2, label=f"{n} pattern{'s' if n > 1 else ''} a lattice",
                )  # fmt: skip
            ceiling = 100 * float(mine["ceiling_top1"].iloc[0])
            panel.axhline(ceiling, color="black", linestyle="--", linewidth=0.9, label="ceiling")
            steps = sorted(set(rows["step"]))
            panel.set_xscale("log")
            panel.set_xticks(steps, [f"{step:g}" for step in steps])
            panel.set_xticks([], minor=True)
            panel.set(xlabel="lattice step (Å)", ylim=(0, 1.1 * ceiling))
            panel.set_title(f"tested on {short_name(test_set, mine['family'].iloc[0])}")
        axes[0].set_ylabel("top-1 accuracy over space groups (%)")
        _legend(figure, axes)
        return figure


def designed_sets(
    rows: "pd.DataFrame", train_sets: Sequence[str], test_sets: Sequence[str]
) -> "Figure":
    """Compare designed training sets with each other: what each ingredient brings.

    Parameters
    ----------
    rows : DataFrame
        Of one model, over extinction classes.
    train_sets : sequence of str
        Without the family, from top to bottom. The first is what the others are compared with.
    test_sets : sequence of str
        A column of panels each.
    """
    with style():
        from matplotlib.figure import Figure

        families = _families(rows)
        lines = {
            family: [name for name in train_sets
                     if any(_row(rows, family, name, test) is not None for test in test_sets)]
            for family in families
        }  # fmt: skip
        heights = [len(names) + 0.6 for names in lines.values()]
        figure = Figure(figsize=(WIDTH, 0.5 + 0.35 * len(families) + 0.26 * sum(heights)))
        axes = figure.subplots(
            len(families), len(test_sets), squeeze=False, sharex="col", height_ratios=heights
        )
        for line, (family, names) in zip(axes, lines.items(), strict=True):
            for panel, test_set in zip(line, test_sets, strict=True):
                for y, name in enumerate(names):
                    row = _row(rows, family, name, test_set)
                    if row is None:
                        continue
                    top, errors = _top(row)
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
                        f"{top[0]:.1f}", (top[0], y), (0, 4), textcoords="offset points",
                        ha="center", fontsize=6.5, color=colour,
                    )  # fmt: skip
                panel.set_ylim(len(names) - 0.5, -0.8)
                panel.margins(x=0.15)
                panel.set_yticks([])
            line[0].set_yticks(range(len(names)), [_variant(name, family) for name in names])
            line[0].set_ylabel(family.replace("-", "-\n"))
        for panel, test_set in zip(axes[0], test_sets, strict=True):
            panel.set_title(f"tested on\n{short_name(test_set, families[0])}")
        figure.align_ylabels(axes[:, 0])
        figure.supxlabel("extinction classes right (%)", fontsize=8)
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
    with style():
        from matplotlib.figure import Figure

        figure = Figure(figsize=(WIDTH, 0.9 + 0.2 * len(names)))
        axes = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
        for panel, (title, rows) in zip(axes, panels, strict=True):
            ceiling = 100 * float(rows["ceiling_top1"].iloc[0])
            panel.axvline(ceiling, color="black", linestyle="--", linewidth=0.9)
            panel.annotate(
                f"ceiling {ceiling:.1f}", (ceiling, 0.0), (-2, 2), ha="right", va="bottom",
                xycoords=panel.get_xaxis_transform(), textcoords="offset points", fontsize=6.5,
            )  # fmt: skip
            for _, row in rows.iterrows():
                top, errors = _top(row)
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


def _families(rows: "pd.DataFrame") -> list[str]:
    present = set(rows["family"])
    return [family for family in PAPER_FAMILIES if family in present]


def _columns(pattern: str) -> list[str]:
    return [pattern.format(k) for k in range(1, TOP_K + 1)]


def _top(row: "pd.Series") -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return top-1 to top-5 in percent, and how far their intervals reach down and up."""
    top, low, high = (
        100 * row[_columns(pattern)].to_numpy(dtype=float)
        for pattern in ("top{}", "top{}_low", "top{}_high")
    )
    # A bootstrapped interval of several seeds' mean need not hold the mean to the last digit.
    return top, np.maximum([top - low, high - top], 0.0)


def _row(rows: "pd.DataFrame", family: str, train_set: str, test_set: str) -> "pd.Series | None":
    """Return the row of a training set (without its family) and a test set, if there is one."""
    found = rows[
        (rows["family"] == family)
        & (rows["train_set"] == with_family(train_set, family))
        & (rows["test_set"] == test_set)
    ]
    return None if found.empty else found.iloc[0]


def _found(
    rows: "pd.DataFrame", family: str, train_sets: Sequence[str], test_set: str
) -> list[tuple[int, "pd.Series"]]:
    """Return the rows of a test set, with the place of each one's training set."""
    pairs = [(x, _row(rows, family, name, test_set)) for x, name in enumerate(train_sets)]
    return [(x, row) for x, row in pairs if row is not None]


def _variant(train_set: str, family: str) -> str:
    name, _, variant = train_set.partition("-no-")
    return f"without {_INGREDIENTS[variant]}" if variant else short_name(name, family)


def _broken(name: str) -> str:
    """Break the name of a test set into lines that fit into a column."""
    for part in ("-in-", "-off-", "-paper", "-test"):
        name = name.replace(part, f"\n{part[1:]}")
    return name


def _look(index: int) -> tuple[str, str]:
    """Return the colour and the marker of the n-th curve."""
    return _COLOURS[index % len(_COLOURS)], _MARKERS[index % len(_MARKERS)]


def _legend(figure: "Figure", axes: Sequence["Axes"], title: str | None = None) -> None:
    """Put one legend for all panels above them."""
    found: dict[str, Any] = {}
    for panel in axes:
        for handle, label in zip(*panel.get_legend_handles_labels(), strict=True):
            found.setdefault(label, handle)
    figure.legend(
        list(found.values()), list(found), loc="outside upper center", ncols=min(len(found), 5),
        frameon=False, title=title, title_fontsize=8, fontsize=7.5,
    )  # fmt: skip
