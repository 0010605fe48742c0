"""What is to be known of a run, as plain data, and the file that keeps it until a store has it."""

import json
import os
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from sgbench.errors import SgbenchError
from sgbench.files import file_sha256, write_atomically

_VERSION = 1


@dataclass(frozen=True)
class Metric:
    """A value at a step, and when it was measured (ms since 1970): a store keeps such once."""

    name: str
    value: float
    step: int
    time: int


@dataclass(frozen=True)
class Input:
    """A dataset that went into a run."""

    name: str
    sha256: str
    context: str
    origin: dict[str, str]


@dataclass(frozen=True)
class Record:
    """One run.

    Attributes
    ----------
    name : str
        Of the run, where it has to be made.
    identity : dict of str to str
        Tags that no other run has, by which it is found again.
    started : int
        Milliseconds since 1970.
    tags : dict of str to str
        What else it is made with.
    joins : tuple of dict
        Attributes and tags of a run of another record, which this one rather adds to; first found.
    adds : bool
        It adds to what may be finished; otherwise a finished run is left alone.
    parent : dict of str to str
        Tags of the run that it is a child of; none if empty.
    parameters : dict of str to str
    metrics : tuple of Metric
    inputs : tuple of Input
    artifacts : dict of str to str
        Files, as seen from the journal, and their SHA-256.
    model : str, optional
        The artifact that is a trained network, to be exported.
    ended : int, optional
        None while more is to come.
    status : str
    """

    name: str
    identity: dict[str, str]
    started: int
    tags: dict[str, str] = field(default_factory=dict)
    joins: tuple[dict[str, str], ...] = ()
    adds: bool = False
    parent: dict[str, str] = field(default_factory=dict)
    parameters: dict[str, str] = field(default_factory=dict)
    metrics: tuple[Metric, ...] = ()
    inputs: tuple[Input, ...] = ()
    artifacts: dict[str, str] = field(default_factory=dict)
    model: str | None = None
    ended: int | None = None
    status: str = "RUNNING"

    def with_metrics(self, values: Mapping[str, float], step: int = 0) -> "Record":
        """Return it with one more value of each metric."""
        at = now()
        more = tuple(Metric(name, float(value), step, at) for name, value in values.items())
        return replace(self, metrics=self.metrics + more)

    def at_end(self, status: str = "FINISHED") -> "Record":
        """Return it as one that has ended now."""
        return replace(self, ended=now(), status=status)


def now() -> int:
    """Return the milliseconds since 1970."""
    return time.time_ns() // 1_000_000


def artifacts_of(paths: Iterable[Path], folder: Path) -> dict[str, str]:
    """Return files as a record names them: as seen from a folder, with their SHA-256."""
    return {os.path.relpath(path, folder): file_sha256(path) for path in paths}


def texts(values: Mapping[str, Any]) -> dict[str, str]:
    """Return values as parameters are sent."""
    return {name: str(value) for name, value in values.items()}


def write_journal(path: Path, records: Sequence[Record]) -> None:
    """Write records that a store does not have yet."""
    content = {"version": _VERSION, "records": [asdict(record) for record in records]}
    with write_atomically(path) as temporary:
        temporary.write_text(json.dumps(content, ensure_ascii=False) + "\n", encoding="utf-8")


def read_journal(path: Path) -> tuple[Record, ...]:
    """Read what `write_journal` wrote.

    Raises
    ------
    SgbenchError
        If the file is damaged, or of another version.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["version"] != _VERSION:
            raise ValueError(f"version {content['version']}")
        return tuple(_record(entry) for entry in content["records"])
    except (OSError, ValueError, TypeError, LookupError) as error:
        raise SgbenchError(
            f"{path} is not a readable record ({type(error).__name__}: {error}); expected what "
            f"sgbench keeps until MLflow has it (version {_VERSION}). Delete it to do without."
        ) from error


def _record(entry: dict[str, Any]) -> Record:
    return Record(
        **entry
        | {
            "joins": tuple(entry["joins"]),
            "metrics": tuple(Metric(**one) for one in entry["metrics"]),
            "inputs": tuple(Input(**one) for one in entry["inputs"]),
        }
    )
