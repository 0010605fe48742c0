"""A folder of yours: patterns of any format, and a table of what they are of."""

from collections.abc import Iterator
from os.path import isfile  # which a name that is too long does not upset
from pathlib import Path
from typing import Any

from sgbench.checked import FileKind, Positive, Several, Text
from sgbench.collections._audit import UNREADABLE
from sgbench.collections._entry import LabelledPattern
from sgbench.collections.sources._reading import or_excluded
from sgbench.errors import SgbenchError
from sgbench.files import file_sha256
from sgbench.measured import read_pattern
from sgbench.sourced import Excluded, Source
from sgbench.structures.sources import spacegroup_of

#: Name of the table in the folder.
TABLE = "labels.csv"
_KIND = FileKind(
    "a readable table of labels",
    "columns file, spacegroup and, where known, substance, wavelength, scan, phases and a, b, c, "
    "alpha, beta, gamma. Mend the table.",
)
_CELL = ("a", "b", "c", "alpha", "beta", "gamma")
_TYPES: dict[str, Any] = {
    "file": Text,
    "spacegroup": Text | None,
    "substance": Text | None,
    "wavelength": Text | None,
    "scan": Several | None,
    "phases": Several | None,
    **dict.fromkeys(_CELL, Positive | None),
}
_OPTIONAL = _TYPES.keys() - {"file", "spacegroup"}


def source(location: str | None, cache: Path) -> Source:
    """Return a folder with ``labels.csv`` as a source.

    A space group is a number or a symbol; a wavelength is what `read_pattern` takes, such as
    ``1.5406`` or ``CuKa``, and takes the place of what the file says.

    Raises
    ------
    SgbenchError
        If the table is missing or not as expected, or names a file outside of the folder.
    """
    folder = Path(str(location))
    path = folder / TABLE
    table = _KIND.read_csv(path, _TYPES, _OPTIONAL)
    rows: list[dict[str, Any]] = [
        {str(key): value for key, value in row.items()} for row in table.to_dict("records")
    ]
    inside = folder.resolve()
    for row in rows:
        if not row["file"].isprintable():
            raise _KIND.damaged(path, f"{row['file']!r} is no name of a file")
        if inside not in (folder / row["file"]).resolve().parents:
            raise _KIND.damaged(path, f"'{row['file']}' lies outside of the folder")

    def read() -> Iterator[LabelledPattern | Excluded]:
        for row in rows:
            scan = _value(row, "scan")
            name = row["file"] + (f"#{int(scan)}" if scan else "")
            yield or_excluded(name, lambda row=row, name=name: _entry(folder, row, name))  # type: ignore[misc]

    sums = {row["file"]: folder / row["file"] for row in rows}
    return Source(
        "folder",
        "as stated by the owner of the files",
        "as stated by the owner of the files",
        {
            **{name: file_sha256(file) for name, file in sums.items() if isfile(file)},
            "folder": inside.name,
            "labels_sha256": file_sha256(path),
        },
        read,
        len(rows),
    )


def _value(row: dict[str, Any], key: str) -> Any:
    """Return a value of the table, or None where the cell is empty."""
    value = row.get(key)
    is_nan = value != value
    return None if value is None or is_nan else value


def _entry(folder: Path, row: dict[str, Any], name: str) -> LabelledPattern | Excluded:
    scan, wavelength = _value(row, "scan"), _value(row, "wavelength")
    try:
        pattern = read_pattern(folder / row["file"], wavelength, int(scan) if scan else None)
    except SgbenchError as error:
        return Excluded(name, UNREADABLE, str(error).partition("; expected")[0][:200])
    cell = tuple(_value(row, key) for key in _CELL)
    return LabelledPattern(
        name, str(_value(row, "substance") or ""), spacegroup_of(_value(row, "spacegroup") or ""),
        pattern, None if None in cell else cell, int(_value(row, "phases") or 1),
    )  # fmt: skip
