"""Files that are checked before anything is computed from them, each format in one way.

A library that meets a damaged file fails in many ways, all of which mean the same to whoever named
the file: `FileKind.decoding` turns each into one sentence. What was decoded is then held against a
type by `FileKind.checked`, or against a schema of columns by `FileKind.checked_columns`; what types
cannot say, such as that counts add up, the readers check themselves and refuse with
`FileKind.damaged`.
"""

import csv
import errno
import math
import reprlib
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NotRequired, get_args

import yaml
from annotated_types import Ge, Gt, Le, MaxLen
from pydantic import AllowInfNan, ConfigDict, FailFast, TypeAdapter, ValidationError
from pydantic_core import from_json, to_json
from typing_extensions import TypedDict

from sgbench.errors import SgbenchError
from sgbench.files import unreadable
from sgbench.text import plain

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    import pyarrow.parquet as pq

# Beyond this a text file is none of ours: the largest, a table of 100,000 rows, has 80 MB.
_MOST_BYTES = 2**27
_MOST_ROWS = 2**24
# Zstandard at its best shrinks what we write a hundredfold, constant columns apart.
_MOST_GROWTH, _FREE_BYTES = 1000, 2**26
_LONGEST = 120
_MOST_CHARACTERS = 2**20

# What opening a file runs into, whatever it holds; a library uses other ones over damage.
_OF_THE_PLACE = {
    errno.ENOENT, errno.EISDIR, errno.ENOTDIR, errno.EACCES, errno.EPERM, errno.ELOOP,
    errno.ENAMETOOLONG, errno.EIO, errno.ESTALE,
}  # fmt: skip

Text = Annotated[str, MaxLen(_MOST_CHARACTERS)]
Count = Annotated[int, Ge(0), Le(2**53)]
Several = Annotated[int, Ge(1), Le(2**53)]
Number = Annotated[float, AllowInfNan(False)]
Positive = Annotated[float, AllowInfNan(False), Gt(0)]
NotNegative = Annotated[float, AllowInfNan(False), Ge(0)]
Fraction = Annotated[float, AllowInfNan(False), Ge(0), Le(1)]

_REPR = reprlib.Repr()
_REPR.maxstring, _REPR.maxlevel, _REPR.maxdict, _REPR.maxlist = 60, 2, 3, 3
_TYPED_DICT: Any = TypedDict  # type checkers know those alone that are spelled out


def record(
    name: str, types: Mapping[str, Any], optional: Collection[str] = (), others: bool = False
) -> Any:
    """Return the type of a mapping from keys to values of given types.

    Parameters
    ----------
    name : str
    types : mapping of str to type
        Of the value at each key.
    optional : collection of str
        Keys that may be left out.
    others : bool
        Whether there may be other keys.
    """
    keys = {key: NotRequired[kind] if key in optional else kind for key, kind in types.items()}
    found = _TYPED_DICT(name, keys)
    found.__pydantic_config__ = ConfigDict(extra="allow" if others else "forbid")
    return found


def _in_words(error: Exception) -> str:
    first = (str(error).strip().splitlines() or [""])[0]
    return printed(f"{type(error).__name__}: {first}" if first else type(error).__name__)


def printed(text: str) -> str:
    """Return a text of somebody else's as it can be printed: on one line, plain and not long."""
    safe = plain(text[: _LONGEST + 1])
    return safe if len(safe) <= _LONGEST else safe[:_LONGEST] + "…"


