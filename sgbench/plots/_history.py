"""The history of a training, as figures show it."""

from pathlib import Path
from typing import TYPE_CHECKING

from sgbench.checked import FileKind, Fraction, NotNegative, Number

if TYPE_CHECKING:
    import pandas as pd

_KIND = FileKind("a readable history", "the CSV that `sgbench train` writes. Make it again.")


def read_history(path: Path) -> "pd.DataFrame":
    """Return the patterns of each validation of a training, its top-1 accuracy and its regret.

    Regret is missing where it is not known, and in histories of earlier versions.

    Raises
    ------
    SgbenchError
        If the file is missing, lacks a column, or holds a value that cannot be in its column.
    """
    types = {"patterns": NotNegative, "top1": Fraction, "regret": Number | None}
    return _KIND.read_csv(path, types, {"regret"}).astype(float)
