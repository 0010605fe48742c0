"""Say which files of two runs' results differ in more than equal runs may differ in.

python tools/equal_results.py results /another/clone/results
"""

import csv
import io
import re
import sys
import zipfile
from pathlib import Path
from typing import Any

#: Fields that equal runs may differ in: how long a step took, and the name of its MLflow run.
STATED = ("train_seconds", "patterns_per_second", "mlflow_run")
#: The same fields as columns of tables of pages.
HEADERS = ("seconds", "MLflow run")
#: In pages, checksums of files that have such fields.
CHECKSUMS = re.compile(r'"(?:table_sha256|score)":"([0-9a-f]{64})"')
# Records of how a run went and not of what it found; Snakemake's marks of time.
RECORDS = (
    "benchmarks",
    "checkpoints",
    "logs",
    "mlflow.db",
    "mlflow.db.lock",
    "mlflow-artifacts",
    ".snakemake_timestamp",
)

_QUOTE = r'\\*"'  # in JSON, or in JSON in a string of JSON
_FIELD = re.compile(
    rf"{_QUOTE}(?:{'|'.join(STATED)}){_QUOTE}:\s*"
    rf'(?:{{[^{{}}]*}}|{_QUOTE}[^"\\]*{_QUOTE}|[^,}}\]]*)'
)
_OBJECT_ID = re.compile(rb"\d{9,}")


def unequal(first: Path, second: Path) -> tuple[int, list[str]]:
    """Return how many files two folders of results have, and which are not equal."""
    found = {name for folder in (first, second) for name in _results(folder)}
    differing = [name for name in sorted(found) if not _equal(first / name, second / name)]
    return len(found), differing


def _results(folder: Path) -> list[str]:
    names = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return [str(name) for name in names if not set(name.parts) & set(RECORDS)]


def _equal(first: Path, second: Path) -> bool:
    if not (first.exists() and second.exists()):
        return False
    if first.read_bytes() == second.read_bytes():
        return True
    read = _READERS.get(first.suffix)
    return read is not None and read(first) == read(second)


def _json(path: Path) -> str:
    return _without_fields(path.read_text())


def _page(path: Path) -> bytes:
    from lxml import html

    text = _without_fields(path.read_text())
    for checksum in CHECKSUMS.findall(text):
        text = text.replace(checksum, "")
    page = html.fromstring(text)
    for table in page.iter("table"):
        rows = [list(row) for row in table.iter("tr")]
        stated = [n for n, cell in enumerate(rows[0]) if cell.text_content().strip() in HEADERS]
        for cell in (row[n] for row in rows for n in stated if n < len(row)):
            cell.clear()
    return html.tostring(page)


def _without_fields(text: str) -> str:
    return _FIELD.sub("", text)


def _columns(path: Path) -> list[list[str]]:
    header, *rows = csv.reader(io.StringIO(path.read_text()))
    kept = [n for n, name in enumerate(header) if name not in STATED]
    return [[row[n] for n in kept] for row in (header, *rows)]


def _parquet(path: Path) -> tuple[bytes, dict[bytes, str]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pq.read_table(path)
    content = io.BytesIO()
    plain = table.replace_schema_metadata(None)
    with pa.ipc.new_stream(content, plain.schema) as stream:
        stream.write_table(plain)
    described = {
        key: _without_fields(value.decode()) for key, value in table.schema.metadata.items()
    }
    return content.getvalue(), described


def _model(path: Path) -> Any:
    import torch

    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        if any(name.endswith("/data.pkl") for name in names):
            return _plain(torch.load(path, weights_only=True))
        # skops names arrays by where they were in memory: the order of first appearance instead.
        order = list(dict.fromkeys(_OBJECT_ID.findall(archive.read("schema.json"))))

        def renumber(text: bytes) -> bytes:
            return _OBJECT_ID.sub(lambda found: b"#%d" % order.index(found[0]), text)

        return {
            renumber(name.encode()): archive.read(name) if name.endswith(".npy")
            else _without_fields(renumber(archive.read(name)).decode())
            for name in names
        }  # fmt: skip


def _plain(value: Any) -> Any:
    """Return what a file of torch holds as values that compare by content."""
    import torch

    if isinstance(value, torch.Tensor):
        return str(value.dtype), tuple(value.shape), value.numpy(force=True).tobytes()
    if isinstance(value, dict):
        return {key: _plain(entry) for key, entry in value.items() if key not in STATED}
    if isinstance(value, (list, tuple)):
        return [_plain(entry) for entry in value]
    return _without_fields(value) if isinstance(value, str) else value


_READERS = {".json": _json, ".html": _page, ".csv": _columns, ".parquet": _parquet, ".pt": _model}

if __name__ == "__main__":
    n_files, differing = unequal(Path(sys.argv[1]), Path(sys.argv[2]))
    print(*differing, sep="\n")
    print(f"{len(differing)} of {n_files} files differ in more than {', '.join(STATED)}")
    sys.exit(bool(differing))
