"""Ranks that admit ties: which rows of a table differ by more than chance."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise, product
from statistics import NormalDist
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtr
from scipy.stats import t as student

from sgbench.leaderboard._identity import TESTED_ON
from sgbench.leaderboard._pairs import row_key

#: Columns that `with_ranks` adds to a leaderboard.
RANK_COLUMNS = ("rank_best", "rank_worst", "next_model", "lead", "lead_p", "lead_test")

_COMPARED = ["top1", "top1_low", "top1_high", "top1_seed_sd", "seeds"]
_LEVEL, _LEAST = 0.05, 1e-300
_NORMAL = NormalDist()
_Z95 = _NORMAL.inv_cdf(1 - _LEVEL / 2)


@dataclass(frozen=True)
class Accuracy:
    """What a comparison needs to know of a row.

    Attributes
    ----------
    value, low, high : float
        A fraction with its 95 % interval, which holds the spread of the test set.
    seed_sd : float
        Standard deviation between seeds; ignored for one seed.
    seeds : int
    """

    value: float
    low: float
    high: float
    seed_sd: float = 0.0
    seeds: int = 1


@dataclass(frozen=True)
class Place:
    """Where a row stands among others.

    Attributes
    ----------
    best, worst : int
        The ranks that it may have: one more than the number of rows that are surely better, and the
        number of rows that are not surely worse, itself among them.
    behind : int or None
        Position of the row that comes next, None for the last.
    lead : float or None
        Accuracy minus that of the row that comes next.
    p : float or None
        Probability of such a lead by chance, corrected for the number of pairs in the group.
    paired : bool
        Whether that comes from the samples one by one.
    """

    best: int
    worst: int
    behind: int | None
    lead: float | None
    p: float | None
    paired: bool = False


def places(
    rows: Sequence[Accuracy], paired: Mapping[tuple[int, int], float] | None = None
) -> list[Place]:
    """Rank rows of one test set, with ties where the data cannot tell rows apart.

    Every pair is tested, sample by sample where that is known and by its intervals elsewhere, and
    Holm's correction (Scand. J. Stat. 6, 65, 1979) keeps the chance of any false difference in the
    whole group below 5 %, so all rank intervals hold at once.

    Parameters
    ----------
    rows : sequence of Accuracy
        Those on one test set under one class scheme.
    paired : mapping of (int, int) to float, optional
        What `sgbench.leaderboard.paired_p` gave for positions of two rows, the lower first.

    Returns
    -------
    list of Place
        In the order of `rows`.
    """
    known = paired or {}
    p = _by_intervals(rows)
    for (i, j), value in known.items():
        p[i, j] = p[j, i] = _with_seeds(value, rows[i], rows[j])
    upper = np.triu_indices(len(rows), 1)
    p[upper] = _holm(p[upper])
    p.T[upper] = p[upper]
    values = np.array([row.value for row in rows])
    better = (p < _LEVEL) & (values[:, None] > values[None, :])
    order = sorted(range(len(rows)), key=lambda i: -rows[i].value)
    following = dict(pairwise(order))
    found = []
    for i, row in enumerate(rows):
        behind = following.get(i)
        found.append(
            Place(
                best=1 + int(better[:, i].sum()),
                worst=len(rows) - int(better[i].sum()),
                behind=behind,
                lead=None if behind is None else row.value - rows[behind].value,
                p=None if behind is None else float(p[i, behind]),
                paired=behind is not None and (min(i, behind), max(i, behind)) in known,
            )
        )
    return found


def with_ranks(table: pd.DataFrame, pairs: pd.DataFrame | None = None) -> pd.DataFrame:
    """Return the table with `RANK_COLUMNS`; controls and rows without interval have no rank.

    ``lead_test`` says whether a lead was tested sample by sample (``paired``), or by the two rows'
    intervals where ``pairs`` does not have them.
    """
    known: dict[tuple[str, str], list[tuple[str, str, float]]] = defaultdict(list)
    if pairs is not None:
        for test_set, scheme, one, other, p in pairs.itertuples(index=False):
            known[test_set, scheme].append((one, other, p))
    added: dict[str, list[Any]] = {name: [None] * len(table) for name in RANK_COLUMNS}
    measured = table[["top1", "top1_low", "top1_high"]].notna().all(axis=1)
    ranked = table[measured & (table["status"] != "control")]
    for _, rows in ranked.groupby(list(TESTED_ON), sort=False, dropna=False):
        test_set, scheme = rows[["test_set", "class_scheme"]].iloc[0]
        accuracies = [
            Accuracy(top, low, high, sd, int(seeds))
            for top, low, high, sd, seeds in rows[_COMPARED].astype(float).fillna(0).to_numpy()
        ]
        where = defaultdict(list)
        for place, hashes in enumerate(rows["predictions_sha256"]):
            where[row_key(str(hashes))].append(place)
        paired = {
            (min(i, j), max(i, j)): p
            for one, other, p in known.get((test_set, scheme), ())
            for i, j in product(where.get(one, ()), where.get(other, ()))
            if i != j
        }
        for position, found in zip(rows.index, places(accuracies, paired), strict=True):
            added["rank_best"][position] = found.best
            added["rank_worst"][position] = found.worst
            if found.behind is not None:
                added["next_model"][position] = rows["model"].iloc[found.behind]
                added["lead"][position] = found.lead
                added["lead_p"][position] = found.p
                added["lead_test"][position] = "paired" if found.paired else "intervals"
    return table.assign(**added)


def difference_p(one: Accuracy, other: Accuracy) -> float:
    """Return the two-sided probability of such a difference between two rows by chance.

    The interval of the difference is put together from the two rows' own intervals (Newcombe,
    Statistics in Medicine 17, 873, 1998, method 10), so it serves Wilson's and those of a bootstrap
    over clusters alike. It takes the rows for independent; on one test set right answers mostly go
    together, so the probability is on the safe side, and `paired_p` finds more.
    """
    return float(_by_intervals([one, other])[0, 1])


def _by_intervals(rows: Sequence[Accuracy]) -> NDArray[np.float64]:
    """Return `difference_p` of each two rows."""
    value, low, high = np.array([(row.value, row.low, row.high) for row in rows]).reshape(-1, 3).T
    seeds = np.array([_seed_margin(row) for row in rows])
    below, above = np.hypot(value - low, seeds), np.hypot(high - value, seeds)
    difference = value[:, None] - value[None, :]
    # The better of two reaches down, and the worse one up.
    margin = np.where(
        difference >= 0,
        np.hypot(below[:, None], above[None, :]),
        np.hypot(above[:, None], below[None, :]),
    )
    difference = np.abs(difference)
    with np.errstate(divide="ignore", invalid="ignore"):
        p = 2 * ndtr(-_Z95 * difference / margin)
    return np.where(margin == 0, np.where(difference == 0, 1.0, 0.0), p)


def _with_seeds(p: float, one: Accuracy, other: Accuracy) -> float:
    """Widen a difference, which a paired test says to be chance with p, by what seeds scatter."""
    seeds = float(np.hypot(_seed_margin(one), _seed_margin(other)))
    if seeds == 0 or p >= 1:
        return p
    difference = abs(one.value - other.value)
    margin = np.hypot(_Z95 * difference / -_NORMAL.inv_cdf(max(p, _LEAST) / 2), seeds)
    return 2 * _NORMAL.cdf(-_Z95 * difference / float(margin))


def _seed_margin(row: Accuracy) -> float:
    """Return the half width of the 95 % interval of the mean over seeds."""
    if row.seeds < 2:
        return 0.0
    return float(student.ppf(1 - _LEVEL / 2, row.seeds - 1) * row.seed_sd / np.sqrt(row.seeds))


def _holm(p_values: NDArray[np.float64]) -> NDArray[np.float64]:
    order = np.argsort(p_values, kind="stable")
    left = len(p_values) - np.arange(len(p_values))
    adjusted = np.empty_like(p_values)
    adjusted[order] = np.maximum.accumulate(np.minimum(1.0, left * p_values[order]))
    return adjusted
