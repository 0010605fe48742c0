"""Predictions: probabilities over labels for each sample of a test set, and their file."""

import hashlib
import json
import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from sgbench.errors import SgbenchError
from sgbench.evaluation._names import current_names
from sgbench.files import all_or_none, write_atomically
from sgbench.sets import SetSpec
from sgbench.symmetry import class_labels

CLASS_SCHEMES = ("spacegroup", "extinction")
_KEY = b"sgbench"
# A time is never the same twice, and predictions are: so it lies in a file of its own.
_SPEED, SPEED_ENDING = "patterns_per_second", ".speed.json"
# What the scorer and the leaderboard need to know of a file.
_PROVENANCE = {
    "model": str,
    "train_set": str,
    "scale": str,
    "test_set": str,
    "family": str,
    "protocol": str,
    "per_spacegroup": int,
}


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
        if self.class_scheme == "spacegroup":
            return len(self.spacegroups)
        return int(class_labels(self.spacegroups).max()) + 1

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
        labels = class_labels(self.spacegroups)
        summed = np.zeros((len(self.sample_ids), int(labels.max()) + 1), dtype=np.float32)
        for column, label in enumerate(labels):
            summed[:, label] += self.probabilities[:, column]
        return replace(self, class_scheme="extinction", probabilities=summed)


def write_predictions(path: Path, predictions: Predictions) -> None:
    """Write predictions as Parquet: `sample_id` and a fixed-size list `probabilities`.

    Where their speed is known, it is written beside, to ``NAME.speed.json``.
    """
    values = pa.array(predictions.probabilities.ravel(), type=pa.float32())
    table = pa.table(
        {
            "sample_id": pa.array(predictions.sample_ids),
            "probabilities": pa.FixedSizeListArray.from_arrays(values, predictions.n_labels),
        }
    )
    header = {
        "class_scheme": predictions.class_scheme,
        "spacegroups": predictions.spacegroups,
        "provenance": predictions.provenance,
    }
    table = table.replace_schema_metadata({_KEY: json.dumps(header, sort_keys=True)})
    speed = path.with_suffix(SPEED_ENDING)
    with all_or_none():
        with write_atomically(path) as temporary:
            pq.write_table(table, temporary)
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
    try:
        table = pq.read_table(path)
        header = json.loads(table.schema.metadata[_KEY])
        flat = table["probabilities"].combine_chunks().flatten().to_numpy(zero_copy_only=False)
        ids = tuple(table["sample_id"].to_pylist())
        provenance = _current(header["provenance"])
        for name, kind in _PROVENANCE.items():
            if not isinstance(provenance.get(name), kind):
                raise SgbenchError(
                    f"{path}: the provenance's '{name}' is {provenance.get(name)!r}; expected "
                    f"{kind.__name__}. Make the file with `sgbench predict`."
                )
        return Predictions(
            ids,
            header["class_scheme"],
            tuple(header["spacegroups"]),
            flat.reshape(len(ids), -1).astype(np.float32),
            provenance,
            _read_speed(path.with_suffix(SPEED_ENDING)),
        )
    except SgbenchError:
        raise
    except (OSError, LookupError, TypeError, ValueError, AttributeError) as error:
        raise SgbenchError(
            f"{path} is not a readable predictions file ({type(error).__name__}); expected the "
            "Parquet that `sgbench predict` writes. Make it again."
        ) from error


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
    try:
        speed = float(json.loads(path.read_text())[_SPEED])
    except (OSError, LookupError, TypeError, ValueError):
        speed = math.nan
    if not 0 < speed < math.inf:
        raise SgbenchError(
            f"{path} holds no {_SPEED}; expected a positive number. Predict again, or delete the "
            "file."
        )
    return speed
