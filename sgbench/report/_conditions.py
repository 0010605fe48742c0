"""What the report says of models under conditions of measurement."""

from collections.abc import Sequence

import pandas as pd

from sgbench.conditions import CONDITIONS, severities
from sgbench.leaderboard import (
    ConditionLine,
    CurvePoint,
    ceilings,
    condition_lines,
    curve_kinds,
    mixtures,
)
from sgbench.plots import line_name
from sgbench.report._tables import Table, table_of
from sgbench.symmetry import FAMILIES, PAPER_FAMILIES
from sgbench.text import percent

_NONE, _NO_BOUND = "–", "no bound"
_IDEAL = "ideal patterns"


def condition_tables(rows: pd.DataFrame) -> list[Table]:
    """Return accuracies under mixtures, and folded those under each condition, a table a family.

    Parameters
    ----------
    rows : DataFrame
        Of the leaderboard, as far as they are of models under conditions.
    """
    lines = condition_lines(rows)
    if not lines:
        return []
    order = dict.fromkeys((*PAPER_FAMILIES, *FAMILIES))
    families = [one for one in order if any(line.family == one for line in lines)]
    found = [_mixtures([line for family in families for line in lines if line.family == family])]
    for family in families:
        mine = [line for line in lines if line.family == family]
        if curve_kinds(mine):
            found.append(_severities(family, mine))
    return found


def _mixtures(lines: Sequence[ConditionLine]) -> Table:
    names = mixtures(lines)
    several = len({line.scale for line in lines}) > 1
    rows = []
    for line in lines:
        points = [line.ideal, *(line.points.get(name) for name in names)]
        if any(points[1:]):
            sizes = dict.fromkeys(f"{point.n_test:,}" for point in points if point)
            rows.append(
                [
                    line.family, line_name(line), *([line.scale] if several else []),
                    " and ".join(sizes), *map(_cell, points),
                ]
            )  # fmt: skip
    bounds = [name for name in names if any(ceilings(lines, name))]
    return table_of(
        "Extinction classes right without any condition, and under mixtures of conditions. "
        "Percent with 95 % intervals. "
        + (f"Only of {', '.join(bounds)} is a bound known." if bounds else
           "No bound is known under a mixture; without conditions it is that of the data."),
        ["family", "model", *(["scale"] if several else []), "n", _IDEAL, *names],
        rows,
    )  # fmt: skip


def _severities(family: str, lines: Sequence[ConditionLine]) -> Table:
    rows = []
    for kind in curve_kinds(lines):
        amounts = ", ".join(f"{one.severity:g}" for one in severities(kind))
        named = f"{kind} ({amounts} {CONDITIONS[kind].unit})"
        for line in lines:
            points = line.curve(kind)
            if any(points[1:]):
                rows.append([named, line_name(line), *map(_cell, points)])
        ceiling = ceilings(lines, kind)
        if any(ceiling):
            told = [_NONE if value is None else percent(value) for value in ceiling]
        else:
            told = [_NO_BOUND] * len(ceiling)
        rows.append([named, "highest possible", *told])
    return table_of(
        f"Extinction classes right at each severity, {family}. Percent with 95 % intervals; the "
        "mildest severity is 1.",
        ["condition", "model", "ideal", *map(str, range(1, 6))],
        rows,
        folded=True,
    )


def _cell(point: CurvePoint | None) -> str:
    if point is None:
        return _NONE
    return f"{percent(point.top1)} ({percent(point.low)}–{percent(point.high)})"
