"""Paired comparisons: two rows on the same samples, told apart by where their answers differ."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import combinations
from operator import itemgetter
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.signal import fftconvolve
from scipy.stats import binom, binomtest, norm

from sgbench.evaluation import Score
from sgbench.files import write_atomically
from sgbench.leaderboard._identity import TESTED_ON, tested_on
from sgbench.text import csv_frame

#: Columns of a table of pairs; the two rows are named by what `row_key` returns, in its order.
PAIR_COLUMNS = ("test_set", "class_scheme", "first", "second", "p")

_HASH_DIGITS = 8
# Beyond so many differences the sum is normal; up to there, chances are rounded to parts of this.
_FEW, _GRID = 200, 120
_NOISE = 1e-4


def paired_p(differences: NDArray[np.float64]) -> float:
    """Return the two-sided probability of such differences between two models that are equal.

    If two models are equal, each independent difference is as likely to have the other sign. Where
    all are 0 and ±1 this is the exact McNemar test (Psychometrika 12, 153, 1947); fractions, from
    ties and from several seeds, and sums over clusters are its generalisation, exact for up to 200
    differences and by the normal approximation of their sum beyond.

    Parameters
    ----------
    differences : ndarray of float64, shape (n,)
        Right answers of one minus those of the other, summed over each independent group of
        samples.
    """
    found = differences[np.abs(differences) > _NOISE]
    if not len(found):
        return 1.0
    sizes = np.abs(found)
    if np.ptp(sizes) < _NOISE:
        return float(binomtest(int((found > 0).sum()), len(found)).pvalue)
    if len(found) > _FEW:
        return float(2 * norm.sf(abs(found.sum()) / np.sqrt((found**2).sum())))
    steps = np.rint(_GRID * sizes).astype(int)
    found, steps = found[steps > 0], steps[steps > 0]
    steps //= np.gcd.reduce(steps)
    chance = np.ones(1)  # of each sum of the steps that are positive
    for step, count in zip(*np.unique(steps, return_counts=True), strict=True):
        one = np.zeros(step * count + 1)
        one[::step] = binom.pmf(np.arange(count + 1), count, 0.5)
        chance = fftconvolve(chance, one)
    total = steps.sum()
    sums = np.abs(2 * np.arange(total + 1) - total)
    as_far = sums >= abs(2 * steps[found > 0].sum() - total)
    return float(np.clip(chance[as_far].sum(), 0.5 ** (len(found) - 1), 1.0))


def row_key(predictions_sha256: str) -> str:
    """Name a row by the predictions behind it, so that no comparison outlives them."""
    return "+".join(one[:_HASH_DIGITS] for one in predictions_sha256.split())


def build_pairs(scores: Iterable[Score]) -> pd.DataFrame:
    """Compare each two rows that were tested on the same data at one scale (`PAIR_COLUMNS`).

    Those are left out that lack answers or have other samples, and controls. Answers of several
    seeds are averaged; their spread is not in ``p``.
    """
    groups: dict[tuple[str, ...], dict[tuple[str, ...], list[Score]]] = defaultdict(dict)
    for one in scores:
        origin = one.provenance
        if origin.get("status") == "control":
            continue
        # Seeds of one training; those on other data are another row.
        row = tuple(str(origin.get(name)) for name in ("model", "train_set", "dataset_sha256"))
        groups[tested_on(one)].setdefault(row, []).append(one)
    found = []
    for group, rows in groups.items():
        known = dict(zip(TESTED_ON, group, strict=True))
        whole = [members for members in rows.values() if all(one.answers for one in members)]
        named = sorted(
            ((_key_of(members), _cluster_sums(members)) for members in whole), key=itemgetter(0)
        )
        found += [
            (known["test_set"], known["class_scheme"], first, second, paired_p(one - other))
            for (first, one), (second, other) in combinations(named, 2)
        ]
    return pd.DataFrame(found, columns=list(PAIR_COLUMNS))


def pairs_of(pairs: pd.DataFrame, table: pd.DataFrame) -> pd.DataFrame:
    """Return the pairs of which both rows are in a table, sorted and each once."""
    rows = {
        (test_set, scheme, row_key(str(hashes)))
        for test_set, scheme, hashes in table[
            ["test_set", "class_scheme", "predictions_sha256"]
        ].itertuples(index=False)
    }
    known = np.array(
        [
            (one.test_set, one.class_scheme, one.first) in rows
            and (one.test_set, one.class_scheme, one.second) in rows
            for one in pairs.itertuples(index=False)
        ],
        dtype=bool,
    )
    names = list(PAIR_COLUMNS[:-1])
    return pairs[known].drop_duplicates(names).sort_values(names, ignore_index=True)


def pairs_path(table: Path) -> Path:
    """Return where the pairs of a leaderboard lie: beside it."""
    return table.with_suffix(".pairs.csv")


def write_pairs(path: Path, pairs: pd.DataFrame) -> None:
    """Write a table of pairs as CSV."""
    with write_atomically(path) as temporary:
        csv_frame(pairs).to_csv(temporary, index=False, float_format="%.3g")


def pair_p(pairs: pd.DataFrame, one: pd.Series, other: pd.Series) -> float | None:
    """Return ``p`` of two rows of a leaderboard on the same test set; None if they are no pair."""
    first, second = sorted(row_key(str(row["predictions_sha256"])) for row in (one, other))
    found = pairs[
        (pairs["test_set"] == one["test_set"])
        & (pairs["class_scheme"] == one["class_scheme"])
        & (pairs["first"] == first)
        & (pairs["second"] == second)
    ]
    return None if found.empty else float(found["p"].iloc[0])


def _key_of(members: Sequence[Score]) -> str:
    hashes = (str(member.provenance.get("predictions_sha256")) for member in members)
    return row_key(" ".join(hashes))


def _cluster_sums(members: Sequence[Score]) -> NDArray[np.float64]:
    """Return the right answers in each independent group of samples, mean over seeds."""
    answers = [member.answers for member in members if member.answers is not None]
    hits = np.mean([one.hit for one in answers], axis=0, dtype=float)
    return np.bincount(answers[0].cluster, hits).astype(float)
