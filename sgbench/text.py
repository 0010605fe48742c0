"""Text of others in files of ours: whatever it looks like, it stays text."""

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

_FORMULA = re.compile(r"[=+@\t\r-]")
# `-3, -3m, 6/m`: no function and no command, which take brackets, bars or exclamation marks.
_HARMLESS = re.compile(r"-[\w ,;./-]*")
# What could begin markup, a link or a cell of its own; an underscore inside of a word does nothing.
_MARKUP = re.compile(
    r"[\\`*{}\[\]<>|~&@!#]|(?<!\w)_|_(?!\w)|(?<=http)s?:|(?<=\bwww)\.", re.IGNORECASE
)


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


def markdown_text(value: object) -> str:
    """Return text that Markdown shows as it is, on one line and in one cell of a table."""
    line = " ".join(str(value).split())
    return _MARKUP.sub(lambda found: found[0][:-1] + "\\" + found[0][-1], line)


def _is_number(value: str) -> bool:
    try:
        float(value)
    except ValueError:
        return False
    return True
