"""Listings: the same rows as a table for eyes, CSV, JSON or Markdown."""

import csv
import io
import json
import sys
from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from sgbench.files import write_atomically
from sgbench.text import cell_text, csv_text, markdown_text, table_text


class Format(StrEnum):
    """How to print a listing."""

    table = "table"
    csv = "csv"
    json = "json"
    md = "md"


FormatOption = Annotated[Format, typer.Option("--format", help="How to print.")]
OutputOption = Annotated[
    Path | None, typer.Option("--output", "-o", help="Write here instead of to the terminal.")
]


def show(rows: Sequence[Mapping[str, Any]], form: Format, output: Path | None) -> None:
    """Print rows, or write them to a file; without any there is no head either."""
    text = _FORMATTERS[form](rows) if rows or form is Format.json else ""
    if output is None:
        sys.stdout.write(text)
        return
    with write_atomically(output) as temporary:
        temporary.write_text(text)


def _csv(rows: Sequence[Mapping[str, Any]]) -> str:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(rows[0])
    writer.writerows([csv_text(cell_text(value)) for value in row.values()] for row in rows)
    return buffer.getvalue()


def _json(rows: Sequence[Mapping[str, Any]]) -> str:
    return json.dumps(list(rows), indent=1, ensure_ascii=False) + "\n"


def _markdown(rows: Sequence[Mapping[str, Any]]) -> str:
    lines = [list(rows[0]), ["---"] * len(rows[0])]
    lines += [[markdown_text(cell_text(value)) for value in row.values()] for row in rows]
    return "".join("| " + " | ".join(cells) + " |\n" for cells in lines)


_FORMATTERS = {
    Format.table: table_text,
    Format.csv: _csv,
    Format.json: _json,
    Format.md: _markdown,
}
