"""Minerals of the RRUFF project: measured patterns, and cells and groups of their DIF files.

The project states no licence, so its patterns are fetched for your own use and never shipped.
"""

import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from sgbench import fetching
from sgbench.collections._audit import UNREADABLE
from sgbench.collections._entry import LabelledPattern
from sgbench.collections.sources._reading import is_address, members, or_excluded
from sgbench.files import file_sha256, require_file
from sgbench.measured import decode_patterns
from sgbench.sourced import Excluded, Source
from sgbench.structures.sources import spacegroup_of

ADDRESS = "https://rruff.info/zipped_data_files/powder"
CITATION = (
    "B. Lafuente, R. T. Downs, H. Yang, N. Stone, The power of databases: the RRUFF project, in "
    "Highlights in Mineralogical Crystallography (2015), 1-30"
)
LICENCE = "none stated; fetched for your own use, never passed on"
_PATTERNS, _LABELS = "XY_Processed.zip", "DIF.zip"
_PAUSE = 1.0
_CELL = re.compile(r"CELL PARAMETERS:\s*((?:[\d.]+\s+){5}[\d.]+)")
_GROUP = re.compile(r"SPACE GROUP:\s*(\S+)")
_WAVELENGTH = re.compile(r"X-RAY WAVELENGTH:\s*([\d.]+)")


def source(location: str | None, cache: Path) -> Source:
    """Return the RRUFF project's processed patterns as a source.

    Patterns and labels belong together by the sample's number, such as ``R040031-1``. The
    wavelength is that of the sample's DIF file.

    Parameters
    ----------
    location : str or None
        Folder with ``XY_Processed.zip`` and ``DIF.zip``, or the address of a mirror.
    cache : Path

    Raises
    ------
    SgbenchError
        If the files cannot be had.
    """
    folder = Path(location) if location and not is_address(location) else Path(cache) / "rruff"
    if folder == Path(cache) / "rruff":
        address = location or ADDRESS
        for name in (_PATTERNS, _LABELS):
            fetching.fetch(f"{address}/{name}", folder / name, pause=_PAUSE)
    for name in (_PATTERNS, _LABELS):
        require_file(folder / name, f"a folder with {_PATTERNS} and {_LABELS}. Mend the path.")
    labels = dict(_labels(folder / _LABELS))

    def read() -> Iterator[LabelledPattern | Excluded]:
        for name, content in members(folder / _PATTERNS, [".txt"]):
            key = _key(name)
            yield or_excluded(key, lambda c=content, k=key, n=name: _entry(k, n, c, labels))  # type: ignore[misc]

    return Source(
        "rruff",
        CITATION,
        LICENCE,
        {f"{one}_sha256": file_sha256(folder / one) for one in (_PATTERNS, _LABELS)},
        read,
    )


def _key(name: str) -> str:
    """Return mineral and sample of a file: ``Quartz__R040031-1``."""
    return "__".join(PurePosixPath(name).name.split("__")[:2])


def _labels(path: Path) -> Iterator[tuple[str, str]]:
    for name, content in members(path, [".txt"]):
        yield _key(name), content.decode("utf-8", "replace")


def _entry(
    key: str, name: str, content: bytes, labels: dict[str, str]
) -> LabelledPattern | Excluded:
    text = labels.get(key, "")
    wavelength = _WAVELENGTH.search(text)
    found = decode_patterns(content, Path(name), float(wavelength[1]) if wavelength else None)
    if len(found) != 1:
        return Excluded(key, UNREADABLE, f"{len(found)} scans")
    group, cell = _GROUP.search(text), _CELL.search(text)
    return LabelledPattern(
        key,
        key.partition("__")[0],
        spacegroup_of(group[1].replace("_", "")) if group else None,
        found[0],
        tuple(map(float, cell[1].split())) if cell else None,
        citation=f"RRUFF {key.partition('__')[2]}",
    )
