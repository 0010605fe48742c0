"""Text of any origin as lines and numbers: encodings, line ends, decimal commas, exponents."""

import re
from collections.abc import Sequence

import numpy as np

from sgbench.measured._pattern import MOST_POINTS, NotReadable

# What can hold so many points that are read one by one; checked before any of it is taken apart.
_MOST_LINES = MOST_POINTS + 100_000
_MOST_WORDS = 8 * MOST_POINTS
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_COMMA_NUMBER = re.compile(r"[-+]?\d+(?:,\d+)?(?:[eEdD][-+]?\d+)?")
_NO_LETTER = re.compile(r"([-+]?\d*\.\d*)([-+]\d{1,3})")
_LIKE_A_ROW = re.compile(r"\s*[-+]?\d")
_SAMPLE = 400
_FEW_NULS = 16


def lines_of(content: bytes) -> list[str]:
    """Return the lines of a text file, whatever its encoding and its line ends.

    Raises
    ------
    NotReadable
        If it is no text, or holds more than a pattern can.
    """
    text = decoded(content)
    _check_size(text)
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def decoded(content: bytes) -> str:
    """Return bytes as text: by their byte order mark, or UTF-8, or else the code of Windows."""
    if content[:2] in _UTF_16:
        text = content.decode("utf-16", errors="replace")
    else:
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = content.decode("cp1252", errors="replace")
    if text.count("\0") > max(_FEW_NULS, len(text) / 1000):
        raise NotReadable("it is a binary file of a format that is not known")
    # Padding of titles, and the mark that CP/M and DOS put at the end of a text.
    return text.replace("\0", " ").replace("\x1a", "")


def _check_size(text: str) -> None:
    if text.count("\n") + text.count("\r") > 2 * _MOST_LINES:
        raise NotReadable(f"it has more than {MOST_POINTS} lines")
    codes = np.frombuffer(text.encode("latin-1", "replace"), dtype=np.uint8)
    blank = (codes <= 32) | (codes == ord(",")) | (codes == ord(";"))
    if np.count_nonzero(blank[:-1] & ~blank[1:]) > _MOST_WORDS:
        raise NotReadable(f"it has more than {MOST_POINTS} points")


def has_decimal_commas(lines: Sequence[str]) -> bool:
    """Tell whether numbers of a file are written with a comma, as in ``10,02 153``."""
    yes = no = 0
    for line in lines:
        if "," not in line or not _LIKE_A_ROW.match(line):
            continue
        words = [word for word in re.split(r"[;\s]+", line.strip()) if word]
        if len(words) >= 2 and all(_COMMA_NUMBER.fullmatch(word) for word in words):
            yes += 1
        else:
            no += 1
        if yes + no >= _SAMPLE:
            break
    return yes > 9 * no


def number(word: str) -> float | None:
    """Return a word as a number, also with the exponents of Fortran, or None."""
    word = word.strip().strip('"')
    try:
        return None if "_" in word else float(word)
    except ValueError:
        pass
    swapped = re.sub(r"(?<=[\d.])[dD](?=[-+]?\d)", "e", word)
    if found := _NO_LETTER.fullmatch(swapped):
        swapped = f"{found[1]}e{found[2]}"
    try:
        return None if "_" in word else float(swapped)
    except ValueError:
        return None


def row(line: str, commas: bool) -> list[float] | None:
    """Return the numbers of a line, NaN for empty cells between tabs; None if it is not all such.

    Parameters
    ----------
    line : str
    commas : bool
        Whether commas are decimal.
    """
    if commas:
        line = line.replace(",", ".")
    text = line.strip()
    if "\t\t" not in text and "_" not in text:
        try:
            return [float(word) for word in text.split()]
        except ValueError:
            pass
    for mark in ("\t", ";", ","):
        if mark in text:
            cells = [number(cell) if cell.strip() else np.nan for cell in text.split(mark)]
            break
    else:
        cells = [number(cell) for cell in text.split()]
    if None in cells:
        cells = [number(cell) for cell in re.split(r"[,;\s]+", text) if cell]
    while cells and cells[-1] is not None and np.isnan(cells[-1]) and text[-1] in ",;\t":
        cells.pop()
        text = text[:-1].rstrip() or "x"
    return None if None in cells else cells  # type: ignore[return-value]


def fields(line: str, width: int) -> list[str]:
    """Return the columns of a line of Fortran, which need no blank between them."""
    text = line.rstrip()
    return [text[place : place + width] for place in range(0, len(text), width)]
