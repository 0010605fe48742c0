"""Collections of measured patterns at rest: one Parquet file that describes itself."""

from collections.abc import Sequence
from dataclasses import astuple, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sgbench.checked import Count, FileKind, Text, record
from sgbench.collections._audit import AUDIT_VERSION, audit
from sgbench.collections._entry import LabelledPattern
from sgbench.described import described, form_of, write_described
from sgbench.errors import SgbenchError
from sgbench.files import read_once, write_atomically
from sgbench.measured import Wavelength, measured_pattern
from sgbench.sourced import Excluded, Source, excluded_csv
from sgbench.version import __version__

#: Changes with the columns.
FORMAT = "sgbench-patterns-1"
_KIND = FileKind(
    f"a file of measured patterns in the format '{FORMAT}'",
    "what `sgbench dataset build measured-…` writes. Build it again with this version of sgbench.",
)
_CELL = ("a", "b", "c", "alpha", "beta", "gamma")
_SCHEMA = pa.schema(
    [
        ("pattern_id", pa.string()),
        ("substance", pa.string()),
        ("prototype", pa.string()),
        ("citation", pa.string()),
        ("spacegroup", pa.int64()),
        ("cell", pa.list_(pa.float64())),
        ("wavelengths", pa.list_(pa.float64())),
        ("weights", pa.list_(pa.float64())),
        ("two_theta", pa.list_(pa.float64())),
        ("intensity", pa.list_(pa.float64())),
    ]
)
_METADATA: dict[str, Any] = {
    "excluded": tuple[tuple[Text, Text, Text], ...],
    "name": Text,
    "audit_version": Count,
    "development": bool,
    "source": record(
        "Source",
        {**dict.fromkeys(("name", "citation", "licence"), Text), "provenance": dict[Text, Text]},
    ),
}


@dataclass(frozen=True, eq=False)
class PatternSet:
    """A collection of measured patterns, audited.

    Attributes
    ----------
    name : str
        That of the set, such as ``measured-rruff``.
    patterns : tuple of LabelledPattern
        What can be a test; without the structures that came with them.
    excluded : tuple of Excluded
        What cannot, and why (`REASONS`).
    metadata : dict
        Version of the audit, source, and whether choices were made on these patterns
        (``development``), so that they judge nothing.
    """

    name: str
    patterns: tuple[LabelledPattern, ...]
    excluded: tuple[Excluded, ...]
    metadata: dict[str, Any] = field(repr=False)

    def __len__(self) -> int:
        return len(self.patterns)

    @property
    def spacegroup(self) -> NDArray[np.int64]:
        """Labels, shape (n,)."""
        return np.array([one.spacegroup for one in self.patterns], dtype=np.int64)

    @property
    def source(self) -> str:
        """Name of the source; that of development data says that it is."""
        told = " (development data)" if self.metadata["development"] else ""
        return f"{self.metadata['source']['name']}{told}"

    @property
    def clusters(self) -> tuple[str, ...]:
        """What is no independent test beside another: the substance, or else the pattern itself."""
        return tuple(one.substance or f"pattern {one.pattern_id}" for one in self.patterns)


def build_patterns(name: str, source: Source, development: bool = False) -> PatternSet:
    """Return the audited patterns of a source.

    Raises
    ------
    SgbenchError
        If none of them can be a test.
    """
    kept, excluded = audit(source.read())
    if not kept:
        told = ""
        for first in excluded[:1]:
            why = ", ".join(filter(None, (first.reason, first.detail)))
            told = f" (of {len(excluded)}, {first.structure_id}: {why})"
        raise SgbenchError(
            f"the source {source.name} holds no pattern that can be a test{told}; "
            "expected at least one. See docs/measured-sets.md for what a pattern needs."
        )
    metadata = {
        "audit_version": AUDIT_VERSION,
        "development": development,
        "sgbench_version": __version__,
        "source": {
            "name": source.name,
            "citation": source.citation,
            "licence": source.licence,
            "provenance": dict(source.provenance),
        },
    }
    return PatternSet(name, tuple(replace(one, structure=None) for one in kept), excluded, metadata)


