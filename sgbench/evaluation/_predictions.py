"""Predictions: probabilities over labels for each sample of a test set, and their file."""

import hashlib
import json
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from annotated_types import Le, Len
from numpy.typing import NDArray

from sgbench.checked import Count, FileKind, Positive, Several, Text, record
from sgbench.errors import SgbenchError
from sgbench.evaluation._names import current_names
from sgbench.files import all_or_none, write_atomically
from sgbench.sets import SetSpec
from sgbench.symmetry import (
    FAMILIES,
    class_labels,
    family_spacegroups,
    system_labels,
)

CLASS_SCHEMES = ("spacegroup", "extinction")
#: What a person calls the classes of each. Over crystal systems measured patterns alone are scored,
#: and nothing is predicted.
SCHEME_NAMES = {
    "spacegroup": "space groups",
    "extinction": "extinction classes",
    "system": "crystal systems",
}
_KEY = b"sgbench"
# A time is never the same twice, and predictions are: so it lies in a file of its own.
_SPEED, SPEED_ENDING = "patterns_per_second", ".speed.json"
_KIND = FileKind(
    "a readable predictions file", "the Parquet that `sgbench predict` writes. Make it again."
)
_SPEED_KIND = FileKind(
    f"a file of {_SPEED}", "a positive number. Predict again, or delete the file."
)
# What the scorer and the leaderboard need to know of a file; there may be more.
_PROVENANCE: dict[str, Any] = {
    **dict.fromkeys(("model", "train_set", "scale", "test_set", "family", "protocol"), Text),
    "per_spacegroup": Count,
}
_Header: Any = record(
    "Header",
    {
        "class_scheme": Literal[CLASS_SCHEMES],
        "spacegroups": Annotated[tuple[Annotated[Several, Le(230)], ...], Len(1, 230)],
        "provenance": dict[str, Any],
    },
)


@dataclass(frozen=True)
class Predictions:
    """What a model says of a test set.

    Attributes
    ----------
    sample_ids : tuple of str
    class_scheme : {'spacegroup', 'extinction'}
    spacegroups : tuple of int
        Space groups of the family. Labels are these, or their extinction classes in order.
    probabilities : ndarray of float32, shape (n, n_labels)
        Rows sum to one.
    provenance : dict
        Model, training set, test set and what else tells where the numbers come from.
    patterns_per_second : float or None
        How fast they were made, rendering included; None where it was not measured.
    """

    sample_ids: tuple[str, ...]
    class_scheme: str
    spacegroups: tuple[int, ...]
    probabilities: NDArray[np.float32]
    provenance: dict[str, Any]
    patterns_per_second: float | None = None

    def __post_init__(self) -> None:
        if self.class_scheme not in CLASS_SCHEMES:
            raise SgbenchError(
                f"unknown class scheme '{self.class_scheme}'; expected one of "
                f"{', '.join(CLASS_SCHEMES)}. Name one of these."
            )
        labels = self.n_labels
        if self.probabilities.shape != (len(self.sample_ids), labels):
            raise SgbenchError(
                f"probabilities have shape {self.probabilities.shape}; expected "
                f"({len(self.sample_ids)}, {labels}), one row a sample and one column a label."
            )
        total = self.probabilities.sum(axis=1)
        if not np.all(np.isfinite(total)) or (self.probabilities < 0).any():
            raise SgbenchError("probabilities must be finite and not negative. Mend the model.")
        if not np.allclose(total, 1.0, atol=1e-3):
            worst = float(total[np.argmax(np.abs(total - 1))])
            raise SgbenchError(
                f"probabilities of a sample sum to {worst:.4f}; expected 1. Normalise each row."
            )

    @property
    def n_labels(self) -> int:
        """How many labels the scheme has."""
        return n_labels(self.class_scheme, self.spacegroups)

    def sha256(self) -> str:
        """Return a SHA-256 over sample ids, class scheme and probabilities, and nothing else.

        So equal answers have equal hashes, whatever run or day they are of.
        """
        labels = json.dumps([self.class_scheme, self.spacegroups, self.sample_ids])
        digest = hashlib.sha256(labels.encode())
        digest.update(np.ascontiguousarray(self.probabilities, dtype="<f4").tobytes())
        return digest.hexdigest()

    def by_class(self) -> "Predictions":
        """Sum probabilities over space groups to probabilities over extinction classes."""
        if self.class_scheme == "extinction":
            return self
        return replace(self, class_scheme="extinction", probabilities=self.summed("extinction"))

    def summed(self, class_scheme: str) -> NDArray[np.float32]:
        """Return probabilities over space groups as those over the labels of a scheme."""
        labels = labels_of(class_scheme, self.spacegroups)
        width = n_labels(class_scheme, self.spacegroups)
        summed = np.zeros((len(self.sample_ids), width), dtype=np.float32)
        for column, label in enumerate(labels):
            summed[:, label] += self.probabilities[:, column]
        return summed


