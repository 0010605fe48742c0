"""Line lists of crystals at rest: one Parquet file, whole or not there, that describes itself."""

from collections.abc import Sequence
from dataclasses import astuple, dataclass, replace
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Annotated, Any, Literal, get_type_hints

import numpy as np
import pyarrow as pa
from annotated_types import Le
from numpy.typing import NDArray

from sgbench.checked import Count, FileKind, Text, printed, record
from sgbench.described import described, write_described
from sgbench.diffraction import LineList, PatternProtocol, Samples
from sgbench.errors import SgbenchError
from sgbench.files import read_once, require_file
from sgbench.structures.sources import Excluded
from sgbench.symmetry import FAMILIES, extinction_classes, family_of, family_spacegroups

#: Changes with the columns, so that an old file is told from a damaged one.
FORMAT = "sgbench-crystals-2"

#: Key of the metadata that names what the build got no answer about, if there is anything.
UNANSWERED = "unanswered"

_Family: Any = Literal[tuple(FAMILIES)]
_KIND = FileKind(
    f"a file of crystals in the format '{FORMAT}'",
    "line lists that `sgbench dataset build` writes. Build it again with this version of sgbench, "
    "or name another file.",
)
_MOST_POINTS = 2**20
_LONGEST_EDGE = 1e4  # ångström
_ROUNDING = 1e-6  # degrees
# What a file says of itself, and whoever opens it leans on; there may be more.
_METADATA: dict[str, Any] = {
    "excluded": tuple[tuple[Text, Text, Text], ...],
    "name": Text,
    "version": Count,
    "families": list[_Family],
    "protocol": record(
        "Protocol",
        get_type_hints(PatternProtocol) | {"n_points": Annotated[Count, Le(_MOST_POINTS)]},
    ),
    "source": record(
        "Source",
        {**dict.fromkeys(("name", "citation", "licence"), Text), "provenance": dict[Text, Text]},
        others=True,
    ),
}
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
            cell=self.cell[i],
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
    told = {"excluded": excluded, **crystals.metadata}
    write_described(Path(path), _SCHEMA, columns, FORMAT, told)


def read_crystals(path: Path) -> CrystalSet:
    """Read crystals from a Parquet file that `write_crystals` wrote.

    Raises
    ------
    SgbenchError
        If the file is missing, damaged or not of this kind.
    """
    return _crystals(path, *_read(path, None))


def read_part(path: Path) -> CrystalSet:
    """Read what a build has finished so far: crystals without splits and metadata of their own.

    Raises
    ------
    SgbenchError
        As of `read_crystals`.
    """
    return _crystals(path, *_read(path, None, whole=False))


def open_crystals(path: Path) -> CrystalSet:
    """Return the crystals of a file; a process reads each file once, as long as it stays the same.

    Raises
    ------
    SgbenchError
        As of `read_crystals`.
    """
    return read_once(path, read_crystals)


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


def _read(
    path: Path, columns: list[str] | None, whole: bool = True
) -> tuple[pa.Table, dict[str, Any]]:
    path = Path(path)
    require_file(path, "line lists of crystals. Build them first or mend the path.")
    with _KIND.open_parquet(path) as file:
        schema, table = file.schema_arrow, file.read(columns)
    metadata = _metadata(path, schema, whole)
    _KIND.checked_columns(path, schema.remove_metadata().empty_table(), _SCHEMA)
    if columns is None:
        _KIND.checked_columns(path, table, _SCHEMA)
    return table, metadata


def _metadata(path: Path, schema: pa.Schema, whole: bool) -> dict[str, Any]:
    found = described(_KIND, path, schema, FORMAT)
    optional = () if whole else _METADATA.keys() - {"excluded"}
    metadata: dict[str, Any] = _KIND.checked(
        path, found, record("Metadata", _METADATA, optional, others=True)
    )
    if "protocol" in metadata:
        try:
            PatternProtocol(**metadata["protocol"])
        except SgbenchError as error:
            raise _KIND.damaged(path, printed(str(error))) from None
    return metadata


def _crystals(path: Path, table: pa.Table, metadata: dict[str, Any]) -> CrystalSet:
    positions = table["two_theta"].combine_chunks()
    intensities = table["intensity"].combine_chunks()
    counts = positions.value_lengths().to_numpy(zero_copy_only=False)
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)

    columns: dict[str, Any] = {
        name: tuple(table[_COLUMN_OF.get(name, name)].to_pylist()) for name in _TEXTS
    }
    columns |= {name: table[name].to_numpy() for name in _NUMBERS}
    crystals = CrystalSet(
        **columns,
        cell=np.stack([table[name].to_numpy() for name in _CELL], axis=1),
        lines=LineList(offsets, positions.flatten().to_numpy(), intensities.flatten().to_numpy()),
        excluded=tuple(Excluded(*entry) for entry in metadata.pop("excluded")),
        metadata=metadata,
    )
    other = intensities.value_lengths().to_numpy(zero_copy_only=False)
    if not np.array_equal(counts, other):
        raise _KIND.damaged(path, "a structure has more positions than intensities, or fewer")
    if (why := _contradiction(crystals)) is not None:
        raise _KIND.damaged(path, why)
    return crystals


def _contradiction(crystals: CrystalSet) -> str | None:
    """Say what in crystals cannot be true; None if nothing is."""
    lines, groups = crystals.lines, crystals.spacegroup
    if ((groups < 1) | (groups > 230)).any():
        return "a space group is not between 1 and 230"
    known = {int(group): family_of(int(group)) for group in np.unique(groups)}
    symbols = class_symbols()
    protocol = crystals.metadata.get("protocol")
    lower, upper = PatternProtocol(**protocol).line_range if protocol else (0.0, 180.0)
    falls = np.diff(lines.two_theta) < 0
    starts = lines.offsets[1:-1]  # where the next structure begins
    falls[starts[(starts > 0) & (starts < len(lines.two_theta))] - 1] = False
    edges, angles = crystals.cell[:, :3], crystals.cell[:, 3:]
    families = [known[int(group)] for group in groups]
    parts = {"train", "validation", "test", *(() if protocol else ("",))}
    checks = {
        "two structures have the same id": len(set(crystals.structure_id)) < len(crystals),
        "a family is not that of the space group": list(crystals.family) != families,
        "an extinction class is not that of the space group": list(crystals.extinction_class)
        != [symbols[int(group)] for group in groups],
        "a cell is none": not (
            ((edges > 0) & (edges < _LONGEST_EDGE)).all() and ((angles > 0) & (angles < 180)).all()
        ),
        "a structure has no atoms": (crystals.n_atoms < 1).any(),
        "a part of a split is none of train, validation and test": not {
            *crystals.split_stratified, *crystals.split_grouped
        } <= parts,
        "a line is outside of the window": not (
            (lines.two_theta >= lower - _ROUNDING) & (lines.two_theta <= upper + _ROUNDING)
        ).all(),
        "lines of a structure do not ascend": falls.any(),
        "an intensity is negative or not finite": not (
            (lines.intensity >= 0) & np.isfinite(lines.intensity)
        ).all(),
    }  # fmt: skip
    return next((words for words, wrong in checks.items() if wrong), None)


@cache
def class_symbols() -> dict[int, str]:
    """Return the extinction symbol of each space group."""
    classes = extinction_classes(family_spacegroups("all"))
    return {group: each.symbol for each in classes for group in each.spacegroups}
