"""How the error falls with the length of a training: power laws, and their figure."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sgbench.models import base_name
from sgbench.plots._style import legend, look, page
from sgbench.plots.shown import ULBD
from sgbench.sets import OFF_MESH, SetSpec

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

# Of a 95 % interval, in standard errors.
_HALF_WIDTH = 1.96


@dataclass(frozen=True)
class LearningCurve:
    """Share of wrong extinction classes off-mesh, against the number of training patterns.

    Attributes
    ----------
    family : str
    model : str
        Without the length of its training.
    patterns : tuple of int
        Ascending.
    errors : tuple of float
        A length each, the mean over seeds.
    low, high : tuple of float
        95 % intervals of the errors, over test patterns.
    n_test : tuple of int
    seeds : tuple of int
    exponent, factor : float or None
        The law: an error is `factor` times patterns to the power of −`exponent`. By least squares
        on logarithms, weighted by the intervals; None with fewer than two errors above 0.
    uncertainty : float or None
        Standard error of the exponent, from the test patterns alone: other seeds would scatter
        more.
    """

    family: str
    model: str
    patterns: tuple[int, ...]
    errors: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    n_test: tuple[int, ...]
    seeds: tuple[int, ...]
    exponent: float | None
    factor: float | None
    uncertainty: float | None

    def patterns_for(self, error: float) -> float | None:
        """Return how many patterns the law asks for; None where there is none, or no fall."""
        if self.exponent is None or self.factor is None or self.exponent <= 0:
            return None
        return float((self.factor / error) ** (1 / self.exponent))


def learning_curves(table: "pd.DataFrame") -> Iterator[LearningCurve]:
    """Yield the curves of trained models that have rows of several lengths.

    Parameters
    ----------
    table : DataFrame
        Rows of the leaderboard, of one scale; models ``NAME@N`` belong to NAME.

    Yields
    ------
    LearningCurve
        By training set and model, in the order of the table.
    """
    rows = table[
        (table["class_scheme"] == "extinction")
        & (table["test_set"] == OFF_MESH.name)
        & (table["train_patterns"] > 0)
    ]
    rows = rows.assign(base=rows["model"].map(base_name))
    for (train_set, base), mine in rows.groupby(["train_set", "base"], sort=False):
        spec = SetSpec.find(str(train_set))
        # Rows of other test data are no points of the same curve.
        mine = mine[mine["test_sha256"] == mine["test_sha256"].iloc[0]]
        mine = mine.sort_values("train_patterns").drop_duplicates("train_patterns")
        if spec is None or spec != ULBD.of(spec.family) or len(mine) < 2:
            continue
        patterns = mine["train_patterns"].to_numpy(dtype=float)
        errors = (1 - mine["top1"]).to_numpy(dtype=float)
        low, high = (1 - mine[f"top1_{end}"].to_numpy(dtype=float) for end in ("high", "low"))
        yield LearningCurve(
            spec.family, str(base), tuple(map(int, patterns)), tuple(errors.tolist()),
            tuple(low.tolist()), tuple(high.tolist()), tuple(map(int, mine["n_test"])),
            tuple(map(int, mine["seeds"])), *_power_law(patterns, errors, high),
        )  # fmt: skip


def learning_figure(curves: Sequence[LearningCurve]) -> "Figure":
    """Show errors against patterns, both axes logarithmic, a panel a family, with the power laws.

    An error of 0 has no place on the axis: an arrow from the upper end of its interval stands for
    it.
    """
    families = list(dict.fromkeys(one.family for one in curves))
    models = list(dict.fromkeys(one.model for one in curves))
    columns = min(3, len(families))
    n_rows = math.ceil(len(families) / columns)
    with page(n_rows, columns, 0.6 + 2.2 * n_rows, sharey=True) as (figure, axes):
        for panel in axes.flat[len(families) :]:
            panel.set_axis_off()
        for panel, family in zip(axes.flat, families, strict=False):
            for one in (curve for curve in curves if curve.family == family):
                colour, marker = look(models.index(one.model))
                x, error = np.array(one.patterns), 100 * np.array(one.errors)
                low, high = 100 * np.array(one.low), 100 * np.array(one.high)
                seen = error > 0
                panel.errorbar(
                    x[seen], error[seen],
                    np.maximum([error - low, high - error], 0)[:, seen],
                    fmt=marker, color=colour, markersize=4, linewidth=0.9, capsize=2,
                    label=one.model,
                )  # fmt: skip
                panel.plot(x[~seen], high[~seen], "v", color=colour, markersize=4, fillstyle="none")
                if one.exponent is not None and one.factor is not None:
                    ends = np.array([x[0], x[-1]], dtype=float)
                    panel.plot(ends, 100 * one.factor * ends**-one.exponent, color=colour)
            panel.set(title=family, xscale="log", yscale="log")
            panel.set_xlabel("training patterns")
        for panel in axes[:, 0]:
            panel.set_ylabel("classes wrong (%)")
        legend(figure, list(axes.flat))
        return figure


def _power_law(
    patterns: NDArray[np.float64], errors: NDArray[np.float64], high: NDArray[np.float64]
) -> tuple[float | None, float | None, float | None]:
    """Return exponent, factor, and the standard error of the exponent."""
    seen = (errors > 0) & (high > errors)
    if seen.sum() < 2:
        return None, None, None
    x, y = np.log(patterns[seen]), np.log(errors[seen])
    # The upper half of an interval gives its standard error, since the lower one may reach to 0.
    weight = (_HALF_WIDTH / (np.log(high[seen]) - y)) ** 2
    centre, middle = np.average(x, weights=weight), np.average(y, weights=weight)
    spread = float((weight * (x - centre) ** 2).sum())
    exponent = -float((weight * (x - centre) * y).sum()) / spread
    return exponent, float(np.exp(middle + exponent * centre)), spread**-0.5
