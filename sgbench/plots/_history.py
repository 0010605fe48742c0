"""The history of a training, as figures show it."""

from pathlib import Path
from typing import TYPE_CHECKING

from sgbench.checked import FileKind, Fraction, NotNegative

if TYPE_CHECKING:
    import pandas as pd

_KIND = FileKind("a readable history", "the CSV that `sgbench train` writes. Make it again.")


def read_history(path: Path) -> "pd.DataFrame":
    """Return the patterns of each validation of a training, and its top-1 accuracy.

    Raises
    ------
    SgbenchError
        If the file is missing, lacks a column, or holds a value that cannot be in its column.
    """
    return _KIND.read_csv(path, {"patterns": NotNegative, "top1": Fraction}).astype(float)
