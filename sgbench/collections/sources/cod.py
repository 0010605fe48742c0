"""Measured profiles of the Crystallography Open Database, whose entries are in the public domain.

An entry is a CIF; where it was determined from a powder and its authors deposited the profile, that
lies in the same file as the structure.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from sgbench import fetching
from sgbench.checked import FileKind
from sgbench.collections._entry import LabelledPattern
from sgbench.collections.sources._reading import MOST_BYTES, is_address, or_excluded
from sgbench.errors import SgbenchError
from sgbench.files import file_sha256
from sgbench.measured import decode_patterns
from sgbench.sourced import Excluded, Source
from sgbench.structures.sources import Entry, entry_from_cif

ADDRESS = "https://www.crystallography.net/cod"
CITATION = "S. Gražulis et al., Crystallography Open Database, J. Appl. Cryst. 42, 726-729 (2009)"
LICENCE = "CC0 1.0"
#: Entries of the database that hold none.
NO_PROFILE = "no measured profile"
#: Seconds between requests: one entry at a time.
_PAUSE = 1.0
_KIND = FileKind("a list of COD numbers", "one number of seven digits a line. Mend the list.")
_ATOMS = re.compile(rb"^\s*data_\S+", re.MULTILINE)


def source(location: str | None, cache: Path) -> Source:
    """Return entries of the Crystallography Open Database as a source.

    Parameters
    ----------
    location : str or None
        A folder of CIFs, or a file with the numbers of entries, of which each is fetched once. The
        address of a mirror may stand before the file: ``https://mirror.example/cod?ids.txt``.
    cache : Path

    Raises
    ------
    SgbenchError
        If an entry cannot be had.
    """
    address, _, listed = str(location).partition("?")
    if not is_address(location):
        address, listed = ADDRESS, str(location)
    place = Path(listed)
    if place.is_dir():
        files = sorted(place.glob("*.cif"))
    else:
        text = _KIND.read_bytes(place).decode("ascii", "replace").split()
        if not text or not all(re.fullmatch(r"\d{7}", one) for one in text):
            raise _KIND.damaged(place, "it holds something else")
        folder = Path(cache) / "cod"
        files = [
            fetching.fetch(f"{address}/{one}.cif", folder / f"{one}.cif", pause=_PAUSE)
            for one in dict.fromkeys(text)
        ]

    def read() -> Iterator[LabelledPattern | Excluded]:
        for file in files:
            yield or_excluded(file.stem, lambda file=file: _entry(file))  # type: ignore[misc]

    return Source(
        "cod",
        CITATION,
        LICENCE,
        {one.name: file_sha256(one) for one in files},
        read,
        len(files),
    )


def _entry(path: Path) -> LabelledPattern | Excluded:
    content = _KIND.read_bytes(path, MOST_BYTES)
    try:
        found = decode_patterns(content, path)
    except SgbenchError as error:
        return Excluded(path.stem, NO_PROFILE, str(error).partition("; expected")[0][:200])
    structures = [
        one
        for number, block in enumerate(_blocks(content))
        if isinstance(one := entry_from_cif(block, f"{path.stem}-{number}"), Entry)
    ]
    first = structures[0] if structures else None
    return LabelledPattern(
        path.stem,
        first.name if first else "",
        first.spacegroup if first else None,
        found[0],
        first.cell if first else None,
        max(len(structures), 1),
        structure=first,
        citation=first.citation if first else "",
    )


def _blocks(content: bytes) -> list[bytes]:
    """Return the blocks of a CIF, each as a file of its own; those with atoms are phases."""
    starts = [one.start() for one in _ATOMS.finditer(content)]
    ends = [*starts[1:], len(content)]
    blocks = (content[a:b] for a, b in zip(starts, ends, strict=True))
    return [one for one in blocks if b"_atom_site" in one]
