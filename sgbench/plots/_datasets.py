"""Figures of datasets: after Figs. 2, 3, 4 and 6 of the paper."""

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sgbench.diffraction import PatternProtocol, render
from sgbench.plots._style import BLUE, GREY, ORANGE, SHADES, WIDTH, page, style
from sgbench.sets import CELLS_OF
from sgbench.structures import FEW, CrystalSet, group_counts
from sgbench.symmetry import (
    crystal_system,
    family_of,
    family_spacegroups,
    spacegroup_symbol,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: The space group whose patterns the paper shows in Fig. 3 (P m a 2).
PATTERNS_OF = 28


def portrait_group(crystals: CrystalSet, wanted: int, taken: tuple[int, ...] = ()) -> int:
    """Choose the space group to show where the paper shows a certain one.

    Parameters
    ----------
    crystals : CrystalSet
    wanted : int
        The paper's choice; it is taken if at least `sgbench.structures.FEW` structures have
        it.
    taken : tuple of int
        Space groups that are shown already.

    Returns
    -------
    int
        Else the group of that family with most structures; of any family where that one is empty.
    """
    n = Counter(crystals.spacegroup.tolist())
    if n[wanted] >= FEW:
        return wanted
    family = family_spacegroups(family_of(wanted))
    candidates = (
        [group for group in n if group in family and group not in taken]
        or [group for group in n if group not in taken]
        or list(n)
    )
    return int(min(candidates, key=lambda group: (-n[group], group)))


def portrait_groups(crystals: CrystalSet) -> dict[int, int]:
    """Choose the space groups for `cell_histograms`.

    Returns
    -------
    dict of int to int
        From each space group that the paper shows to the one to show in its place.
    """
    chosen: dict[int, int] = {}
    for wanted in CELLS_OF:
        chosen[wanted] = portrait_group(crystals, wanted, tuple(chosen.values()))
    return chosen


def cell_histograms(
    crystals: CrystalSet, spacegroups: Mapping[int, int], bin_width: float = 0.2
) -> "Figure":
    """Show how the edges of the cells of some space groups are distributed (Figs. 2 and 4).

    Parameters
    ----------
    crystals : CrystalSet
    spacegroups : mapping of int to int
        From each space group that the paper shows to the one shown; see `portrait_groups`.
    bin_width : float
        Ångström.

    Returns
    -------
    Figure
        A row a space group, with the histograms of a, b and c.
    """
    with style():
        from matplotlib.figure import Figure

        figure = Figure(figsize=(WIDTH, 1.9 * len(spacegroups)))
        rows = figure.subfigures(len(spacegroups), 1, squeeze=False)[:, 0]
        for row, (wanted, shown) in zip(rows, spacegroups.items(), strict=True):
            cells = crystals.cell[crystals.spacegroup == shown]
            row.suptitle(_title(crystals, wanted, shown))
            axes = row.subplots(1, 3, sharey=True)
            for number, (panel, edge) in enumerate(zip(axes, "abc", strict=True)):
                left, counts = _bins(cells[:, number], bin_width)
                panel.bar(left, counts, bin_width, align="edge", color=BLUE, linewidth=0)
                panel.set_xlabel(f"{edge} (Å)")
                panel.yaxis.get_major_locator().set_params(integer=True)
            axes[0].set_ylabel("structures")
        return figure


def patterns_of_one_group(
    crystals: CrystalSet, spacegroup: int = PATTERNS_OF, n: int = 5
) -> "Figure":
    """Show patterns of structures that share a space group and differ in their cells (Fig. 3).

    Parameters
    ----------
    crystals : CrystalSet
    spacegroup : int
        The paper's is Pma2; `portrait_group` says what is shown in its place where it is rare.
    n : int
        Patterns at most.

    Returns
    -------
    Figure
        Patterns above each other, from the smallest cell to the largest.
    """
    shown = portrait_group(crystals, spacegroup)
    members = np.flatnonzero(crystals.spacegroup == shown)
    members = members[_far_apart(np.log(crystals.cell[members, :3]), n)]
    protocol = PatternProtocol(**crystals.metadata["protocol"])
    patterns = render(crystals.lines.take(members), protocol)
    with page(1, 1, 0.8 + 0.75 * len(members)) as (figure, ((axes,),)):
        for height, (i, pattern) in enumerate(zip(members, patterns, strict=True)):
            base = 1.3 * height
            axes.plot(protocol.two_theta, base + pattern, color=BLUE if height % 2 else ORANGE)
            label = f"{_shortened(crystals.name[i])}: {_cell_text(crystals.cell[i])}"
            axes.text(protocol.two_theta_max, base + 1.02, label, ha="right", va="bottom")
        axes.set_title(_title(crystals, spacegroup, shown))
        axes.set_xlim(protocol.two_theta_min, protocol.two_theta_max)
        axes.set_ylim(-0.05, 1.3 * len(members) + 0.1)
        axes.set_xlabel("2θ (degrees)")
        axes.set_ylabel("intensity (maximum of each = 1)")
        axes.set_yticks([])
        return figure


def samples_per_group(crystals: CrystalSet) -> "Figure":
    """Show how many structures each space group and each crystal system has (Fig. 6).

    Returns
    -------
    Figure
        Above a bar a space group on a logarithmic axis, with a tick below the axis for each group
        that has none; below a bar a crystal system.
    """
    counts = group_counts(crystals)
    numbers = np.array([row["spacegroup"] for row in counts])
    n = np.array([row["n"] for row in counts])
    with page(2, 1, 4.6, height_ratios=(3, 2)) as (figure, ((groups,), (systems,))):
        groups.set_yscale("log")
        present = n > 0
        # Bars begin below 1, so that a single structure is seen.
        groups.bar(numbers[present], n[present] - 0.5, 1.0, bottom=0.5, color=BLUE, linewidth=0)
        groups.plot(
            numbers[~present],
            np.full((~present).sum(), 0.36),
            "|",
            color=ORANGE,
            markersize=4,
            markeredgewidth=0.8,
            label=f"no structure ({(~present).sum()} groups)",
        )
        groups.set_xlim(0.5, 230.5)
        groups.set_ylim(0.25, 1.5 * n.max())
        groups.yaxis.set_major_formatter("{x:,.0f}")
        groups.set_xlabel("space group")
        groups.set_ylabel("structures")
        _shade_systems(groups, set(numbers.tolist()))
        if not present.all():
            groups.legend(frameon=False, loc="lower right", bbox_to_anchor=(1, 1.04), borderpad=0)
        total = Counter[str]()
        for row in counts:
            total[row["system"]] += row["n"]
        bars = systems.bar(list(total), list(total.values()), color=BLUE, linewidth=0)
        systems.bar_label(bars, [f"{value:,}" for value in total.values()], padding=1)
        systems.yaxis.set_major_formatter("{x:,.0f}")
        systems.set_ylabel("structures")
        systems.margins(y=0.15)
        figure.suptitle(
            f"{crystals.metadata['name']}: {len(crystals):,} structures in "
            f"{present.sum()} of {len(n)} space groups"
        )
        return figure


def _title(crystals: CrystalSet, wanted: int, shown: int) -> str:
    n = Counter(crystals.spacegroup.tolist())
    text = f"{spacegroup_symbol(shown)} ({shown}), {n[shown]:,} structures"
    if shown == wanted:
        return text
    return f"{text}; the paper shows {spacegroup_symbol(wanted)}, which has {n[wanted]} here"


def _bins(
    values: NDArray[np.float64], width: float
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Count values in bins at multiples of a width; return left edges and counts."""
    # 5.4 is on the edge of a bin of 0.2, whatever 5.4 / 0.2 is in binary.
    index = np.floor(values / width + 1e-9).astype(np.int64)
    first = int(index.min())
    counts = np.bincount(index - first).astype(np.int64)
    return np.asarray((first + np.arange(len(counts))) * width, dtype=np.float64), counts


def _far_apart(points: NDArray[np.float64], n: int) -> NDArray[np.int64]:
    """Pick points that lie far from each other, beginning near the middle; by ascending sum."""
    middle = np.linalg.norm(points - np.median(points, axis=0), axis=1)
    chosen = [int(np.argmin(middle))]
    nearest = np.full(len(points), np.inf)
    while len(chosen) < min(n, len(points)):
        distance = np.linalg.norm(points - points[chosen[-1]], axis=1)
        nearest = np.minimum(nearest, distance)
        chosen.append(int(np.argmax(nearest)))
    return np.array(sorted(chosen, key=lambda i: float(points[i].sum())))


def _cell_text(cell: NDArray[np.float64]) -> str:
    a, b, c, *angles = cell
    fixed = {90.0, 120.0}
    named = zip(("α", "β", "γ"), angles, strict=True)
    free = [f"{name} = {angle:.1f}°" for name, angle in named if round(angle, 3) not in fixed]
    return ", ".join([f"a = {a:.2f}, b = {b:.2f}, c = {c:.2f} Å", *free])


def _shortened(name: str, length: int = 30) -> str:
    return name if len(name) <= length else f"{name[: length - 1]}…"


def _shade_systems(axes: "Axes", covered: set[int]) -> None:
    """Shade the range of each crystal system, hatched where the dataset does not reach."""
    systems: dict[str, list[int]] = {}
    for number in range(1, 231):
        systems.setdefault(crystal_system(number), []).append(number)
    for place, (system, members) in enumerate(systems.items()):
        settings: dict[str, Any] = {"color": SHADES[place % 2]}
        if members[0] not in covered:
            settings = {"facecolor": "none", "edgecolor": "#CCCCCC", "hatch": "///"}
        axes.axvspan(members[0] - 0.5, members[-1] + 0.5, linewidth=0, zorder=0, **settings)
        # Triclinic and monoclinic ranges are too narrow for their names.
        label = {"triclinic": "", "monoclinic": "tricl., monocl."}.get(system, system)
        axes.text(
            float(np.mean(members)) if label == system else 1,
            1.01,
            label,
            color=GREY,
            fontsize=7,
            ha="center" if label == system else "left",
            va="bottom",
            transform=axes.get_xaxis_transform(),
        )
