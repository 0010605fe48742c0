"""Rows as text, and text of others in files of ours: whatever it looks like, it stays text."""

import math
import re
from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from html import escape
from numbers import Number
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

_FORMULA = re.compile(r"[=+@\t\r-]")
# `-3, -3m, 6/m`: no function and no command, which take brackets, bars or exclamation marks.
_HARMLESS = re.compile(r"-[\w ,;./-]*")
# What could begin markup, a link or a cell of its own; an underscore between letters does nothing.
_MARKUP = re.compile(
    r"[\\`*{}\[\]<>|~&@!#]|(?<![^\W_])_|_(?![^\W_])|(?<=http)s?:|(?<=\bwww)\.", re.IGNORECASE
)

# Of `percent`: where there are two decimals, the last of them, and what is as good as nothing.
_NEAR, _LEAST, _ROUNDED = Decimal("0.5"), Decimal("0.01"), Decimal("1e-5")
_SAME = 2e-6


def csv_text(value: str) -> str:
    """Return text that no spreadsheet takes for a formula.

    A spreadsheet calculates what begins with ``=``, ``+``, ``-``, ``@``, a tab or a carriage
    return, also inside quotes; an apostrophe before it keeps it text. Numbers stay numbers, and
    point groups such as ``-3, 6/m`` stay what they are.
    """
    harmless = _HARMLESS.fullmatch(value) or _is_number(value)
    return f"'{value}" if _FORMULA.match(value) and not harmless else value


def csv_frame(table: "pd.DataFrame") -> "pd.DataFrame":
    """Return a table whose texts are `csv_text`."""
    safe = {
        str(name): values.map(lambda value: csv_text(value) if isinstance(value, str) else value)
        for name, values in table.items()
        if values.dtype.kind not in "biuf"
    }
    return table.assign(**safe)


def plain(text: str, keep: str = "") -> str:
    """Return text without what a terminal obeys or what turns the order of letters.

    Parameters
    ----------
    text : str
    keep : str
        Characters that stay what they are, such as line breaks.
    """
    return "".join(c if c in keep or c.isprintable() else ascii(c)[1:-1] for c in text)


def markdown_text(value: object) -> str:
    """Return text that Markdown shows as it is, on one line and in one cell of a table."""
    line = " ".join(str(value).split())
    return _MARKUP.sub(lambda found: found[0][:-1] + "\\" + found[0][-1], line)


def percent(fraction: float) -> str:
    """Return a fraction in percent, without a unit: ``47.2``, ``99.97``.

    It has one decimal, and two within half a point of 0 and of 100, where one would hide what is
    left. What is not 0 never prints as 0, and what is not 100 never as 100, but for what rounding
    of single precision leaves. The page's script has the same rule (`percent` in ``site/dom.js``).

    Parameters
    ----------
    fraction : float
        A dash stands for NaN.
    """
    if math.isnan(fraction):
        return "–"
    hundred = Decimal(100 * float(fraction))
    if not (_ROUNDED < hundred < _NEAR or 100 - _NEAR < hundred < 100 - _ROUNDED):
        return str(hundred.quantize(Decimal("0.1"), ROUND_HALF_UP))
    inside = min(max(hundred, _LEAST), 100 - _LEAST)
    return str(inside.quantize(_LEAST, ROUND_HALF_UP))


def points(difference: float) -> str:
    """Return a difference of fractions in points, by the rule of `percent`: ``−5.9``, ``+0.03``.

    What a table with six digits a number cannot tell from 0 has no sign.
    """
    if abs(difference) < _SAME:
        return "0.0"
    return f"{'−' if difference < 0 else '+'}{percent(abs(difference))}"


def cell_text(value: object) -> str:
    """Return a value of a table as text."""
    if isinstance(value, (list, tuple)):
        return ", ".join(cell_text(item) for item in value)
    if isinstance(value, float):
        return f"{value:.6g}"
    return "" if value is None else str(value)


def table_text(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return rows, which all have the same columns, as a table for eyes: numbers to the right."""
    names = list(rows[0])
    body = [[cell_text(row[name]) for name in names] for row in rows]
    widths = [max(len(line[i]) for line in [names, *body]) for i in range(len(names))]
    numeric = _numeric(rows)

    def line(cells: Sequence[str]) -> str:
        padded = [
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(cells, widths, numeric, strict=True)
        ]
        return "  ".join(padded).rstrip() + "\n"

    return line(names) + line(["-" * width for width in widths]) + "".join(map(line, body))


def table_html(rows: Sequence[Mapping[str, Any]], caption: str) -> str:
    """Return the same as `table_text` as HTML, which notebooks show."""
    numeric = _numeric(rows)

    def line(cells: Sequence[str], tag: str) -> str:
        parts = (
            f'<{tag} style="text-align: {"right" if right else "left"}">{escape(cell)}</{tag}>'
            for cell, right in zip(cells, numeric, strict=True)
        )
        return f"<tr>{''.join(parts)}</tr>"

    body = "".join(line([cell_text(value) for value in row.values()], "td") for row in rows)
    return (
        f"<table><caption>{escape(caption)}</caption>"
        f"<thead>{line(list(rows[0]), 'th')}</thead><tbody>{body}</tbody></table>"
    )


def _numeric(rows: Sequence[Mapping[str, Any]]) -> list[bool]:
    """Tell which columns hold numbers alone."""
    return [all(isinstance(row[name], Number) for row in rows) for name in rows[0]]


def _is_number(value: str) -> bool:
    try:
        float(value)
    except ValueError:
        return False
    return True