@dataclass(frozen=True)
class FileKind:
    """What a file is meant to be, for its reader and for what is said where it is something else.

    Attributes
    ----------
    name : str
        E.g. ``a readable score``.
    expected : str
        What makes such a file and what to do, as the end of a sentence: ``the JSON that `sgbench
        evaluate` writes. Make it again.``
    """

    name: str
    expected: str

    def damaged(self, path: Path, why: str) -> SgbenchError:
        """Return the error that says why a file is not of this kind."""
        return SgbenchError(f"{path} is not {self.name} ({why}); expected {self.expected}")

    @contextmanager
    def decoding(self, path: Path) -> Iterator[None]:
        """Turn whatever a library raises over a file into one sentence.

        Only the library's calls belong inside: a fault of ours would look like damage.

        Raises
        ------
        SgbenchError
            In place of any other exception.
        """
        try:
            yield
        except SgbenchError:
            raise
        except Exception as error:
            if isinstance(error, OSError) and error.errno in _OF_THE_PLACE:
                raise unreadable(path, error, self.expected) from error
            raise self.damaged(path, _in_words(error)) from error

    def read_bytes(self, path: Path, most: int = _MOST_BYTES) -> bytes:
        """Return the content of a file, unless it is beyond a size that such a file has."""
        with self.decoding(path), open(path, "rb") as handle:
            content = handle.read(most + 1)
        if len(content) > most:
            raise self.damaged(path, f"it has more than {most} bytes")
        return content

    def read_json(self, path: Path, kind: Any = dict[str, Any]) -> Any:
        """Return what a file of JSON holds, checked against a type."""
        return self.parse_json(path, self.read_bytes(path), kind)

    def parse_json(self, path: Path, content: bytes, kind: Any = dict[str, Any]) -> Any:
        """Return what JSON from a file holds, checked against a type."""
        with self.decoding(path):
            value = from_json(content, allow_inf_nan=False)
        if kind == dict[str, Any] and isinstance(value, dict):
            return value  # as any object of JSON is
        return self.checked(path, value, kind)

    def read_yaml(self, path: Path, kind: Any = dict[str, Any]) -> Any:
        """Return what a file of YAML holds, checked against a type.

        Aliases are refused, since a file of some lines can stand for billions of values with them,
        and so are keys that are there twice. JSON is YAML, too, and is read a hundred times faster.
        """
        content = self.read_bytes(path)
        with self.decoding(path):
            text = content.decode()
            try:
                lines = text.splitlines(keepends=True)
                body = "".join(line for line in lines if not line.startswith("#"))
                value = from_json(body, allow_inf_nan=False)
            except ValueError:
                value = _parse_yaml(text)
        return self.checked(path, value, kind)

    def checked(self, path: Path, value: object, kind: Any) -> Any:
        """Return a decoded value as a type, with nothing converted but lists to tuples.

        Parameters
        ----------
        path : Path
            Of the file that it is from, or what else an error is to name.
        value : object
            What JSON can hold.
        kind : type
            Anything that pydantic knows: a dataclass, what `record` returns, tuples of the types of
            this module.

        Raises
        ------
        SgbenchError
            If the value is no such thing; the message names the place.
        """
        try:
            # As JSON, since there lists may stand for tuples and mappings for dataclasses, though
            # nothing else is converted.
            return _adapter(kind).validate_json(to_json(value), strict=True)
        except ValidationError as error:
            raise self.damaged(path, _first_fault(error)) from None
        except ValueError as error:  # dates, sets and what else YAML knows and JSON does not
            raise self.damaged(path, printed(str(error))) from error

    def read_csv(
        self, path: Path, types: Mapping[str, Any], optional: Collection[str] = ()
    ) -> "pd.DataFrame":
        """Return a CSV file as a table, each value checked against the type of its column.

        Parameters
        ----------
        path : Path
        types : mapping of str to type
            Of a value in each column; an empty cell is None. Other columns are left out.
        optional : collection of str
            Columns that may be missing, and are empty then.
        """
        import pandas as pd

        content = self.read_bytes(path)
        with self.decoding(path):
            text = StringIO(content.decode("utf-8-sig"), newline="")
            rows = [row for row in csv.reader(text, strict=True) if row]
        if not rows:
            raise self.damaged(path, "it is empty")
        header = rows.pop(0)
        uneven = next((number for number, row in enumerate(rows) if len(row) != len(header)), None)
        if uneven is not None:
            raise self.damaged(
                path, f"row {uneven + 1} has {len(rows[uneven])} cells, the header {len(header)}"
            )
        if len(set(header)) < len(header):
            twice = next(name for name in header if header.count(name) > 1)
            raise self.damaged(path, f"the column '{printed(twice)}' is there twice")
        missing = [name for name in types if name not in header and name not in optional]
        if missing:
            more = f" and {len(missing) - 5} more" if len(missing) > 5 else ""
            raise self.damaged(path, f"it lacks the columns {', '.join(missing[:5])}{more}")
        columns = dict(
            zip(header, zip(*rows, strict=True) if rows else [()] * len(header), strict=True)
        )
        empty = [None] * len(rows)
        given = {
            name: [cell or None for cell in columns[name]] if name in columns else empty
            for name in types
        }
        try:
            # Cells are text, so here numbers are converted.
            values = _adapter(_columns_type(tuple(types.items()))).validate_python(given)
        except ValidationError as error:
            raise self.damaged(path, _first_fault(error, of_table=True)) from None
        return pd.DataFrame({name: _series(values[name], types[name]) for name in types})

    @contextmanager
    def open_parquet(self, path: Path) -> Iterator["pq.ParquetFile"]:
        """Open a Parquet file for `pyarrow`'s calls alone, as of `decoding`; sizes are bounded.

        Raises
        ------
        SgbenchError
            In place of any exception, and if the file claims to hold more than its size allows.
        """
        import pyarrow.parquet as pq

        # Named as an open file: given a path, pyarrow would take `key=value` folders for columns.
        with self.decoding(path), open(path, "rb") as handle:
            size = handle.seek(0, 2)
            handle.seek(0)
            file = pq.ParquetFile(handle, page_checksum_verification=True)
            about = file.metadata
            claimed = sum(about.row_group(i).total_byte_size for i in range(about.num_row_groups))
            if not 0 <= about.num_rows <= _MOST_ROWS:
                raise ValueError(f"it claims {about.num_rows} rows")
            if not 0 <= claimed <= _MOST_GROWTH * size + _FREE_BYTES:
                raise ValueError(f"it has {size} bytes and claims to hold {claimed}")
            yield file

    def checked_columns(self, path: Path, table: "pa.Table", schema: "pa.Schema") -> None:
        """Check the columns of a table: names, types and order, and that no value is missing.

        Raises
        ------
        SgbenchError
            If they differ from the schema.
        """
        for field in schema:
            if field.name not in table.schema.names:
                raise self.damaged(path, f"the column '{field.name}' is missing")
            kind = table.schema.field(field.name).type
            if not kind.equals(field.type):
                words = f"'{field.name}' is {printed(str(kind))}, not {field.type}"
                raise self.damaged(path, f"the column {words}")
        if table.schema.names != schema.names:
            raise self.damaged(path, f"its columns are not {', '.join(schema.names)}")
        with self.decoding(path):
            table.validate(full=True)
            for name, column in zip(table.column_names, table.columns, strict=True):
                if empty := _empty_values(column):
                    raise ValueError(f"the column '{name}' has {empty} empty values")


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


