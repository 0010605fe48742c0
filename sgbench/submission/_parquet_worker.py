"""Reads a stranger's Parquet file into plain numbers, in a process of its own.

Damaged files can end a process inside the library that reads them, and small ones can fill any
memory: so this one has little, and is not missed.
"""

import json
from typing import Any, BinaryIO

from sgbench.submission._locked import RefusedFileError, plain, read_locked, say, serve

_ID, _RANKING = "sample_id", "ranking"
_LONGEST_ID = 200
_MOST_COLUMNS = 1000
_MOST_ROW_GROUPS = 1000
_BATCH = 4096
_AGAIN = "Write it again."


def read(request: dict[str, Any], replies: BinaryIO) -> None:
    """Answer with ids and with probabilities, or ranked labels, as they stand in the file."""
    content = read_locked(request["path"], request["most_bytes"])
    try:
        schema = _bounded(content, request)
        problems = _column_problems(schema, request["labels"])
        if problems:
            raise RefusedFileError(*problems)
        ids, values = _columns(content, request["labels"], _RANKING in schema.names)
    except (RefusedFileError, MemoryError):
        raise
    except Exception as error:  # damage shows in many ways, all of which mean the same here
        found = f"it cannot be read ({plain(f'{type(error).__name__}: {error}')})"
        raise RefusedFileError((found, "a Parquet file", _AGAIN)) from None
    names = json.dumps(ids).encode()
    say(
        replies,
        {"ids": len(names), "rows": len(ids), "ranked": _RANKING in schema.names},
        names + values.tobytes(),
    )


def _bounded(content: bytes, request: dict[str, Any]) -> Any:
    """Return the columns of a file, refusing what would not fit by its own account."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    n, most = request["n"], request["most_bytes"]
    file = pq.ParquetFile(pa.BufferReader(content))
    metadata = file.metadata
    if metadata.num_rows > 2 * n:
        raise RefusedFileError(
            (f"it claims {metadata.num_rows} rows", f"{n}, a row a sample", "Keep one of each.")
        )
    if metadata.num_columns > _MOST_COLUMNS or metadata.num_row_groups > _MOST_ROW_GROUPS:
        raise RefusedFileError(
            (
                f"it has {metadata.num_columns} columns in {metadata.num_row_groups} row groups",
                f"{len(request['labels']) + 1} columns at most, in few row groups", _AGAIN,
            )
        )  # fmt: skip
    columns = [
        metadata.row_group(group).column(column)
        for group in range(metadata.num_row_groups)
        for column in range(metadata.num_columns)
    ]
    inflated = sum(column.total_uncompressed_size for column in columns)
    values = max((column.num_values for column in columns), default=0)
    if inflated > most or values > 2 * n * len(request["labels"]):
        raise RefusedFileError(
            (
                f"it would grow to {inflated} bytes or {values} values in a column",
                f"at most {most} bytes for {n} samples", "Write it again without padding.",
            )
        )  # fmt: skip
    return file.schema_arrow


def _column_problems(schema: Any, labels: list[int]) -> list[tuple[str, str, str]]:
    names = schema.names
    problems = [
        (f"column {plain(name)} is there twice", "each once", "Keep one of them.")
        for name in sorted({name for name in names if names.count(name) > 1})
    ]
    ranked = _RANKING in names
    wanted = [_ID, _RANKING] if ranked else [_ID, *(f"p_{label}" for label in labels)]
    missing = [name for name in wanted if name not in names]
    unknown = [name for name in names if name not in wanted]
    asked = (
        f"{_ID} and {_RANKING}"
        if ranked
        else f"{_ID} and p_{labels[0]} to p_{labels[-1]} ({len(labels)} labels), or {_RANKING}"
    )
    if missing:
        found = f"{len(missing)} columns are missing, the first is {missing[0]}"
        mend = "Add them; a label that is never predicted has zeros."
        problems.append((found, asked, mend))
    if unknown:
        found = f"{len(unknown)} columns are unknown, the first is '{plain(unknown[0])}'"
        mend = (
            "Write it without the index (`index=False`)."
            if unknown[0].startswith("__index")
            else "Take them out; labels are those of the track and the class scheme."
        )
        problems.append((found, asked, mend))
    if not problems:
        for field in schema:
            kind = _expected_kind(field.name, field.type)
            if kind is not None:
                found = f"the type of column {field.name} is {plain(field.type)}"
                problems.append((found, kind, "Convert the column."))
    return problems


def _expected_kind(name: str, kind: Any) -> str | None:
    """Name the type that a column must have, if it has another."""
    from pyarrow import types

    if name == _ID:
        text = kind.value_type if types.is_dictionary(kind) else kind
        return None if types.is_string(text) or types.is_large_string(text) else "text"
    if name == _RANKING:
        listed = types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind)
        fits = listed and types.is_integer(kind.value_type)
        return None if fits else "lists of whole numbers"
    return None if types.is_floating(kind) else "floating-point numbers"


def _columns(content: bytes, labels: list[int], ranked: bool) -> tuple[list[str | None], Any]:
    """Return ids, and probabilities (n, n_labels) or ranked labels (n, n_labels + 1).

    Ranked labels end with -1, nulls among them are -2, and too long a list is cut.
    """
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    # Text that repeats stays encoded: spelt out, a small file could fill any memory.
    file = pq.ParquetFile(pa.BufferReader(content), read_dictionary=[_ID])
    ids: list[str | None] = []
    parts = [np.empty((0, len(labels) + ranked), np.int64 if ranked else np.float64)]
    for batch in file.iter_batches(_BATCH, use_threads=False):
        batch.validate(full=True)
        ids += _texts(batch.column(batch.schema.get_field_index(_ID)))
        if ranked:
            lists = batch.column(batch.schema.get_field_index(_RANKING)).to_pylist()
            part = np.full((len(lists), len(labels) + 1), -1)
            for row, given in enumerate(lists):
                kept = [-2 if label is None else label for label in (given or [])]
                kept = [label if abs(label) < 2**62 else -2 for label in kept[: len(labels) + 1]]
                part[row, : len(kept)] = kept
        else:
            columns = [batch.column(batch.schema.get_field_index(f"p_{g}")) for g in labels]
            part = np.stack(
                [one.to_numpy(zero_copy_only=False).astype(np.float64) for one in columns], axis=1
            )
        parts.append(part)
    return ids, np.concatenate(parts)


def _texts(column: Any) -> list[str | None]:
    import pyarrow as pa

    texts = column.dictionary if isinstance(column, pa.DictionaryArray) else column
    longest = max((len(text.as_buffer() or b"") for text in texts if text.is_valid), default=0)
    if longest > _LONGEST_ID:
        found = f"a sample id has {longest} bytes"
        raise RefusedFileError((found, "the ids that were given out", "Keep them as they are."))
    found_texts: list[str | None] = column.to_pylist()
    return found_texts


if __name__ == "__main__":
    serve(read)
