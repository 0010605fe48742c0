"""Files of Parquet that say what they are, and whose words are guarded as their pages are."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sgbench.checked import FileKind, printed
from sgbench.errors import SgbenchError
from sgbench.files import write_atomically

if TYPE_CHECKING:
    import pyarrow as pa

# Parquet guards its pages by checksums, but not what a file says of itself.
_KEY, _CHECK = b"sgbench", b"sgbench_sha256"
_ANY = FileKind("a file that says what it is", "what `sgbench dataset build` writes. Build it.")


def write_described(
    path: Path,
    schema: "pa.Schema",
    columns: Mapping[str, Any],
    form: str,
    metadata: dict[str, Any],
) -> None:
    """Write columns as Parquet that says its form, such as ``sgbench-crystals-2``, and the rest.

    A crash leaves the former file or none, never a part.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    text = json.dumps({"format": form, **metadata}, sort_keys=True).encode()
    schema = schema.with_metadata({_KEY: text, _CHECK: _digest(text)})
    table = pa.table([pa.array(columns[f.name], f.type) for f in schema], schema=schema)
    with write_atomically(path) as temporary:
        pq.write_table(table, temporary, compression="zstd", write_page_checksum=True)


def described(kind: FileKind, path: Path, schema: "pa.Schema", form: str) -> dict[str, Any]:
    """Return what a file says of itself beside its form.

    Raises
    ------
    SgbenchError
        If it says nothing, what it says was changed, or its form is another one.
    """
    raw = schema.metadata or {}
    text = raw.get(_KEY, b"{}")
    if _KEY in raw and raw.get(_CHECK) != _digest(text):
        raise kind.damaged(path, "what it says of itself was changed")
    found: dict[str, Any] = kind.parse_json(path, text)
    told = found.pop("format", None)
    if told != form:
        raise kind.damaged(path, f"its format is {printed(repr(told))}")
    return found


def form_of(path: Path) -> str:
    """Return the form that a file names; empty where it is no such file."""
    try:
        with _ANY.open_parquet(path) as file:
            raw = file.schema_arrow.metadata or {}
        return str(_ANY.parse_json(path, raw.get(_KEY, b"{}")).get("format", ""))
    except SgbenchError:
        return ""


def _digest(text: bytes) -> bytes:
    return hashlib.sha256(text).hexdigest().encode()
