"""Rows of the leaderboard, and on which data they were tested."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from sgbench.models import REFERENCE_MODELS


def data_of(row: Any) -> str:
    """Name the test data of a row: ``amcsd 1a2b3c4d``."""
    return f"{row['source']} {str(row['test_sha256'])[:8]}"


def select(
    table: pd.DataFrame,
    train_set: str,
    test_set: str | None,
    family: str,
    scheme: str,
    models: Sequence[str] = REFERENCE_MODELS,
) -> pd.DataFrame:
    """Return the rows of the reference models, or of others, on a test set or on all."""
    return table[
        table["model"].isin(models)
        & (table["train_set"] == train_set)
        & ((table["test_set"] == test_set) | (test_set is None))
        & (table["family"] == family)
        & (table["class_scheme"] == scheme)
    ]
