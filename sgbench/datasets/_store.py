"""Line lists of crystals at rest: one Parquet file, whole or not there, that describes itself."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from sgbench.diffraction import LineList
from sgbench.errors import SgbenchError
from sgbench.files import write_atomically

__all__ = ["CrystalSet", "read_crystals", "write_crystals"]

#: Changes with the columns, so that an old file is told from a damaged one.
FORMAT = "sgbench-crystals-1"

_KEY = b"sgbench"
_CELL = ("a", "b", "c", "alpha", "beta", "gamma")
_SCHEMA = pa.schema(
    [
        ("structure_id", pa.string()),
        ("name", pa.string()),
        ("spacegroup", pa.int64()),
        ("family", pa.string()),
        *((name, pa.float64()) for name in _CELL),
        ("formula", pa.string()),
        ("n_atoms", pa.int64()),
        ("citation", pa.string()),
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
    spacegroup : ndarray of int64, shape (n,)
    cell : ndarray of float64, shape (n, 6)
        Conventional cell of the standard setting, ångström and degrees.
    n_atoms : ndarray of int64, shape (n,)
        Atoms in that cell.
    lines : LineList
    metadata : dict
        Name and version of the dataset, protocol by value, source, exclusions; plain data.
    """

    structure_id: tuple[str, ...]
    name: tuple[str, ...]
    spacegroup: NDArray[np.int64]
    family: tuple[str, ...]
    cell: NDArray[np.float64]
    formula: tuple[str, ...]
    n_atoms: NDArray[np.int64]
    citation: tuple[str, ...]
    lines: LineList
    metadata: dict[str, Any]

    def __len__(self) -> int:
        return len(self.structure_id)


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
        "structure_id": crystals.structure_id,
        "name": crystals.name,
        "spacegroup": crystals.spacegroup,
        "family": crystals.family,
        **{key: crystals.cell[:, number] for number, key in enumerate(_CELL)},
        "formula": crystals.formula,
        "n_atoms": crystals.n_atoms,
        "citation": crystals.citation,
        "two_theta": pa.ListArray.from_arrays(offsets, crystals.lines.two_theta),
        "intensity": pa.ListArray.from_arrays(offsets, crystals.lines.intensity),
    }
    metadata = json.dumps({"format": FORMAT, **crystals.metadata}, sort_keys=True)
    schema = _SCHEMA.with_metadata({_KEY: metadata.encode()})
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
    path = Path(path)
    if not path.is_file():
        raise SgbenchError(
            f"there is no file {path}; expected line lists of crystals. Build them first or mend "
            "the path."
        )
    try:
        # Named as an open file: given a path, pyarrow would take `key=value` folders for columns.
        with open(path, "rb") as handle:
            table = pq.read_table(handle, page_checksum_verification=True)
    except (pa.ArrowException, OSError) as error:
        raise SgbenchError(
            f"{path} cannot be read as Parquet ({str(error).splitlines()[0]}); expected line lists "
            "of crystals. It is damaged or something else: build it again."
        ) from error
    metadata = _metadata(table.schema.metadata)
    found = metadata.pop("format", None)
    if found != FORMAT or not table.schema.equals(_SCHEMA):
        raise SgbenchError(
            f"{path} is not a file of crystals in the format '{FORMAT}' (its format is "
            f"{found!r}). Name such a file, or build it again with this version of sgbench."
        )
    return _crystals(table, metadata)


def _metadata(raw: dict[bytes, bytes] | None) -> dict[str, Any]:
    try:
        metadata = json.loads((raw or {}).get(_KEY, b"{}"))
    except ValueError:
        return {}
    return metadata if isinstance(metadata, dict) else {}


def _crystals(table: pa.Table, metadata: dict[str, Any]) -> CrystalSet:
    positions = table["two_theta"].combine_chunks()
    intensities = table["intensity"].combine_chunks()
    counts = positions.value_lengths().to_numpy(zero_copy_only=False)
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)

    def texts(name: str) -> tuple[str, ...]:
        return tuple(table[name].to_pylist())

    return CrystalSet(
        structure_id=texts("structure_id"),
        name=texts("name"),
        spacegroup=table["spacegroup"].to_numpy(),
        family=texts("family"),
        cell=np.stack([table[name].to_numpy() for name in _CELL], axis=1),
        formula=texts("formula"),
        n_atoms=table["n_atoms"].to_numpy(),
        citation=texts("citation"),
        lines=LineList(offsets, positions.flatten().to_numpy(), intensities.flatten().to_numpy()),
        metadata=metadata,
    )
