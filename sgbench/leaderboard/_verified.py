"""The maintainers' file: who scored which model of a stranger again, when, and on what."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

import pandas as pd
from filelock import FileLock
from pydantic import ConfigDict

from sgbench.checked import FileKind, record
from sgbench.evaluation import Score
from sgbench.files import write_atomically

_FORMAT = "sgbench-verified-1"
# Another machine rounds a model's probabilities otherwise, which a hit may hang on.
_SAME_ACCURACY = 1e-3


@dataclass(frozen=True)
class Verification:
    """A model that was run again by a maintainer.

    Attributes
    ----------
    model, model_version : str
    submission_sha256 : str
        Of the model's file.
    test_set, class_scheme, test_sha256 : str
        What it was run on.
    predictions_sha256 : str
    top1 : float
        Accuracy, a fraction.
    public_gap : float
        Share of hits on the public off-mesh patterns less that on the sealed ones.
    seal : str
        Commitment of the sealed round.
    verified_by : str
    verified_on : str
        Date, as 2026-11-27.
    sgbench_version : str
    """

    __pydantic_config__: ClassVar = ConfigDict(extra="forbid", allow_inf_nan=False)

    model: str
    model_version: str
    submission_sha256: str
    test_set: str
    class_scheme: str
    test_sha256: str
    predictions_sha256: str
    top1: float
    public_gap: float
    seal: str
    verified_by: str
    verified_on: str
    sgbench_version: str

    def is_of(self, result: Score) -> bool:
        """Tell whether a score is of the very model and the very samples."""
        origin = result.provenance
        what = (origin["model"], result.test_set, result.class_scheme, result.test_sha256)
        return (
            self._what == what
            and self.submission_sha256 == origin.get("submission_sha256")
            and self.model_version == origin.get("model_version")
        )

    def covers(self, row: "pd.Series[Any]") -> bool:
        """Tell whether a row of the leaderboard says what was found."""
        names = ("model", "test_set", "class_scheme", "test_sha256")
        return (
            self._what == tuple(row[name] for name in names)
            and abs(self.top1 - float(row["top1"])) <= _SAME_ACCURACY
        )

    @property
    def _what(self) -> tuple[str, str, str, str]:
        return self.model, self.test_set, self.class_scheme, self.test_sha256


_FILE = record("Verified", {"format": Literal[_FORMAT], "rows": tuple[Verification, ...]})
_KIND = FileKind(
    "a readable list of verified models",
    "what `sgbench verify` writes. Restore it from the repository.",
)


def read_verified(path: Path) -> tuple[Verification, ...]:
    """Read the maintainers' file; where there is none, nothing is verified.

    Raises
    ------
    SgbenchError
        If it says something else.
    """
    if not path.exists():
        return ()
    rows: tuple[Verification, ...] = _KIND.read_json(path, _FILE)["rows"]
    return rows


def record_verified(fresh: Sequence[Verification], path: Path) -> None:
    """Add verifications to the maintainers' file, in place of earlier ones of the same rows."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(path.with_name(f".{path.name}.lock")):
        kept = {one._what: one for one in (*read_verified(path), *fresh)}
        rows = [asdict(kept[what]) for what in sorted(kept)]
        with write_atomically(path) as temporary:
            temporary.write_text(json.dumps({"format": _FORMAT, "rows": rows}, indent=1) + "\n")


def unfounded(table: pd.DataFrame, verified: Iterable[Verification]) -> pd.DataFrame:
    """Return the rows that claim to be verified, and that the maintainers' file does not bear out.

    Parameters
    ----------
    table : DataFrame
        A leaderboard.
    verified : iterable of Verification
    """
    known = tuple(verified)
    claimed = table[table["status"] == "verified"]
    founded = [any(one.covers(row) for one in known) for _, row in claimed.iterrows()]
    return claimed[[not found for found in founded]]
