"""Where the ceiling of extinction laws bounds an accuracy, and where it is a mark."""

from functools import cache

import pandas as pd

from sgbench.sets import SetSpec

# Ceilings have four or six digits a number.
_SAME = 1e-4
_CELLS = "Cells differ between space groups, and the ceiling does not know the cell."
_UNKNOWN = "What tells its space groups apart is not known."


def why_no_bound(table: pd.DataFrame) -> list[str]:
    """Say of each row why the ceiling of extinction laws is a mark to compare with, and no bound.

    Parameters
    ----------
    table : DataFrame
        A leaderboard.

    Returns
    -------
    list of str
        A sentence, or an empty text where it is a bound: over extinction classes, and over space
        groups where nothing but absences tells them apart.
    """
    law, data = (
        table.get(f"{stem}_top1", pd.Series(index=table.index)).astype(float)
        for stem in ("ceiling", "data_ceiling")
    )
    passed = data > law + _SAME  # as in tables of early versions
    return [
        _why(str(test_set), str(scheme)) or (_CELLS if by_cell else "")
        for test_set, scheme, by_cell in zip(
            table["test_set"], table["class_scheme"], passed, strict=True
        )
    ]


@cache
def _why(test_set: str, scheme: str) -> str:
    spec = SetSpec.find(test_set)
    if spec is not None and spec.origin == "measured":
        return spec.beyond_absences
    if scheme == "extinction":
        return ""
    return _UNKNOWN if spec is None else spec.beyond_absences
