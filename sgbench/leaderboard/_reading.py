"""Tables at rest are read: checked column by column, and brought to the names of today."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

import pandas as pd
from annotated_types import Ge, Le

from sgbench.checked import Count, FileKind, Fraction, NotNegative, Number, Several, Text
from sgbench.evaluation import SCHEME_NAMES, current_name_of, earlier_source
from sgbench.leaderboard._identity import IDENTITY
from sgbench.leaderboard._pairs import PAIR_COLUMNS
from sgbench.leaderboard._table import (
    BAYES_COLUMNS,
    COLUMNS,
    EXACT_COLUMNS,
    MADE_WITH,
    RAW_COLUMNS,
)
from sgbench.symmetry import FAMILIES, TOP_K

_K = range(1, TOP_K + 1)
_TABLE = FileKind(
    "a readable leaderboard", "the CSV that `sgbench leaderboard` writes. Make it again."
)
_PAIRS = FileKind(
    "a table of comparisons",
    "the CSV that `sgbench leaderboard` writes beside its table. Make it again, or delete it.",
)
_CEILINGS = FileKind(
    "a table of exact ceilings",
    "the CSV that `sgbench ceilings --exact --format csv` writes. Make it again.",
)
_Scheme, _Family = Literal[tuple(SCHEME_NAMES)], Literal[tuple(FAMILIES)]
# What can be empty was not measured, or was not known to the version that wrote the table.
_TYPES: dict[str, Any] = {
    **dict.fromkeys(COLUMNS, Fraction | None),
    **dict.fromkeys(IDENTITY, Text),
    **dict.fromkeys(("source", "test_sha256", "hardware"), Text | None),
    **dict.fromkeys(
        ("status", "dataset_sha256", "predictions_sha256", "sgbench_version", *MADE_WITH),
        Text | None,
    ),
    "class_scheme": _Scheme,
    "family": _Family,
    "top1": Fraction,
    "regret": Number | None,
    "regret_error": NotNegative | None,
    **dict.fromkeys(("n_test", "n_clusters"), Several),
    "seeds": Count,
    **dict.fromkeys((f"gap_top{k}" for k in _K), Annotated[Number, Ge(-1), Le(1)] | None),
    **dict.fromkeys(
        (
            *(f"share_top{k}" for k in _K), "top1_seed_sd", "parameters", "train_patterns",
            "train_seconds", "patterns_per_second",
        ),
        NotNegative | None,
    ),
}  # fmt: skip
# Tables of earlier versions do without.
_LATER_COLUMNS = {
    *BAYES_COLUMNS,
    *EXACT_COLUMNS,
    *RAW_COLUMNS,
    "patterns_per_second",
    "regret",
    "regret_error",
    "source",
    *MADE_WITH,
}
_Percent = Annotated[Number, Ge(0), Le(100)]


def read_csv(path: Path) -> pd.DataFrame:
    """Read a table that `write_csv` wrote.

    Names stay text, whatever they look like.

    Raises
    ------
    SgbenchError
        If the file is missing, lacks a column, or holds a value that cannot be in its column.
    """
    path = Path(path)
    table = _TABLE.read_csv(path, _TYPES, _LATER_COLUMNS)
    if (crowded := table["n_clusters"] > table["n_test"]).any():
        row = int(crowded.argmax()) + 1
        raise _TABLE.damaged(path, f"row {row} has more independent groups than samples")
    return _current(table)[list(COLUMNS)]


def read_pairs(path: Path) -> pd.DataFrame:
    """Read what `write_pairs` wrote; without the file there is no pair.

    Raises
    ------
    SgbenchError
        If the file is something else.
    """
    if not path.exists():
        texts = dict.fromkeys(PAIR_COLUMNS[:-1], str)
        return pd.DataFrame(columns=list(PAIR_COLUMNS)).astype({**texts, "p": float})
    pairs = _PAIRS.read_csv(path, {**dict.fromkeys(PAIR_COLUMNS[:-1], Text), "p": Fraction})
    pairs["test_set"] = _renamed(pairs["test_set"], partial(current_name_of, "test_set"))
    return pairs


def read_ceilings(path: Path) -> pd.DataFrame:
    """Read what ``sgbench ceilings --exact --format csv`` wrote.

    Raises
    ------
    SgbenchError
        If the file is missing, lacks a column, or holds a value that cannot be in its column.
    """
    texts = dict.fromkeys(("family", "test_set", "class_scheme", "level"), Text)
    percent = dict.fromkeys((f"top{k}" for k in _K), _Percent)
    return _CEILINGS.read_csv(Path(path), {**texts, **percent})


def _renamed(names: "pd.Series[str]", rename: Callable[[str], str]) -> "pd.Series[str]":
    """Return names by which they go now; each is looked up once, however many rows have it."""
    return names.map({name: rename(name) for name in names.dropna().unique()})


def _current(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table with today's names; what earlier ones do not say is filled in where known."""
    for name in ("model", "train_set", "test_set", "scale"):
        table[name] = _renamed(table[name], partial(current_name_of, name))
    table["source"] = table["source"].fillna(_renamed(table["test_set"], earlier_source))
    for raw, top in zip(RAW_COLUMNS, (f"top{k}" for k in _K), strict=True):
        # Accuracies were plain shares of hits at first.
        table[raw] = table[raw].fillna(table[top])
    return table