def n_labels(class_scheme: str, spacegroups: tuple[int, ...]) -> int:
    """Return how many labels a scheme has for some space groups."""
    return int(labels_of(class_scheme, spacegroups).max()) + 1


def labels_of(class_scheme: str, spacegroups: tuple[int, ...]) -> NDArray[np.int64]:
    """Return the position of each space group's label among those of a scheme."""
    if class_scheme == "spacegroup":
        return np.arange(len(spacegroups))
    return (class_labels if class_scheme == "extinction" else system_labels)(spacegroups)


def write_predictions(path: Path, predictions: Predictions) -> None:
    """Write predictions as Parquet: `sample_id` and a fixed-size list `probabilities`.

    Where their speed is known, it is written beside, to ``NAME.speed.json``.
    """
    values = pa.array(predictions.probabilities.ravel(), type=pa.float32())
    lists = pa.FixedSizeListArray.from_arrays(values, predictions.n_labels)
    header = {
        "class_scheme": predictions.class_scheme,
        "spacegroups": predictions.spacegroups,
        "provenance": predictions.provenance,
    }
    schema = _schema(predictions.n_labels).with_metadata({_KEY: json.dumps(header, sort_keys=True)})
    table = pa.table([pa.array(predictions.sample_ids, pa.string()), lists], schema=schema)
    speed = path.with_suffix(SPEED_ENDING)
    with all_or_none():
        with write_atomically(path) as temporary:
            pq.write_table(table, temporary, write_page_checksum=True)
        if predictions.patterns_per_second is not None:
            with write_atomically(speed) as temporary:
                temporary.write_text(json.dumps({_SPEED: predictions.patterns_per_second}) + "\n")
    if predictions.patterns_per_second is None:
        speed.unlink(missing_ok=True)


def read_predictions(path: Path) -> Predictions:
    """Read what `write_predictions` wrote.

    Raises
    ------
    SgbenchError
        If the file is missing, truncated or something else.
    """
    path = Path(path)
    with _KIND.open_parquet(path) as file:
        text = file.schema_arrow.metadata[_KEY]
        table = file.read()
    header = _KIND.parse_json(path, text, _Header)
    provenance = _KIND.checked(
        path, _current(header["provenance"]), record("Provenance", _PROVENANCE, others=True)
    )
    groups = header["spacegroups"]
    # Positions of labels are counted from the first of a family.
    if groups not in map(tuple, FAMILIES.values()):
        raise _KIND.damaged(path, "its space groups are not those of a family")
    width = n_labels(header["class_scheme"], groups)
    with _KIND.decoding(path):
        # Other tools write lists of their own kinds, and doubles.
        table = table.select(["sample_id", "probabilities"]).cast(_schema(width))
    _KIND.checked_columns(path, table, _schema(width))
    values = table["probabilities"].combine_chunks().flatten().to_numpy()
    ids = tuple(table["sample_id"].to_pylist())
    if not ids:
        raise _KIND.damaged(path, "it holds no sample")
    if len(set(ids)) < len(ids):
        raise _KIND.damaged(path, "a sample is there twice")
    try:
        return Predictions(
            ids, header["class_scheme"], groups, values.reshape(len(ids), width),
            provenance, _read_speed(path.with_suffix(SPEED_ENDING)),
        )  # fmt: skip
    except SgbenchError as error:
        raise SgbenchError(f"{path}: {error}") from None


def _schema(width: int) -> pa.Schema:
    return pa.schema([("sample_id", pa.string()), ("probabilities", pa.list_(pa.float32(), width))])


def _current(provenance: dict[str, Any]) -> dict[str, Any]:
    """Return a provenance with today's names; files of earlier versions name a dataset instead."""
    found = dict(provenance)
    if isinstance(found.get("dataset"), str):
        spec = SetSpec.parse(found.pop("dataset"))
        found |= {"family": spec.family, "protocol": spec.protocol}
    return current_names(found)


def _read_speed(path: Path) -> float | None:
    if not path.exists():
        return None
    speed: float = _SPEED_KIND.read_json(path, record("Speed", {_SPEED: Positive}))[_SPEED]
    return speed


@cache
def label_names(family: str, class_scheme: str) -> dict[str, int]:
    """Return the labels of a scheme by their names."""
    groups = family_spacegroups(family)
    known = groups if class_scheme == "spacegroup" else range(n_labels(class_scheme, groups))
    return {str(one): one for one in known}