def write_patterns(patterns: PatternSet, path: Path) -> None:
    """Write a collection to a Parquet file; a crash leaves the former file or none."""
    rows = patterns.patterns
    columns: dict[str, list[Any]] = {
        **{key: [getattr(one, key) for one in rows]
           for key in ("pattern_id", "substance", "prototype", "citation", "spacegroup")},
        "cell": [list(one.cell or ()) for one in rows],
        "wavelengths": [[line.value for line in one.pattern.wavelengths] for one in rows],
        "weights": [[line.weight for line in one.pattern.wavelengths] for one in rows],
        "two_theta": [one.pattern.two_theta for one in rows],
        "intensity": [one.pattern.intensity for one in rows],
    }  # fmt: skip
    excluded = [astuple(one) for one in patterns.excluded]
    told = {"name": patterns.name, "excluded": excluded, **patterns.metadata}
    write_described(Path(path), _SCHEMA, columns, FORMAT, told)


def write_excluded(patterns: PatternSet, path: Path) -> Path:
    """Write what was left out of a collection, and why, as CSV; return its path."""
    with write_atomically(path) as temporary:
        temporary.write_text(excluded_csv("pattern_id", patterns.excluded), encoding="utf-8")
    return path


def read_patterns_file(path: Path) -> PatternSet:
    """Read what `write_patterns` wrote.

    Raises
    ------
    SgbenchError
        If the file is missing, damaged or something else.
    """
    path = Path(path)
    with _KIND.open_parquet(path) as file:
        schema, table = file.schema_arrow, file.read()
    metadata = _KIND.checked(
        path, described(_KIND, path, schema, FORMAT), record("Metadata", _METADATA, others=True)
    )
    _KIND.checked_columns(path, table, _SCHEMA)
    rows = table.to_pydict()
    try:
        found = tuple(_pattern(rows, i) for i in range(len(table)))
    except SgbenchError as error:
        raise _KIND.damaged(path, str(error)) from None
    ids = {one.pattern_id for one in found}
    if not found or len(ids) < len(found):
        raise _KIND.damaged(path, "a pattern is there twice, or there is none")
    if not all(one.spacegroup in range(1, 231) for one in found):
        raise _KIND.damaged(path, "a space group is not between 1 and 230")
    excluded = tuple(Excluded(*one) for one in metadata.pop("excluded"))
    return PatternSet(metadata.pop("name"), found, excluded, metadata)


def _pattern(rows: dict[str, list[Any]], i: int) -> LabelledPattern:
    measured = measured_pattern(rows["two_theta"][i], rows["intensity"][i])
    lines = tuple(
        Wavelength(value, weight, "file of patterns")
        for value, weight in zip(rows["wavelengths"][i], rows["weights"][i], strict=False)
    )
    if not lines or not all(line.value > 0 and line.weight > 0 for line in lines):
        raise SgbenchError(f"the pattern {rows['pattern_id'][i]} has no wavelength")
    cell = tuple(rows["cell"][i])
    return LabelledPattern(
        rows["pattern_id"][i], rows["substance"][i], rows["spacegroup"][i],
        replace(measured, wavelengths=lines), cell if len(cell) == len(_CELL) else None,
        citation=rows["citation"][i], prototype=rows["prototype"][i],
    )  # fmt: skip


def is_patterns_file(path: Path) -> bool:
    """Tell whether a file says that it holds a collection of measured patterns."""
    return form_of(path) == FORMAT


def find_patterns(name: str, paths: Sequence[Path]) -> PatternSet:
    """Return the collection of a name from the one of some files that holds it.

    Raises
    ------
    SgbenchError
        If none does, or several do.
    """
    opened = (read_once(path, read_patterns_file) for path in paths if is_patterns_file(path))
    found = [one for one in opened if one.name == name]
    if len(found) != 1:
        raise SgbenchError(
            f"measured patterns of '{name}' are needed, and {len(found)} of the files hold them; "
            f"expected one. Build it with `sgbench dataset build {name}` and pass it with "
            "--crystals."
        )
    return found[0]
