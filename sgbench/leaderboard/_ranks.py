"""Ranks that admit ties: which rows of a table differ by more than chance."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from statistics import NormalDist
from typing import Any

import numpy as np
import pandas as pd
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
    pairs = list(combinations(range(len(rows)), 2))
    p_values = _holm(
        [
            _with_seeds(known[pair], rows[pair[0]], rows[pair[1]])
            if pair in known
            else difference_p(rows[pair[0]], rows[pair[1]])
            for pair in pairs
        ]
    )
    p = dict(zip(pairs, p_values, strict=True))
    better = np.zeros((len(rows), len(rows)), dtype=bool)
    for (i, j), value in p.items():
        if value < _LEVEL:
            first, second = (i, j) if rows[i].value > rows[j].value else (j, i)
            better[first, second] = True
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
                p=None if behind is None else p[min(i, behind), max(i, behind)],
                paired=behind is not None and (min(i, behind), max(i, behind)) in known,
            )
        )
    return found


def with_ranks(table: pd.DataFrame, pairs: pd.DataFrame | None = None) -> pd.DataFrame:
    """Return the table with `RANK_COLUMNS`; controls and rows without interval have no rank.

    ``lead_test`` says whether a lead was tested sample by sample (``paired``), or by the two rows'
    intervals where ``pairs`` does not have them.
    """
    known = (
        {} if pairs is None else {tuple(names): p for *names, p in pairs.itertuples(index=False)}
    )
    added: dict[str, list[Any]] = {name: [None] * len(table) for name in RANK_COLUMNS}
    measured = table[["top1", "top1_low", "top1_high"]].notna().all(axis=1)
    ranked = table[measured & (table["status"] != "control")]
    for _, rows in ranked.groupby(list(TESTED_ON), sort=False, dropna=False):
        test_set, scheme = rows[["test_set", "class_scheme"]].iloc[0]
        accuracies = [
            Accuracy(top, low, high, sd, int(seeds))
            for top, low, high, sd, seeds in rows[_COMPARED].astype(float).fillna(0).to_numpy()
        ]
        names = [row_key(str(hashes)) for hashes in rows["predictions_sha256"]]
        paired = {
            (i, j): known[key]
            for i, j in combinations(range(len(names)), 2)
            if (key := (test_set, scheme, *sorted((names[i], names[j])))) in known
        }
        for position, place in zip(rows.index, places(accuracies, paired), strict=True):
            added["rank_best"][position] = place.best
            added["rank_worst"][position] = place.worst
            if place.behind is not None:
                added["next_model"][position] = rows["model"].iloc[place.behind]
                added["lead"][position] = place.lead
                added["lead_p"][position] = place.p
                added["lead_test"][position] = "paired" if place.paired else "intervals"
    return table.assign(**added)


def difference_p(one: Accuracy, other: Accuracy) -> float:
    """Return the two-sided probability of such a difference between two rows by chance.

    The interval of the difference is put together from the two rows' own intervals (Newcombe,
    Statistics in Medicine 17, 873, 1998, method 10), so it serves Wilson's and those of a bootstrap
    over clusters alike. It takes the rows for independent; on one test set right answers mostly go
    together, so the probability is on the safe side, and `paired_p` finds more.
    """
    better, worse = (one, other) if one.value >= other.value else (other, one)
    difference = better.value - worse.value
    margin = np.hypot(_below(better), _above(worse))
    if margin == 0:
        return 1.0 if difference == 0 else 0.0
    return 2 * _NORMAL.cdf(-_Z95 * difference / float(margin))


def _with_seeds(p: float, one: Accuracy, other: Accuracy) -> float:
    """Widen a difference, which a paired test says to be chance with p, by what seeds scatter."""
    seeds = float(np.hypot(_seed_margin(one), _seed_margin(other)))
    if seeds == 0 or p >= 1:
        return p
    difference = abs(one.value - other.value)
    margin = np.hypot(_Z95 * difference / -_NORMAL.inv_cdf(max(p, _LEAST) / 2), seeds)
    return 2 * _NORMAL.cdf(-_Z95 * difference / float(margin))


def _below(row: Accuracy) -> float:
    return float(np.hypot(row.value - row.low, _seed_margin(row)))


def _above(row: Accuracy) -> float:
    return float(np.hypot(row.high - row.value, _seed_margin(row)))


def _seed_margin(row: Accuracy) -> float:
    """Return the half width of the 95 % interval of the mean over seeds."""
    if row.seeds < 2:
        return 0.0
    return float(student.ppf(1 - _LEVEL / 2, row.seeds - 1) * row.seed_sd / np.sqrt(row.seeds))


def _holm(p_values: Sequence[float]) -> list[float]:
    adjusted = [0.0] * len(p_values)
    highest = 0.0
    for place, i in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        highest = max(highest, min(1.0, (len(p_values) - place) * p_values[i]))
        adjusted[i] = highest
    return adjusted
