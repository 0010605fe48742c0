"""Which samples a model gets right: what a paired comparison with another model needs."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from sgbench.checked import FileKind
from sgbench.files import write_atomically

#: Takes the place of ``.json`` in the name of the score that the answers are behind.
ANSWERS_ENDING = ".answers.parquet"
_SCHEMA = pa.schema([("hit", pa.float32()), ("cluster", pa.int32())])
# Submissions bring such files, too: what is beyond this is not read.
_MOST_BYTES, _MOST_SAMPLES = 2**24, 2**24


@dataclass(frozen=True)
class Answers:
    """How a model answers a test set, in the order of its samples.

    Attributes
    ----------
    hit : ndarray of float32, shape (n,)
        Chance of a right first guess over ties broken at random, and over space groups of designed
        sets also over the coin that chose the label: 0 or 1 where there is nothing of the kind.
    cluster : ndarray of int32, shape (n,)
        Number of the group that a sample belongs to; groups are independent of each other.
    """

    hit: NDArray[np.float32]
    cluster: NDArray[np.int32]


def answers_path(score: Path) -> Path:
    """Return where the answers behind a score file lie."""
    return score.with_suffix(ANSWERS_ENDING)


def write_answers(path: Path, answers: Answers) -> None:
    """Write answers as Parquet, a few kilobytes for thousands of samples."""
    table = pa.table([answers.hit, answers.cluster], schema=_SCHEMA)
    with write_atomically(path) as temporary:
        pq.write_table(
            table,
            temporary,
            compression="zstd",
            use_dictionary=["hit"],
            column_encoding={"cluster": "DELTA_BINARY_PACKED"},
            write_page_checksum=True,
        )


def read_answers(path: Path, n: int) -> Answers:
    """Read what `write_answers` wrote, if it is of n samples.

    Raises
    ------
    SgbenchError
        If the file is missing, truncated or something else.
    """
    kind = FileKind(
        f"a file of the answers of {n} samples",
        "the Parquet that `sgbench evaluate` writes beside a score. Evaluate again, or delete the "
        "file.",
    )
    with kind.open_parquet(path) as file:
        if path.stat().st_size > _MOST_BYTES or n > _MOST_SAMPLES:
            raise ValueError("it is too large")
        if file.metadata.num_rows != n:
            raise ValueError(f"it holds those of {file.metadata.num_rows}")
        table = file.read()
    kind.checked_columns(path, table, _SCHEMA)
    hit, cluster = table["hit"].to_numpy(), table["cluster"].to_numpy()
    if not np.all((hit >= 0) & (hit <= 1)):
        raise kind.damaged(path, "a chance is not between 0 and 1")
    if (cluster < 0).any() or (cluster >= n).any():
        raise kind.damaged(path, "a cluster is not between 0 and the number of samples")
    return Answers(hit, cluster)
