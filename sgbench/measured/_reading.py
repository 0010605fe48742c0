"""One door for every file: what it is follows from its first bytes, then its scans are checked."""

import re
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from sgbench.checked import FileKind
from sgbench.errors import SgbenchError
from sgbench.measured._binary import BINARY
from sgbench.measured._columns import ascends, read_columns
from sgbench.measured._numbers import has_decimal_commas, lines_of
from sgbench.measured._pattern import (
    MeasuredPattern,
    NotReadable,
    Scan,
    admitted,
    with_wavelength,
)
from sgbench.measured._steps import is_gsas, is_ill, read_gsas, read_ill, read_steps
from sgbench.measured._vendor_text import TEXT_FORMATS

_MOST_BYTES = 2**26
# How a block of CIF begins.
_BLOCK = re.compile(r"\s*data_\S+\s*$", re.IGNORECASE)
_KIND = FileKind(
    "a powder pattern that can be read",
    "intensities over 2θ in one of the formats of docs/patterns.md, or two columns of text. "
    "Name another file, or export it again.",
)
# Beginnings of files that are none of ours.
_FOREIGN = (
    (b"\x89PNG", "a picture"), (b"\xff\xd8\xff", "a picture"), (b"GIF8", "a picture"),
    (b"II*\0", "a picture; an image of a detector has to be integrated first"),
    (b"MM\0*", "a picture; an image of a detector has to be integrated first"),
    (b"%PDF", "a document"), (b"\xd0\xcf\x11\xe0", "a document of an office program"),
    (b"\x1f\x8b", "compressed; unpack it first"), (b"BZh", "compressed; unpack it first"),
    (b"\xfd7zXZ", "compressed; unpack it first"), (b"7z\xbc\xaf", "compressed; unpack it first"),
    (b"\x80\x04", "a pickle of Python, which would run what it holds"), (b"PAR1", "Parquet"),
)  # fmt: skip


def read_pattern(
    path: str | Path,
    wavelength: float | str | Iterable[float] | None = None,
    scan: int | None = None,
) -> MeasuredPattern:
    """Read the powder pattern of a file of any format.

    Parameters
    ----------
    path : str or Path
    wavelength : float, str or iterable of float, optional
        In ångström, two for a doublet, or a name such as ``CuKa``; in place of what the file says.
        Without it and without one in the file, the pattern has none, and asking it for its
        wavelength is an error.
    scan : int, optional
        Which scan of the file, from 1; needed where it holds several.

    Raises
    ------
    SgbenchError
        If the file holds no powder pattern, or several and none is chosen.
    """
    found = read_patterns(path, wavelength)
    if scan is None and len(found) == 1:
        return found[0]
    numbers = [one.scan for one in found]
    if scan is None:
        raise SgbenchError(
            f"{path} holds {len(found)} scans, the first from {found[0].two_theta[0]:g} to "
            f"{found[0].two_theta[-1]:g} degrees; expected the number of one. Choose with "
            f"scan={numbers[0]} to {numbers[-1]}, or --scan; `sgbench pattern read` lists them."
        )
    if scan not in numbers:
        raise SgbenchError(
            f"{path} has no scan {scan} that is a powder pattern; expected one of "
            f"{', '.join(map(str, numbers[:20]))}. Choose one of these."
        )
    return found[numbers.index(scan)]


def read_patterns(
    path: str | Path, wavelength: float | str | Iterable[float] | None = None
) -> tuple[MeasuredPattern, ...]:
    """Read every powder pattern of a file of any format; other scans are left out.

    Parameters
    ----------
    path : str or Path
    wavelength : float, str or iterable of float, optional
        In ångström, two for a doublet, or a name such as ``CuKa``; in place of what the file says.

    Raises
    ------
    SgbenchError
        If the file holds no powder pattern; the message says what it is instead.
    """
    path = Path(path)
    return decode_patterns(_KIND.read_bytes(path, _MOST_BYTES), path, wavelength)


def decode_patterns(
    content: bytes, path: Path, wavelength: float | str | Iterable[float] | None = None
) -> tuple[MeasuredPattern, ...]:
    """Read every powder pattern of what a file holds, such as one inside an archive.

    Parameters
    ----------
    content : bytes
    path : Path
        How errors call it.
    wavelength : float, str or iterable of float, optional
        As of `read_patterns`.

    Raises
    ------
    SgbenchError
        As of `read_patterns`.
    """
    try:
        with np.errstate(all="ignore"):
            name, scans = _scans(content)
        found, reasons = [], []
        for number, scan in enumerate(scans, start=1):
            scan.format = name
            try:
                found.append(admitted(scan, number))
            except NotReadable as error:
                reasons.append(error)
        if not found:
            raise reasons[0] if reasons else NotReadable("it holds no scan")
    except NotReadable as error:
        # What a library could not decode has its error behind it.
        raise _KIND.damaged(path, str(error)) from error.__cause__
    if reasons:
        told = f"{len(reasons)} of {len(scans)} scans are no powder pattern and were left out; " \
               f"the first: {reasons[0]}"  # fmt: skip
        found = [_told(one, told) for one in found]
    if wavelength is not None:
        found = [with_wavelength(one, wavelength) for one in found]
    return tuple(found)


def _told(pattern: MeasuredPattern, note: str) -> MeasuredPattern:
    from dataclasses import replace

    return replace(pattern, notes=(*pattern.notes, note))


def _scans(content: bytes) -> tuple[str, list[Scan]]:
    """Return the name of a file's format and its scans."""
    if not content.strip():
        raise NotReadable("it is empty")
    for mark, name, read in BINARY:
        if content.startswith(mark):
            return name, read(content)
    if content.startswith(b"PK\x03\x04"):
        from sgbench.measured._xml import read_archive

        return read_archive(content)
    if content.startswith(b"\x89HDF\r\n\x1a\n"):
        from sgbench.measured._hdf5 import read_nexus

        return "NeXus", read_nexus(content)
    for mark, what in _FOREIGN:
        if content.startswith(mark):
            raise NotReadable(f"it is {what}")
    start = content[:200].lstrip(b"\xef\xbb\xbf\xff\xfe\0 \t\r\n")
    if start.startswith(b"<"):
        from sgbench.measured._xml import read_xml

        return read_xml(content)
    return _text_scans(content)


def _text_scans(content: bytes) -> tuple[str, list[Scan]]:
    lines = lines_of(content)
    for one in TEXT_FORMATS:
        if one.is_it(lines):
            return one.name, one.read(lines)
    if any(_BLOCK.match(line) for line in lines[:2000]):
        from sgbench.measured._pdcif import read_pdcif

        return "powder CIF", read_pdcif(content)
    if is_gsas(lines):
        return "GSAS", read_gsas(lines)
    if is_ill(lines):
        return "ILL D1A, D1B", read_ill(lines)
    commas = has_decimal_commas(lines)
    steps = read_steps(lines, commas)
    # A head that the file keeps to is no coincidence; one that it nearly keeps to may be.
    if steps and steps[0].exact:
        return "start, step, stop", steps
    try:
        columns = read_columns(lines, commas)
    except NotReadable:
        if steps:
            return "start, step, stop", steps
        raise
    if steps and not all(ascends(one) for one in columns):
        return "start, step, stop", steps
    return "columns", columns
