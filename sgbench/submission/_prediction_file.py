"""`predictions.parquet` from strangers: bounded before it is read, and every fault found in one go.

A row a sample, and either a column a label, ``p_195``, or a column ``ranking`` of lists.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sgbench.submission._problems import Problem, shown
from sgbench.submission._sandbox import Limits, Sandbox, StoppedError

# Twice the bytes of what is asked for, in double precision and without compression.
_BYTES_A_VALUE = 16
_ROOM = 2**20
_TOLERANCE = 1e-3
_NONE = -1


def read_prediction_file(
    path: Path, ids: tuple[str, ...], labels: tuple[int, ...]
) -> tuple[NDArray[np.float32] | None, bool, list[Problem]]:
    """Read probabilities or ranked labels of samples.

    Parameters
    ----------
    path : Path
        Rows in any order.
    ids : tuple of str
        Samples that are expected.
    labels : tuple of int
        Labels that are expected, as in the names of columns and in rankings.

    Returns
    -------
    probabilities : ndarray of float32, shape (n, n_labels), or None
        In the order of `ids` and `labels`. Each label of a ranked list has a third of what the
        one before it has, and those that are not on it 0, so that sums over classes keep its order.
    ranked : bool
        Whether they stand for ranked lists, so that their size means nothing.
    problems : list of Problem
    """
    where = f"{path.parent.name}/{path.name}"
    request = {
        "path": str(path.absolute()),
        "most_bytes": len(ids) * (len(labels) + 8) * _BYTES_A_VALUE + _ROOM,
        "n": len(ids),
        "labels": labels,
    }
    with Sandbox("sgbench.submission._parquet_worker", request, Limits()) as reader:
        try:
            told = reader.start("ids")
            names = json.loads(reader.read(told["ids"]))
            width = len(labels) + told["ranked"]
            kind = "<i8" if told["ranked"] else "<f8"
            content = reader.read(8 * told["rows"] * width)
        except StoppedError as stopped:
            return None, False, [Problem(where, *words) for words in stopped.problems]
    given = np.frombuffer(content, kind).reshape(told["rows"], width)
    problems, place = _id_problems(where, names, ids)
    if told["ranked"]:
        values, more = _ranked(where, given, labels)
    else:
        values = given
        more = probability_problems(where, given, [f"p_{label}" for label in labels])
    problems += more
    if problems or place is None:
        return None, told["ranked"], problems
    return values[place].astype(np.float32), told["ranked"], []


def _id_problems(
    where: str, given: list[str | None], ids: tuple[str, ...]
) -> tuple[list[Problem], NDArray[np.int64] | None]:
    """Compare sample ids; return where in the file each of those that are expected is."""
    where = f"{where}, column sample_id"
    place: dict[str | None, int] = {}
    doubled = []
    for row, name in enumerate(given):
        if name in place:
            doubled.append((row, name))
        place[name] = row
    expected = set(ids)
    unknown = [(row, name) for row, name in enumerate(given) if name not in expected]
    missing = [name for name in ids if name not in place]
    problems = []
    if len(unknown) == len(given):
        return [
            Problem(
                where, f"none of its {len(given)} ids belongs to this test set",
                f"ids as '{ids[0]}'",
                "Predict what `sgbench submission patterns` writes for this track and scale.",
            )
        ], None  # fmt: skip
    if doubled:
        row, text = doubled[0]
        problems.append(
            Problem(
                where, f"{len(doubled)} ids are doubled, the first is '{shown(text)}' in row {row}",
                "each sample once", "Take the doubles out.",
            )
        )  # fmt: skip
    if unknown:
        row, text = unknown[0]
        problems.append(
            Problem(
                where,
                f"{len(unknown)} ids are unknown, the first is '{shown(text)}' in row {row}",
                "the ids that were given out", "Take them out, or mend them.",
            )
        )  # fmt: skip
    if missing:
        problems.append(
            Problem(
                where,
                f"{len(missing)} of {len(ids)} samples are missing, the first is '{missing[0]}'",
                "every sample", "Predict them too.",
            )
        )  # fmt: skip
    if problems:
        return problems, None
    return [], np.array([place[name] for name in ids], dtype=np.int64)


def probability_problems(where: str, values: NDArray[Any], names: list[str]) -> list[Problem]:
    """Check that rows are probabilities; `names` are those of the columns."""
    problems = []
    faults = (
        (~np.isfinite(values), "not finite", "Look for an overflow, or a division by zero."),
        (values < 0, "negative", "Apply a softmax, or cut at zero and normalise."),
        (values > 1 + _TOLERANCE, "above 1", "Normalise each row."),
    )
    for fault, words, mend in faults:
        if fault.any():
            row, column = np.argwhere(fault)[0]
            found = (
                f"{int(fault.sum())} values are {words}, the first is in row {row}, {names[column]}"
            )
            problems.append(Problem(where, found, "probabilities from 0 to 1", mend))
    if not problems:
        total = values.sum(axis=1)
        off = np.abs(total - 1) > _TOLERANCE
        if off.any():
            row = int(np.argmax(off))
            first = f"the first is row {row} with {total[row]:.4g}"
            found = f"{int(off.sum())} rows do not sum to 1, {first}"
            problems.append(Problem(where, found, "1 within 0.001", "Normalise each row."))
    return problems


def _ranked(
    where: str, given: NDArray[np.int64], labels: tuple[int, ...]
) -> tuple[NDArray[np.float64], list[Problem]]:
    """Weigh ranked labels, shape (n, n_labels + 1), where -1 stands for none."""
    where = f"{where}, column ranking"
    column = {label: place for place, label in enumerate(labels)}
    values = np.zeros((len(given), len(labels)))
    faults: dict[str, list[int]] = {
        "empty": [],
        "with a label that is none": [],
        "with doubles": [],
    }
    for row, ranking in enumerate(given.tolist()):
        ranked = [label for label in ranking if label != _NONE]
        if not ranked:
            faults["empty"].append(row)
        elif any(label not in column for label in ranked):
            faults["with a label that is none"].append(row)
        elif len(set(ranked)) < len(ranked):
            faults["with doubles"].append(row)
        else:
            weights = 3.0 ** -np.arange(len(ranked))
            values[row, [column[label] for label in ranked]] = weights / weights.sum()
    return values, [
        Problem(
            where, f"{len(rows)} lists are {words}, the first in row {rows[0]}",
            f"labels of {labels[0]} to {labels[-1]}, best first, each at most once",
            "Mend the lists.",
        )
        for words, rows in faults.items()
        if rows
    ]  # fmt: skip
