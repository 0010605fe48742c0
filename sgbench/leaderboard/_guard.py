"""Results against what is possible, and against what they were."""

import json
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import norm

from sgbench.checked import FileKind, Fraction, Text, record
from sgbench.files import write_atomically
from sgbench.leaderboard._identity import IDENTITY
from sgbench.symmetry import TOP_K

_NUMBERS = ("top1", "top1_low", "top1_high")
_Row: Any = record("Row", {**dict.fromkeys(IDENTITY, Text), **dict.fromkeys(_NUMBERS, Fraction)})
_REFERENCE = FileKind(
    "a reference",
    "the YAML that `sgbench check --update` writes. One of an earlier version does not say which "
    "test data its rows are of, so nothing can be held against it. Make it again.",
)
# All tests of a table together are wrong about a sound one so often.
_FALSE_ALARMS = 0.01
_Z95 = norm.isf(0.025)
# Bounds by their columns, and the columns of their own errors.
_BOUNDS = (("data_ceiling", None), ("bayes", "bayes_error"))


def above_ceiling(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of which a share of hits passes what the data allow, beyond chance.

    What they allow is the data ceiling of the set and, where the exact posterior is known, what it
    reaches on these patterns (``bayes_top1…5``), whose own error adds to chance. Chance is smaller
    beside the latter, so its test finds more.

    The plain share of hits is tested, and the accuracy. An expectation over the labels inside a
    class cannot pass, whoever knows these labels. One test at each k of each row, by the normal
    approximation of a share of ``n_clusters``, at 1 % for all tests together (Bonferroni). Rows
    without a bound are not looked at, nor are controls, of which one is told the labels.
    """
    tested = table[table["status"] != "control"]
    bad = pd.Series(data=False, index=tested.index)
    n_tests = TOP_K * sum(int(tested[f"{bound}_top1"].notna().sum()) for bound, _ in _BOUNDS)
    z = norm.isf(_FALSE_ALARMS / max(n_tests, 1))
    for (bound, own_error), k in product(_BOUNDS, range(1, TOP_K + 1)):
        limit, n = tested[f"{bound}_top{k}"], tested["n_clusters"]
        variance = limit * (1 - limit) / n
        if own_error:
            # A table may come from anybody: a bound without an error is one all the same.
            variance = variance + tested[f"{own_error}_top{k}"].fillna(0) ** 2
        # A limit of 1 cannot be passed, nor does chance reach beyond it.
        margin = z * np.sqrt(variance) + 0.5 / n
        found = tested[[f"raw_top{k}", f"top{k}"]].max(axis=1)
        bad |= found > limit + margin
    return tested[bad]


def below_reference(table: pd.DataFrame, reference: pd.DataFrame) -> pd.DataFrame:
    """Return the rows whose top-1 accuracy has dropped beyond chance.

    Parameters
    ----------
    table : DataFrame
        A leaderboard.
    reference : DataFrame
        What `read_reference` returns.

    Returns
    -------
    DataFrame
        The table's rows, with the reference's accuracy as ``reference_top1`` and the drop that
        would still be chance as ``tolerance``: that of the two 95 % intervals together, at 1 % for
        all rows (Bonferroni).
    """
    # Of rows that bear the same names, the best one counts.
    best = reference.sort_values("top1").drop_duplicates(list(IDENTITY), keep="last")
    both = table.merge(best, on=list(IDENTITY), suffixes=("", "_before"))
    z = norm.isf(_FALSE_ALARMS / max(len(both), 1)) / _Z95
    both["tolerance"] = z * np.hypot(
        both["top1_high"] - both["top1"], both["top1_before"] - both["top1_low_before"]
    )
    both = both.rename(columns={"top1_before": "reference_top1"})
    return both[both["reference_top1"] - both["top1"] > both["tolerance"]]


def on_other_data(table: pd.DataFrame, reference: pd.DataFrame) -> int:
    """Return how many rows of a reference the table has on other test data, and so cannot compare.

    Such rows are no drop and no gain.
    """
    names = [name for name in IDENTITY if name not in ("source", "test_sha256")]
    there, compared = (
        pd.MultiIndex.from_frame(reference[keys]).isin(pd.MultiIndex.from_frame(table[keys]))
        for keys in (names, list(IDENTITY))
    )
    return int((there & ~compared).sum())


def write_reference(path: Path, table: pd.DataFrame) -> int:
    """Write the accuracies of a leaderboard's models as a reference; return how many."""
    own = table[table["status"] != "control"].dropna(subset=list(_NUMBERS))
    rows = [
        {**{name: str(row[name]) for name in IDENTITY}}
        | {name: round(float(row[name]), 6) for name in _NUMBERS}
        for row in own.to_dict("records")
    ]
    # A row a line, in words that YAML and JSON share: so a thousand rows are read at once.
    lines = ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    with write_atomically(path) as temporary:
        temporary.write_text(
            "# Accuracies that `sgbench check --reference` holds a table against; written by\n"
            f'# `sgbench check --update`.\n{{"rows": [\n{lines}\n]}}\n',
            encoding="utf-8",
        )
    return len(rows)


def read_reference(path: Path) -> pd.DataFrame:
    """Read what `write_reference` wrote.

    Raises
    ------
    SgbenchError
        If the file is missing, or says something else.
    """
    rows = _REFERENCE.read_yaml(Path(path), record("Reference", {"rows": list[_Row]}))["rows"]
    return pd.DataFrame(rows, columns=[*IDENTITY, *_NUMBERS])
