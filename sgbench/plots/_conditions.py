"""Accuracy against severity: a small panel a condition, a curve a model."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sgbench.conditions import CONDITIONS, severities
from sgbench.plots._style import BLUE, GREEN, GREY, ORANGE, PURPLE, legend, look, page
from sgbench.plots.shown import ULBD
from sgbench.sets import SetSpec

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    # The leaderboard is pandas, for which an import of figures does not wait.
    from sgbench.leaderboard import ConditionLine, CurvePoint

_COLUMNS = 5
_COLOURS = (ORANGE, BLUE, GREEN, PURPLE, GREY)
# Names of units that fit beside the name of a condition.
_LONGEST_UNIT = 12


def condition_curves(lines: "Sequence[ConditionLine]") -> "Figure":
    """Show what each condition does to models, as far as there are results.

    Parameters
    ----------
    lines : sequence of ConditionLine
        Of one family and scale, each a curve; those without any severity are left out.
    """
    from sgbench.leaderboard import curve_kinds

    kinds = curve_kinds(lines)
    shown = [line for line in lines if curve_kinds([line])]
    columns = min(_COLUMNS, len(kinds))
    rows = -(-len(kinds) // columns)
    with page(rows, columns, 0.7 + 1.25 * rows, sharey=True) as (figure, axes):
        for panel in axes.flat[len(kinds) :]:
            panel.set_axis_off()
        for panel, kind in zip(axes.flat, kinds, strict=False):
            _panel(panel, kind, shown)
        figure.supylabel("extinction classes right (%)", fontsize=8)
        legend(figure, list(axes.flat), most=3)
        return figure


def line_name(line: "ConditionLine") -> str:
    """Return the model, with what it was trained on where that is not the ideal ULBD."""
    spec = SetSpec.find(line.train_set)
    if spec is None:
        trained = "" if line.train_set == "none" else line.train_set
        return ", trained on ".join(filter(None, (line.model, trained)))
    ideal = replace(spec, family="", conditions=())
    parts = [line.model, "" if ideal == ULBD else f"trained on {ideal.label}"]
    if spec.conditions:
        parts.append(f"trained under {' + '.join(map(str, spec.conditions))}")
    return ", ".join(filter(None, parts))


def curves_caption(lines: "Sequence[ConditionLine]") -> str:
    """Say what the curves of a family are of, and where there is a ceiling."""
    from sgbench.leaderboard import ceilings, curve_kinds

    kinds = curve_kinds(lines)
    bounded = [kind for kind in kinds if any(ceilings(lines, kind))]
    sizes = sorted({point.n_test for line in lines for point in line.points.values()})
    return (
        "Extinction classes right on ULBD-off-mesh, in percent with 95 % intervals, without any "
        f"condition (ideal) and at each of its severities, on {_range(sizes)} patterns a point. "
        + (
            f"The dashed line is the highest accuracy that is possible: of {', '.join(bounded)}. "
            "Of the other conditions no bound is known."
            if bounded
            else "No bound is known under these conditions."
        )
    )


def _panel(panel: "Axes", kind: str, lines: "Sequence[ConditionLine]") -> None:
    from sgbench.leaderboard import ceilings

    for index, line in enumerate(lines):
        points = line.curve(kind)
        if not any(points[1:]):
            continue
        colour, marker = _COLOURS[index % len(_COLOURS)], look(index)[1]
        x = [place for place, point in enumerate(points) if point]
        known = [point for point in points if point]
        panel.errorbar(
            x, [100 * point.top1 for point in known], yerr=_reach(known), color=colour,
            marker=marker, markersize=2.5, linewidth=0.9, elinewidth=0.5, label=line_name(line),
        )  # fmt: skip
    ceiling = ceilings(lines, kind)
    if any(ceiling):
        known_at = [place for place, value in enumerate(ceiling) if value is not None]
        panel.plot(
            known_at, [100 * (ceiling[place] or 0.0) for place in known_at], "--", color="black",
            linewidth=1, label="highest possible",
        )  # fmt: skip
    else:
        panel.text(0.04, 0.03, "no bound", color=GREY, fontsize=5.5, transform=panel.transAxes)
    unit = CONDITIONS[kind].unit
    named = kind if len(unit) > _LONGEST_UNIT or unit == kind else f"{kind} ({unit})"
    panel.set_title(named, fontsize=7)
    panel.set_xticks(range(6), ["ideal", *(_short(one.severity) for one in severities(kind))])
    panel.tick_params(axis="x", labelsize=5, rotation=45, length=2, pad=1)
    panel.set_ylim(0, 103)


def _reach(points: "Sequence[CurvePoint]") -> NDArray[np.float64]:
    # A bootstrapped interval need not hold the accuracy to the last digit.
    reach = [[100 * (one.top1 - one.low), 100 * (one.high - one.top1)] for one in points]
    return np.maximum(np.array(reach, dtype=np.float64).T, 0.0)


def _short(number: float | None) -> str:
    assert number is not None
    return f"{number / 1000:g}k" if number >= 1000 else f"{number:g}"


def _range(sizes: Sequence[int]) -> str:
    return f"{sizes[0]:,}" if len(sizes) == 1 else f"{sizes[0]:,} to {sizes[-1]:,}"
