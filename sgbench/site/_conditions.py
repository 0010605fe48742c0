"""Models under conditions of measurement, as the page draws them."""

from typing import Any

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

_DIGITS = 4


def conditions_data(rows: pd.DataFrame) -> dict[str, Any]:
    """Gather what the view of conditions shows.

    Parameters
    ----------
    rows : DataFrame
        Of the leaderboard, points of curves among them. Of rows with the same identity and as many
        samples the first counts.

    Returns
    -------
    dict
        ``kinds`` are the conditions that have curves: name, what it does, unit and severities.
        ``mixtures`` are names and what they do. ``lines`` have ``scale``, ``family``, ``model``,
        ``name`` (with what it was trained on), ``ideal``, ``curves`` (by kind, six points from
        ideal patterns on) and ``mixtures`` (by name); a point is an accuracy with its interval and
        number of samples, or None. ``ceilings`` are those under noise, by family and condition.
    """
    lines = condition_lines(rows)
    kinds, mixed = curve_kinds(lines), mixtures(lines)
    return {
        "kinds": [
            [name, CONDITIONS[name].text, CONDITIONS[name].unit,
             [f"{one.severity:g}" for one in severities(name)]]
            for name in kinds
        ],
        "mixtures": [[name, CONDITIONS[name].text] for name in mixed],
        "lines": [_line(line) for line in lines],
        "ceilings": {
            family: _ceilings([line for line in lines if line.family == family], [*kinds, *mixed])
            for family in dict.fromkeys(line.family for line in lines)
        },
    }  # fmt: skip


def _line(line: ConditionLine) -> dict[str, Any]:
    curves = {kind: line.curve(kind) for kind in curve_kinds([line])}
    return {
        "scale": line.scale,
        "family": line.family,
        "model": line.model,
        "name": line_name(line),
        "ideal": _numbers(line.ideal),
        "curves": {kind: [_numbers(point) for point in points] for kind, points in curves.items()},
        "mixtures": {name: _numbers(line.points[name]) for name in mixtures([line])},
    }


def _numbers(point: CurvePoint | None) -> list[float | int] | None:
    if point is None:
        return None
    return [*(round(one, _DIGITS) for one in (point.top1, point.low, point.high)), point.n_test]


def _ceilings(lines: list[ConditionLine], names: list[str]) -> dict[str, list[float | None]]:
    """Return ceilings under noise at each point of a condition, where one is known under it."""
    found = {}
    for name in names:
        ceiling = ceilings(lines, name)
        if any(ceiling):
            found[name] = [None if one is None else round(one, _DIGITS) for one in ceiling]
    return found