@cache
def _columns_type(types: tuple[tuple[str, Any], ...]) -> Any:
    columns = {name: Annotated[list[kind], FailFast()] for name, kind in types}  # type: ignore[valid-type]
    return record("Columns", columns)


def _series(values: list[Any], kind: Any) -> "pd.Series[Any]":
    import pandas as pd

    if Text in (kind, *get_args(kind)):
        return pd.Series(values, dtype="str")
    numbers = [math.nan if value is None else value for value in values]
    return pd.Series(numbers, dtype=None if numbers else float)


def _first_fault(error: ValidationError, of_table: bool = False) -> str:
    """Say in one clause what is wrong with a value, and where."""
    fault = error.errors(include_url=False, include_context=False)[0]
    place = fault["loc"]
    if of_table and len(place) == 2:
        where = f"the column '{place[0]}' of row {int(place[1]) + 1}"
    else:
        where = f"'{printed('.'.join(map(str, place)))}'" if place else "it"
    if fault["type"] == "missing":
        return f"{where} is missing"
    if fault["type"] in ("extra_forbidden", "unexpected_keyword_argument"):
        return f"{where} is unknown"
    if fault["input"] is None:
        return f"{where} is empty"
    words = fault["msg"].removeprefix("Input ")
    return f"{where} is {printed(_REPR.repr(fault['input']))}, which {printed(words)}"


def _parse_yaml(text: str) -> Any:
    # Not the one in C, which overflows its stack where lists are nested without end.
    loader = yaml.SafeLoader(text)
    try:
        node = loader.get_single_node()
        _check_nodes(node)
        return None if node is None else loader.construct_document(node)
    finally:
        loader.dispose()


def _check_nodes(root: Any) -> None:
    """Refuse aliases, by which nodes are met again, and keys that are no text or there twice."""
    seen, waiting = set(), [root]
    while waiting:
        node = waiting.pop()
        if id(node) in seen:
            raise ValueError("it uses an alias (*)")
        seen.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            waiting += node.value
        elif isinstance(node, yaml.MappingNode):
            waiting += [part for pair in node.value for part in pair]
            keys = [str(key.value) for key, _ in node.value]
            for key, _ in node.value:
                if key.tag != "tag:yaml.org,2002:str":
                    raise ValueError(f"the key {key.value!r} is no text")
            if len(set(keys)) < len(keys):
                twice = next(key for key in keys if keys.count(key) > 1)
                raise ValueError(f"the key '{twice}' is there twice")


def _empty_values(column: "pa.ChunkedArray") -> int:
    """Return how many values are missing, inside lists as well."""
    import pyarrow as pa

    found: int = 0
    part = column.combine_chunks()
    while True:
        found += part.null_count
        if not (pa.types.is_list(part.type) or pa.types.is_fixed_size_list(part.type)):
            return found
        part = part.flatten()
