"""Accuracy against severity: what rows under conditions say together."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from sgbench.conditions import CONDITIONS, severities
from sgbench.sets import OFF_MESH, SetSpec

_SCHEME = "extinction"
_LINE = ("scale", "family", "model", "train_set")


@dataclass(frozen=True)
class CurvePoint:
    """An accuracy over extinction classes.

    Attributes
    ----------
    top1, low, high : float
        A fraction, and its 95 % interval.
    n_test : int
    bayes : float or None
        What nobody passes in the mean on these patterns; None where that is not known.
    """

    top1: float
    low: float
    high: float
    n_test: int
    bayes: float | None


@dataclass(frozen=True)
class ConditionLine:
    """A model, and how it fares under conditions (`sgbench.sets.OFF_MESH`).

    Attributes
    ----------
    scale, family, model, train_set : str
    ideal : CurvePoint or None
        Without conditions.
    points : mapping of str to CurvePoint
        By condition, as names of sets have it: ``counts-1000`` or, of a mixture, ``laboratory``.
    """

    scale: str
    family: str
    model: str
    train_set: str
    ideal: CurvePoint | None
    points: Mapping[str, CurvePoint]

    def curve(self, kind: str) -> list[CurvePoint | None]:
        """Return the points of one condition: without it, and at its severities, mildest first.

        Those of a mixture are two: without it, and under it.
        """
        return [self.ideal, *(self.points.get(str(one)) for one in severities(kind))]


def condition_lines(table: pd.DataFrame) -> tuple[ConditionLine, ...]:
    """Gather rows under conditions into a line a model, in the order of the table.

    Parameters
    ----------
    table : DataFrame
        Rows of the leaderboard. Where a model has several on one set, that of the most samples
        counts. Ceilings under noise are optional columns.
    """
    names = {name: _condition(name) for name in table["test_set"].unique()}
    mine = table[table["test_set"].map(names).notna() & (table["class_scheme"] == _SCHEME)]
    lines: dict[tuple[str, ...], dict[str, CurvePoint]] = {}
    for row in mine.to_dict("records"):
        points = lines.setdefault(tuple(str(row[name]) for name in _LINE), {})
        name, point = str(names[row["test_set"]]), _point(row)
        if name not in points or point.n_test > points[name].n_test:
            points[name] = point
    return tuple(
        ConditionLine(scale, family, model, train_set, points.pop("", None), points)
        for (scale, family, model, train_set), points in lines.items()
        if points.keys() - {""}
    )


def curve_kinds(lines: Iterable[ConditionLine]) -> list[str]:
    """Return the conditions that some line has at a severity of the catalogue, in its order."""
    there = {name for line in lines for name in line.points}
    return [
        name
        for name, kind in CONDITIONS.items()
        if kind.severities and there & {str(one) for one in severities(name)}
    ]


def mixtures(lines: Iterable[ConditionLine]) -> list[str]:
    """Return the mixtures that some line has, in the order of the catalogue."""
    there = {name for line in lines for name in line.points}
    return [name for name, kind in CONDITIONS.items() if not kind.severities and name in there]


def highest(points: Iterable[CurvePoint | None]) -> float | None:
    """Return the ceiling under noise of the largest test set among points of one condition."""
    known = [point for point in points if point is not None and point.bayes is not None]
    return max(known, key=lambda point: point.n_test).bayes if known else None


def ceilings(lines: Iterable[ConditionLine], kind: str) -> list[float | None]:
    """Return the ceiling under noise at each point of `ConditionLine.curve`.

    All are None where it is known without the condition at most.
    """
    columns = zip(*(line.curve(kind) for line in lines), strict=True)
    ideal, *under = [highest(column) for column in columns]
    return [ideal, *under] if any(under) else [None] * (1 + len(under))


def graded(table: pd.DataFrame) -> "pd.Series[bool]":
    """Tell which rows are points of curves (`sgbench.sets.SetSpec.is_graded`)."""
    specs = {name: SetSpec.find(name) for name in table["test_set"].unique()}
    return (
        table["test_set"]
        .map({name: spec is not None and spec.is_graded for name, spec in specs.items()})
        .astype(bool)
    )


def is_point(file: Path) -> bool:
    """Tell by its name whether a score file is of a point of a curve; pages need none of these."""
    test_set = file.name.rsplit(".", 2)[0]
    spec = SetSpec.find(test_set) if "+" in test_set else None
    return spec is not None and spec.is_graded


def _condition(test_set: str) -> str | None:
    """Return the one condition of a test set, empty where there is none; None of other sets."""
    spec = SetSpec.find(test_set)
    if spec is None or len(spec.conditions) > 1:
        return None
    name = "".join(map(str, spec.conditions))
    return name if test_set in (OFF_MESH.name, f"{OFF_MESH.name}+{name}") else None


def _point(row: Mapping[Any, Any]) -> CurvePoint:
    top1, low, high = (float(row[f"top1{end}"]) for end in ("", "_low", "_high"))
    bayes = row.get("bayes_top1")
    return CurvePoint(top1, low, high, int(row["n_test"]), None if pd.isna(bayes) else float(bayes))
