"""Structures in a column of a table: CSV or Parquet."""

import gzip
import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from sgbench.errors import SgbenchError
from sgbench.files import file_sha256, require_file
from sgbench.structures.sources._bytes import compression_of, encoding_of
from sgbench.structures.sources._cif import entry_from_cif
from sgbench.structures.sources._entry import (
    TOO_LARGE,
    UNREADABLE,
    Entry,
    Excluded,
    Exclusion,
    Source,
)
from sgbench.structures.sources._reading import (
    MAX_BYTES,
    UniqueIds,
    clean_text,
    read_or_exclude,
)
from sgbench.structures.sources._structure_dict import entry_from_dict
from sgbench.structures.sources._symbols import spacegroup_of

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
# Bytes that tell what a file is.
_HEAD = 4096
_SEPARATORS = (";", "\t", "|")


@dataclass(frozen=True)
class _Csv:
    """How a CSV file is written: arguments of pandas."""

    compression: str | None
    encoding: str
    sep: str = ","


def table(path: Path) -> Source:
    """Return a table of structures as a source.

    Parameters
    ----------
    path : Path
        ``.csv``, ``.csv.gz`` or ``.parquet``, with a column of CIFs or of pymatgen structures (as
        JSON or nested) and, optionally, ids, labels (number or symbol), names and citations, under
        names listed in `COLUMNS`. What the file is counts, and not its name: CSV may be compressed
        by gzip, be in UTF-16, and have semicolons, tabs or bars for commas. Without ids structures
        go by the number of their row.

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
    form, total = None, None
    if _is_parquet(path):
        header, total = _parquet_header(path)
    else:
        form, header = _csv_form(path)
    columns = _columns(path, header)

    def read() -> Iterator[Entry | Excluded]:
        rows = _parquet_rows(path, columns) if form is None else _csv_rows(path, columns, form)
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
    found = _known_columns(header)
    if "structure" not in found:
        names = clean_text(", ".join(header))
        raise SgbenchError(
            f"no column of {path} holds structures: it has {names[:100]}; expected one of "
            f"{', '.join(COLUMNS['structure'])}, and one separator between columns. Rename the "
            "column that does."
        )
    return found


def _known_columns(header: Sequence[str]) -> dict[str, str]:
    by_name = {column.strip().lower(): column for column in reversed(header)}
    return {
        kind: by_name[next(name for name in names if name in by_name)]
        for kind, names in COLUMNS.items()
        if any(name in by_name for name in names)
    }


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


def _is_parquet(path: Path) -> bool:
    return path.name.lower().endswith(".parquet") or _head(path).startswith(b"PAR1")


def _head(path: Path) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read(_HEAD)
    except OSError as error:
        raise _no_csv(path, error) from error


def _csv_form(path: Path) -> tuple[_Csv, list[str]]:
    """Return how a CSV file is written, and the names of its columns."""
    head = _head(path)
    compression = compression_of(head)
    if compression == "gzip":
        try:
            with gzip.open(path) as file:
                head = file.read(_HEAD)
        except (EOFError, OSError, zlib.error) as error:
            raise _no_csv(path, error) from error
    left = compression_of(head)
    if left or head.startswith(b"PAR1"):  # Parquet that is not compressed is read elsewhere
        twice = compression == "gzip" and left
        how = "compressed twice" if twice else f"compressed by {left or compression}"
        raise SgbenchError(
            f"{path} is {how}; expected CSV, plain or compressed by gzip once, or Parquet as it "
            "is. Unpack it."
        )
    form = _Csv("gzip" if compression else None, encoding_of(head))
    header = _csv_header(path, form)
    if any("\0" in name for name in header):
        raise SgbenchError(f"{path} is no text; expected a CSV file. Get it again, or export it.")
    if "structure" not in _known_columns(header):
        for separator in _SEPARATORS:
            other = replace(form, sep=separator)
            if "structure" in _known_columns(other_header := _csv_header(path, other)):
                return other, other_header
    return form, header


def _csv_header(path: Path, form: _Csv) -> list[str]:
    chunk = next(_csv_chunks(path, form, nrows=0))
    return [str(column) for column in chunk.columns]


def _csv_rows(path: Path, columns: Mapping[str, str], form: _Csv) -> Iterator[dict[str, Any]]:
    for chunk in _csv_chunks(path, form, usecols=list(columns.values()), chunksize=_ROWS):
        for values in zip(*(chunk[column] for column in columns.values()), strict=True):
            yield dict(zip(columns, values, strict=True))


def _csv_chunks(path: Path, form: _Csv, **options: Any) -> Iterator[Any]:
    import pandas as pd

    try:
        # All as text, and nothing taken for missing: NaN may be a name, and 1e5 an id.
        read = pd.read_csv(
            path,
            dtype=str,
            keep_default_na=False,
            encoding_errors="replace",
            **asdict(form),
            **options,
        )
        yield from [read] if isinstance(read, pd.DataFrame) else read
    except (EOFError, OSError, ValueError, zlib.error) as error:
        raise _no_csv(path, error) from error


def _no_csv(path: Path, error: Exception) -> SgbenchError:
    return SgbenchError(
        f"{path} cannot be read ({' '.join(str(error).split())}); expected a whole CSV file. "
        "Get it again, or write it anew."
    )


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
