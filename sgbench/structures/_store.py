"""Line lists of crystals at rest: one Parquet file, whole or not there, that describes itself."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import astuple, dataclass, replace
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from sgbench.diffraction import LineList, PatternProtocol, Samples
from sgbench.errors import SgbenchError
from sgbench.files import write_atomically
from sgbench.structures.sources import Excluded

#: Changes with the columns, so that an old file is told from a damaged one.
FORMAT = "sgbench-crystals-2"

#: Key of the metadata that names what the build got no answer about, if there is anything.
UNANSWERED = "unanswered"

# Parquet guards its pages by checksums, but not what a file says of itself.
_KEY, _CHECK = b"sgbench", b"sgbench_sha256"
_CELL = ("a", "b", "c", "alpha", "beta", "gamma")
_TEXTS = (
    "structure_id", "name", "family", "extinction_class", "formula", "prototype", "citation",
    "split_stratified", "split_grouped",
)  # fmt: skip
# Files carry the name that the split had at first.
_COLUMN_OF = {"split_stratified": "split_paper"}
_NUMBERS = ("spacegroup", "n_atoms", "ordered")
_SCHEMA = pa.schema(
    [
        *((_COLUMN_OF.get(name, name), pa.string()) for name in _TEXTS),
        ("spacegroup", pa.int64()),
        *((name, pa.float64()) for name in _CELL),
        ("n_atoms", pa.int64()),
        ("ordered", pa.bool_()),
        ("two_theta", pa.list_(pa.float64())),
        ("intensity", pa.list_(pa.float32())),
    ]
)


@dataclass(frozen=True)
class CrystalSet:
    """Crystals with their lines.

    Attributes
    ----------
    structure_id, name, family, formula, citation : tuple of str, length n
    extinction_class : tuple of str, length n
        Extinction symbol, unique within the family.
    prototype : tuple of str, length n
        Anonymous formula, space group and occupied Wyckoff letters, e.g. ``AB_225_ab``.
    split_stratified, split_grouped : tuple of str, length n
        ``train``, ``validation`` or ``test``; see `stratified_split` and `grouped_split`.
    spacegroup : ndarray of int64, shape (n,)
    cell : ndarray of float64, shape (n, 6)
        Conventional cell of the standard setting, ångström and degrees.
    n_atoms : ndarray of int64, shape (n,)
        Occupied positions in that cell.
    ordered : ndarray of bool, shape (n,)
        Whether each position holds one element and is always occupied.
    lines : LineList
    excluded : tuple of Excluded
        What of the source is left out, and why.
    metadata : dict
        Name and version of the dataset, protocol by value, source; plain data.
    """

    structure_id: tuple[str, ...]
    name: tuple[str, ...]
    family: tuple[str, ...]
    extinction_class: tuple[str, ...]
    formula: tuple[str, ...]
    prototype: tuple[str, ...]
    citation: tuple[str, ...]
    split_stratified: tuple[str, ...]
    split_grouped: tuple[str, ...]
    spacegroup: NDArray[np.int64]
    cell: NDArray[np.float64]
    n_atoms: NDArray[np.int64]
    ordered: NDArray[np.bool_]
    lines: LineList
    excluded: tuple[Excluded, ...]
    metadata: dict[str, Any]

    def __len__(self) -> int:
        return len(self.structure_id)

    @property
    def unanswered(self) -> tuple[str, ...]:
        """Return the ids that crashed or took too long; where there are any, it is not complete."""
        return tuple(self.metadata.get(UNANSWERED, ()))

    def split(self, name: str) -> tuple[str, ...]:
        """Return the part that each crystal is in, of the split ``grouped`` or ``stratified``."""
        return self.split_grouped if name == "grouped" else self.split_stratified

    def samples(self, indices: Sequence[int] | NDArray[np.int64]) -> Samples:
        """Return some of the crystals as labelled samples."""
        i = np.asarray(indices, dtype=np.int64)
        return Samples(
            tuple(self.structure_id[k] for k in i),
            self.spacegroup[i],
            PatternProtocol(**self.metadata["protocol"]),
            self.lines.take(i),
        )

    def take(self, indices: Sequence[int] | NDArray[np.int64]) -> "CrystalSet":
        """Return some of the crystals, with the same exclusions and metadata."""
        i = np.asarray(indices, dtype=np.int64)
        texts: dict[str, Any] = {n: tuple(getattr(self, n)[k] for k in i) for n in _TEXTS}
        arrays: dict[str, Any] = {name: getattr(self, name)[i] for name in ("cell", *_NUMBERS)}
        return replace(self, **texts, **arrays, lines=self.lines.take(i))


def concatenate(parts: Sequence[CrystalSet], metadata: dict[str, Any]) -> CrystalSet:
    """Return the crystals and exclusions of several sets as one, with metadata of its own."""
    counts = np.concatenate([np.diff(part.lines.offsets) for part in parts])
    columns: dict[str, Any] = {
        name: tuple(chain.from_iterable(getattr(part, name) for part in parts)) for name in _TEXTS
    }
    for name in ("cell", *_NUMBERS):
        columns[name] = np.concatenate([getattr(part, name) for part in parts])
    return CrystalSet(
        **columns,
        lines=LineList(
            np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
            np.concatenate([part.lines.two_theta for part in parts]),
            np.concatenate([part.lines.intensity for part in parts]),
        ),
        excluded=tuple(chain.from_iterable(part.excluded for part in parts)),
        metadata=metadata,
    )


def write_crystals(crystals: CrystalSet, path: Path) -> None:
    """Write crystals to a Parquet file; a crash leaves the former file or none, never a part.

    The bytes depend on the crystals and on pyarrow's version only.

    Raises
    ------
    SgbenchError
        If the folder cannot be written to.
    """
    offsets = pa.array(crystals.lines.offsets, pa.int32())
    columns: dict[str, Sequence[Any] | NDArray[Any] | pa.Array] = {
        **{_COLUMN_OF.get(name, name): getattr(crystals, name) for name in (*_TEXTS, *_NUMBERS)},
        **{key: crystals.cell[:, number] for number, key in enumerate(_CELL)},
        "two_theta": pa.ListArray.from_arrays(offsets, crystals.lines.two_theta),
        "intensity": pa.ListArray.from_arrays(offsets, crystals.lines.intensity),
    }
    excluded = [astuple(entry) for entry in crystals.excluded]
    metadata = json.dumps(
        {"format": FORMAT, "excluded": excluded, **crystals.metadata}, sort_keys=True
    )
    schema = _SCHEMA.with_metadata({_KEY: metadata.encode(), _CHECK: _digest(metadata.encode())})
    table = pa.table([pa.array(columns[f.name], f.type) for f in schema], schema=schema)
    with write_atomically(Path(path)) as temporary:
        pq.write_table(table, temporary, compression="zstd", write_page_checksum=True)


def read_crystals(path: Path) -> CrystalSet:
    """Read crystals from a Parquet file that `write_crystals` wrote.

    Raises
    ------
    SgbenchError
        If the file is missing, damaged or not of this kind.
    """
    return _crystals(*_read(path, None))


def open_crystals(path: Path) -> CrystalSet:
    """Return the crystals of a file; a process reads each file once, as long as it stays the same.

    Raises
    ------
    SgbenchError
        As of `read_crystals`.
    """
    try:
        state = path.stat()
    except OSError:
        return read_crystals(path)  # which says what is wrong
    return _read_once(path.resolve(), (state.st_mtime_ns, state.st_size, state.st_ino))


@lru_cache(maxsize=4)
def _read_once(path: Path, state: tuple[int, ...]) -> CrystalSet:
    return read_crystals(path)


def find_crystals(name: str, paths: Sequence[Path]) -> CrystalSet:
    """Return the crystals of a dataset from the one of some files that holds them.

    Raises
    ------
    SgbenchError
        If none does, or several do.
    """
    found = {path.resolve(): path for path in paths if read_metadata(path)["name"] == name}
    if not found:
        raise SgbenchError(
            f"line lists of '{name}' are needed; none were given. Build them with "
            f"`sgbench dataset build {name}` and pass the file with --crystals."
        )
    first, *others = found.values()
    if others:
        raise SgbenchError(
            f"{first} and {others[0]} both hold '{name}'; expected one file of each dataset, "
            "since results of different data are no comparison. Pass one of them."
        )
    return open_crystals(first)


def read_metadata(path: Path) -> dict[str, Any]:
    """Read what a file of crystals says of itself, without its crystals.

    Raises
    ------
    SgbenchError
        If the file is missing, damaged or not of this kind.
    """
    return _read(path, [])[1]


def _read(path: Path, columns: list[str] | None) -> tuple[pa.Table, dict[str, Any]]:
    path = Path(path)
    if not path.is_file():
        raise SgbenchError(
            f"there is no file {path}; expected line lists of crystals. Build them first or mend "
            "the path."
        )
    try:
        # Named as an open file: given a path, pyarrow would take `key=value` folders for columns.
        with open(path, "rb") as handle:
            file = pq.ParquetFile(handle, page_checksum_verification=True)
            schema, table = file.schema_arrow, file.read(columns)
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise SgbenchError(
            f"{path} cannot be read as Parquet ({str(error).splitlines()[0]}); expected line lists "
            "of crystals. It is damaged or something else: build it again."
        ) from error
    metadata = _metadata(schema.metadata)
    found = metadata.pop("format", None)
    if found != FORMAT or not schema.equals(_SCHEMA):
        raise SgbenchError(
            f"{path} is not a file of crystals in the format '{FORMAT}' (its format is "
            f"{found!r}). Name such a file, or build it again with this version of sgbench."
        )
    return table, metadata


def _metadata(raw: dict[bytes, bytes] | None) -> dict[str, Any]:
    """Return the metadata, empty where there is none or it is damaged."""
    text = (raw or {}).get(_KEY, b"")
    if (raw or {}).get(_CHECK) != _digest(text):
        return {}
    metadata = json.loads(text)
    assert isinstance(metadata, dict)
    return metadata


def _digest(text: bytes) -> bytes:
    return hashlib.sha256(text).hexdigest().encode()


def _crystals(table: pa.Table, metadata: dict[str, Any]) -> CrystalSet:
    positions = table["two_theta"].combine_chunks()
    intensities = table["intensity"].combine_chunks()
    counts = positions.value_lengths().to_numpy(zero_copy_only=False)
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)

    columns: dict[str, Any] = {
        name: tuple(table[_COLUMN_OF.get(name, name)].to_pylist()) for name in _TEXTS
    }
    columns |= {name: table[name].to_numpy() for name in _NUMBERS}
    return CrystalSet(
        **columns,
        cell=np.stack([table[name].to_numpy() for name in _CELL], axis=1),
        lines=LineList(offsets, positions.flatten().to_numpy(), intensities.flatten().to_numpy()),
        excluded=tuple(Excluded(*entry) for entry in metadata.pop("excluded")),
        metadata=metadata,
    )
