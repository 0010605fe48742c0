"""Structures in a column of a table: CSV or Parquet."""

import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from sgbench.errors import SgbenchError
from sgbench.files import file_sha256, require_file
from sgbench.structures.sources._cif import entry_from_cif
from sgbench.structures.sources._entry import TOO_LARGE, UNREADABLE, Entry, Excluded, Source
from sgbench.structures.sources._reading import (
    MAX_BYTES,
    Exclusion,
    UniqueIds,
    clean_text,
    read_or_exclude,
    spacegroup_of,
)
from sgbench.structures.sources._structure_dict import entry_from_dict

#: Names of columns by what they hold, the first that is there; upper and lower case are the same.
COLUMNS: Mapping[str, Sequence[str]] = {
    "structure": ("cif", "cif_string", "cif_str", "cif_text", "structure", "structure_json"),
    "id": ("material_id", "structure_id", "id", "entry_id"),
    "spacegroup": (
        "spacegroup",
        "spacegroup.number",
        "spacegroup_number",
        "space_group",
        "space_group_number",
        "space_group.number",
        "sg_number",
    ),
    "name": ("name", "mineral", "pretty_formula", "formula_pretty", "reduced_formula", "formula"),
    "citation": ("citation",),
}

# Rows in memory at a time.
_ROWS = 256


def table(path: Path) -> Source:
    """Return a table of structures as a source.

    Parameters
    ----------
    path : Path
        ``.csv``, ``.csv.gz`` or ``.parquet``, with a column of CIFs or of pymatgen structures (as
        JSON or nested) and, optionally, ids, labels (number or symbol), names and citations, under
        names listed in `COLUMNS`. Without ids structures go by the number of their row.

    Raises
    ------
    SgbenchError
        If there is no such file, it cannot be read, or no column holds structures.
    """
    path = Path(path)
    name = path.name.lower()
    expected = "a file ending in .csv, .csv.gz or .parquet. Mend the path."
    require_file(path, expected)
    if not name.endswith((".csv", ".csv.gz", ".parquet")):
        raise SgbenchError(f"{path} is no table; expected {expected}")
    is_parquet = name.endswith(".parquet")
    header, total = _parquet_header(path) if is_parquet else (_csv_header(path), None)
    columns = _columns(path, header)

    def read() -> Iterator[Entry | Excluded]:
        rows = _parquet_rows(path, columns) if is_parquet else _csv_rows(path, columns)
        unique = UniqueIds()
        for number, row in enumerate(rows, start=1):
            given = _text(row.get("id"))
            yield _entry(row, unique(given or f"row-{number:07d}"))

    return Source(
        name="table",
        citation="as stated with each structure",
        licence="as stated by the owner of the table",
        provenance={
            "file": path.name,
            "sha256": file_sha256(path),
            **{f"column of {kind}": column for kind, column in columns.items()},
        },
        read=read,
        total=total,
    )


def _columns(path: Path, header: Sequence[str]) -> dict[str, str]:
    """Return which column holds what."""
    by_name = {column.strip().lower(): column for column in reversed(header)}
    found = {
        kind: by_name[next(name for name in names if name in by_name)]
        for kind, names in COLUMNS.items()
        if any(name in by_name for name in names)
    }
    if "structure" not in found:
        raise SgbenchError(
            f"no column of {path} holds structures: it has {', '.join(header)}; expected one "
            f"of {', '.join(COLUMNS['structure'])}. Rename the column that does."
        )
    return found


def _entry(row: Mapping[str, Any], structure_id: str) -> Entry | Excluded:
    def read() -> Entry | Excluded:
        structure, label = row["structure"], row.get("spacegroup")
        spacegroup = None
        if _text(label):
            spacegroup = spacegroup_of(label)
            if spacegroup is None:
                raise Exclusion(UNREADABLE, f"label '{label}'")
        stated = {kind: text for kind in ("name", "citation") if (text := _text(row.get(kind)))}
        if not isinstance(structure, str | bytes) or _is_json(structure):
            return entry_from_dict(
                _parsed(structure), structure_id, spacegroup=spacegroup, **stated
            )
        return entry_from_cif(structure, structure_id, spacegroup=spacegroup, **stated)

    return read_or_exclude(structure_id, read)


def _is_json(text: str | bytes) -> bool:
    return text.lstrip()[:1] in ("{", b"{")


def _parsed(structure: object) -> object:
    if not isinstance(structure, str | bytes):
        return structure
    if len(structure) > MAX_BYTES:
        raise Exclusion(TOO_LARGE, f"{len(structure)} bytes")
    try:
        return json.loads(structure)
    except (ValueError, RecursionError) as error:
        raise Exclusion(UNREADABLE, str(error)) from error


def _text(value: object) -> str:
    missing = value is None or value != value  # NaN, in a column of numbers
    return "" if missing else clean_text(str(value))


def _csv_header(path: Path) -> list[str]:
    chunk = next(_csv_chunks(path, nrows=0))
    return [str(column) for column in chunk.columns]


def _csv_rows(path: Path, columns: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    for chunk in _csv_chunks(path, usecols=list(columns.values()), chunksize=_ROWS):
        for values in zip(*(chunk[column] for column in columns.values()), strict=True):
            yield dict(zip(columns, values, strict=True))


def _csv_chunks(path: Path, **options: Any) -> Iterator[Any]:
    import pandas as pd

    try:
        # All as text, and nothing taken for missing: NaN may be a name, and 1e5 an id.
        read = pd.read_csv(
            path, dtype=str, keep_default_na=False, encoding_errors="replace", **options
        )
        yield from [read] if isinstance(read, pd.DataFrame) else read
    except (EOFError, OSError, ValueError, zlib.error) as error:
        raise SgbenchError(
            f"{path} cannot be read ({' '.join(str(error).split())}); expected a whole CSV file. "
            "Get it again, or write it anew."
        ) from error


def _parquet_header(path: Path) -> tuple[list[str], int]:
    file = _parquet_file(path)
    return list(file.schema_arrow.names), int(file.metadata.num_rows)


def _parquet_rows(path: Path, columns: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    import pyarrow as pa

    file = _parquet_file(path)
    try:
        for batch in file.iter_batches(batch_size=_ROWS, columns=list(columns.values())):
            for values in zip(*(batch[column] for column in columns.values()), strict=True):
                yield {kind: value.as_py() for kind, value in zip(columns, values, strict=True)}
    except (OSError, ValueError, pa.ArrowException) as error:
        raise _no_parquet(path, error) from error


def _parquet_file(path: Path) -> Any:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return pq.ParquetFile(path)
    except (OSError, ValueError, pa.ArrowException) as error:
        raise _no_parquet(path, error) from error


def _no_parquet(path: Path, error: Exception) -> SgbenchError:
    return SgbenchError(
        f"{path} cannot be read ({' '.join(str(error).split())}); expected a whole Parquet file. "
        "Get it again, or write it anew."
    )
