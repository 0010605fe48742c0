"""Which samples a model gets right: what a paired comparison with another model needs."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from sgbench.errors import SgbenchError
from sgbench.files import write_atomically

#: Takes the place of ``.json`` in the name of the score that the answers are behind.
ANSWERS_ENDING = ".answers.parquet"
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
    table = pa.table({"hit": pa.array(answers.hit), "cluster": pa.array(answers.cluster)})
    with write_atomically(path) as temporary:
        pq.write_table(
            table,
            temporary,
            compression="zstd",
            use_dictionary=["hit"],
            column_encoding={"cluster": "DELTA_BINARY_PACKED"},
        )


def read_answers(path: Path, n: int) -> Answers:
    """Read what `write_answers` wrote, if it is of n samples.

    Raises
    ------
    SgbenchError
        If the file is missing, truncated or something else.
    """
    try:
        if path.stat().st_size > _MOST_BYTES or n > _MOST_SAMPLES:
            raise ValueError("too large")
        with pq.ParquetFile(path) as file:
            if file.metadata.num_rows != n:
                raise ValueError("another number of samples")
            table = file.read(["hit", "cluster"])
        hit = table["hit"].to_numpy().astype(np.float32)
        cluster = table["cluster"].to_numpy().astype(np.int32)
        if not np.all((hit >= 0) & (hit <= 1)) or (cluster < 0).any() or (cluster >= n).any():
            raise ValueError("no chances, or no clusters")
    except (OSError, LookupError, TypeError, ValueError) as error:
        raise SgbenchError(
            f"{path} does not hold the answers of {n} samples; expected the Parquet that "
            "`sgbench evaluate` writes beside a score. Evaluate again, or delete the file."
        ) from error
    return Answers(hit, cluster)
