"""Measured powder patterns: what a file is, other forms of it, and a picture."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sgbench.cli._lazy import SETTINGS, Group
from sgbench.cli._listing import Format, FormatOption, OutputOption, show

if TYPE_CHECKING:
    from sgbench.measured import MeasuredPattern

app = typer.Typer(cls=Group, help=__doc__, no_args_is_help=True, **SETTINGS)

FileArgument = Annotated[Path, typer.Argument(help="A file of any format of docs/patterns.md.")]
WavelengthOption = Annotated[
    str | None,
    typer.Option(
        help="Ångström, two with a comma for a doublet, or lines such as CuKa or MoKa1; in place "
        "of what the file says."
    ),
]
ScanOption = Annotated[
    int | None, typer.Option(help="Which scan of the file, from 1, where it holds several.")
]


@app.command()
def read(
    file: FileArgument,
    wavelength: WavelengthOption = None,
    scan: ScanOption = None,
    form: FormatOption = Format.table,
    output: OutputOption = None,
) -> None:
    """Say what a file is: format, range, step, points, wavelengths and where they are from.

    One row a scan; the table of a single scan has one row a property, and what the file says of
    the sample.
    """
    from sgbench.measured import read_pattern, read_patterns

    if scan is None:
        found: Sequence[MeasuredPattern] = read_patterns(file, wavelength)
    else:
        found = [read_pattern(file, wavelength, scan)]
    rows = [_row(file, one) for one in found]
    if form is Format.table and len(rows) == 1:
        about = [(key, value) for key, value in rows[0].items() if key not in _LISTS]
        about += [("note", note) for note in found[0].notes]
        about += list(found[0].metadata.items())
        rows = [{"property": key, "value": _cell(value)} for key, value in about]
    elif form is Format.table:
        rows = [{key: _cell(row[key]) for key in row if key not in _LISTS} for row in rows]
    elif form is not Format.json:
        for row in rows:
            row["metadata"] = "; ".join(f"{key}: {text}" for key, text in row["metadata"].items())
            row["notes"] = "; ".join(row["notes"])
    show(rows, form, output)


_LISTS = ("metadata", "notes")


def _row(file: Path, pattern: "MeasuredPattern") -> dict[str, Any]:
    from sgbench.checked import printed

    lines = pattern.wavelengths
    return {
        "file": printed(file.name),
        "scan": pattern.scan,
        "format": pattern.format,
        "from": round(float(pattern.two_theta[0]), 6),
        "to": round(float(pattern.two_theta[-1]), 6),
        "step": round(pattern.step, 7),
        "points": len(pattern),
        "wavelengths": [round(one.value, 7) for one in lines],
        "weights": [round(one.weight, 4) for one in lines],
        "wavelength_from": lines[0].source if lines else "not stated; give --wavelength",
        "sigma": pattern.sigma is not None,
        "metadata": pattern.metadata,
        "notes": list(pattern.notes),
    }


def _cell(value: Any) -> Any:
    """Return a value as text: numbers beside texts are texts, and what is true is yes."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(f"{one:.10g}" for one in value)
    return f"{value:.10g}" if isinstance(value, float) else str(value)


@app.command()
def convert(
    file: FileArgument,
    output: Annotated[
        Path, typer.Argument(help="Where to; the ending says what: xy, xye, csv or cif.")
    ],
    form: Annotated[
        str | None, typer.Option("--to", help="xy, xye, csv or cif, whatever the name ends in.")
    ] = None,
    wavelength: WavelengthOption = None,
    scan: ScanOption = None,
) -> None:
    """Write a pattern as text: columns alone (xy, xye), or with its wavelengths (csv, cif)."""
    from sgbench.measured import read_pattern, write_pattern

    write_pattern(read_pattern(file, wavelength, scan), output, form)


@app.command()
def plot(
    file: FileArgument,
    output: Annotated[Path, typer.Argument(help="Where to; ends in .svg or .png.")],
    wavelength: WavelengthOption = None,
    scan: ScanOption = None,
) -> None:
    """Draw a pattern as SVG or PNG."""
    from sgbench.checked import printed
    from sgbench.measured import read_pattern
    from sgbench.plots import draw_pattern

    draw_pattern(read_pattern(file, wavelength, scan), output, printed(file.name))
