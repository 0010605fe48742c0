"""Mineral structures of the American Mineralogist Crystal Structure Database, from ``larixite``.

The package ships the database as an SQLite file of CIF contents: coordinates and occupancies are
base64 of little-endian int32 in units of 1/4,000,000, with 2 and 3 standing for CIF's ``?`` and
``.``; ``0`` stands for a column that the CIF does not have. Only the file is read; the package,
with all that it imports, is not.
"""

import base64
import importlib.metadata
import importlib.util
import json
import re
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path

import gemmi
import numpy as np
from numpy.typing import NDArray

from sgbench.errors import SgbenchError
from sgbench.files import file_sha256, require_file
from sgbench.structures.sources._entry import (
    NO_COORDINATES,
    UNREADABLE,
    UNREADABLE_SPECIES,
    Entry,
    Excluded,
    Exclusion,
    Source,
)
from sgbench.structures.sources._reading import ELEMENTS, GROUP

PACKAGE = "larixite"
CITATION = (
    "R. T. Downs and M. Hall-Wallace, The American Mineralogist Crystal Structure Database, "
    "American Mineralogist 88, 247-250 (2003)"
)
_FILE = "amcsd_cif1.db"

LICENCE = "none stated by the database; free to use with citation. larixite: MIT"

MIXED_SITE = "mixed site without proportions"

_SCALE = 4_000_000
_UNNAMED = "<missing>"  # compounds that are no minerals; these go by their formula
_ELEMENTS = ELEMENTS | {"D"}

_QUERY = """
SELECT cif.id, minerals.name, spacegroups.hm_notation, spacegroups.symmetry_xyz,
       a, b, c, alpha, beta, gamma, formula, atoms_sites, atoms_x, atoms_y, atoms_z,
       atoms_occupancy, publication_id, pub_title, journalname, volume, year, page_first, page_last
FROM cif
LEFT JOIN minerals ON minerals.id = mineral_id
LEFT JOIN spacegroups ON spacegroups.id = spacegroup_id
LEFT JOIN publications ON publications.id = publication_id
ORDER BY cif.id
"""

_AUTHORS = """
SELECT publication_id, authors.name FROM publication_authors
JOIN authors ON authors.id = author_id ORDER BY publication_authors.rowid
"""


def database_path() -> Path:
    """Return where the installed ``larixite`` keeps its database.

    Raises
    ------
    SgbenchError
        If the package or its file is missing.
    """
    spec = importlib.util.find_spec(PACKAGE)
    for folder in (spec.submodule_search_locations or []) if spec else []:
        if (path := Path(folder) / _FILE).is_file():
            return path
    raise SgbenchError(
        f"the package {PACKAGE} with its file {_FILE}, the source of mineral structures, was not "
        f"found. Install it with 'pip install {PACKAGE}'."
    )


def amcsd(path: Path | None = None) -> Source:
    """Return the American Mineralogist Crystal Structure Database as a source.

    Parameters
    ----------
    path : Path, optional
        SQLite file; that of the installed package by default.

    Raises
    ------
    SgbenchError
        If the file is missing or is not this database.
    """
    database = path or database_path()
    require_file(database, f"the {_FILE} of {PACKAGE}. Mend the path.")
    provenance = {
        "package": PACKAGE,
        "package_version": importlib.metadata.version(PACKAGE) if path is None else "",
        "database_sha256": file_sha256(database),
    }
    rows, authors = _load(database)

    def read() -> Iterator[Entry | Excluded]:
        for row in rows:
            try:
                yield _entry(row, authors.get(row["publication_id"], []))
            except Exclusion as exclusion:
                yield Excluded(_structure_id(row), *exclusion.args)

    return Source("amcsd", CITATION, LICENCE, provenance, read, len(rows))


def _load(database: Path) -> tuple[list[sqlite3.Row], dict[int, list[str]]]:
    """Return the entries, in the order of their numbers, and the authors of each publication."""
    # immutable: without it SQLite wants to write a lock beside a file that may be read-only.
    connection = sqlite3.connect(f"{database.resolve().as_uri()}?mode=ro&immutable=1", uri=True)
    connection.row_factory = sqlite3.Row
    try:
        rows = connection.execute(_QUERY).fetchall()
        authors: dict[int, list[str]] = {}
        for publication, author in connection.execute(_AUTHORS):
            authors.setdefault(publication, []).append(author)
    except sqlite3.DatabaseError as error:
        raise SgbenchError(
            f"{database} cannot be read as the AMCSD database ({error}); expected the {_FILE} of "
            f"{PACKAGE}. Install the package again."
        ) from error
    finally:
        connection.close()
    return rows, authors


def _entry(row: sqlite3.Row, authors: Sequence[str]) -> Entry:
    try:
        operators = tuple(json.loads(row["symmetry_xyz"]))
        spacegroup = _label(row["hm_notation"], operators)
        cell = tuple(float(row[key]) for key in ("a", "b", "c", "alpha", "beta", "gamma"))
        labels = json.loads(row["atoms_sites"])
        columns = [_numbers(row[f"atoms_{axis}"]) for axis in "xyz"]
        occupancies = _numbers(row["atoms_occupancy"])
    except (TypeError, ValueError) as error:
        raise Exclusion(UNREADABLE) from error

    n_sites = len(labels)
    if not n_sites or any(len(x) != n_sites or np.isnan(x).any() for x in columns):
        raise Exclusion(NO_COORDINATES)
    for label in labels:
        if re.fullmatch(r"[A-Z][a-z][A-Z][a-z]", label) and _parts(label):
            raise Exclusion(MIXED_SITE, label)
    elements = tuple(_element(label, row["formula"]) for label in labels)
    if not len(occupancies):  # the CIF has no such column, which means 1
        occupancies = np.ones(n_sites)
    if len(occupancies) != n_sites or np.isnan(occupancies).any():
        raise Exclusion(UNREADABLE, "occupancies")
    return Entry(
        structure_id=_structure_id(row),
        name=row["name"] if row["name"] != _UNNAMED else "",
        spacegroup=spacegroup,
        cell=cell,
        operators=operators,
        elements=elements,
        positions=tuple(zip(*(x.tolist() for x in columns), strict=True)),
        occupancies=tuple(occupancies.tolist()),
        citation=_citation(row, authors),
    )


def _structure_id(row: sqlite3.Row) -> str:
    return f"amcsd-{row['id']:07d}"


def _label(notation: str, operators: tuple[str, ...]) -> int:
    """Return the number of the space group that the entry is labelled with.

    The database tells settings of one symbol apart by a suffix such as ``%var1%``. Symbols that are
    not in gemmi's table (full ones such as ``P 4/m -3 2/m``) are read off their operators.
    """
    symbol = re.sub(r"\s*%.*%", "", notation).strip()
    group: gemmi.SpaceGroup | None = gemmi.find_spacegroup_by_name(symbol)
    if group is None:
        group = gemmi.find_spacegroup_by_ops(gemmi.GroupOps([gemmi.Op(o) for o in operators]))
    if not isinstance(group, gemmi.SpaceGroup):
        raise ValueError(f"unknown space group {notation}")
    return int(group.number)


def _numbers(text: str) -> NDArray[np.float64]:
    """Decode a column; empty where the CIF does not have it, NaN where it gives no number."""
    if text == "0":
        return np.empty(0)
    raw = np.frombuffer(base64.b64decode(text), dtype="<i4")
    return np.where((raw == 2 * _SCALE) | (raw == 3 * _SCALE), np.nan, raw / _SCALE)


def _parts(label: str) -> bool:
    """Tell whether a label such as ``FeCu`` names two elements that share the site."""
    return label[:2] in _ELEMENTS and label[2:] in _ELEMENTS


def _element(label: str, formula: str) -> str:
    """Return the element that a site label such as ``AlT1``, ``O-H3`` or ``Fe3+`` begins with.

    The formula decides where the letters could be read in two ways: ``Os`` is osmium only in a
    compound of osmium.
    """
    if GROUP.match(label):
        raise Exclusion(UNREADABLE_SPECIES, label)
    known = set(re.findall(r"[A-Z][a-z]?", formula)) & _ELEMENTS
    for symbol in (label[:2], label[:1]):
        if symbol in known:
            return "H" if symbol == "D" else symbol
    raise Exclusion(UNREADABLE_SPECIES, label)


def _citation(row: sqlite3.Row, authors: Sequence[str]) -> str:
    """Return authors, year, title, journal, volume and pages, as far as they are known."""
    pages = "-".join(dict.fromkeys(p for p in (row["page_first"], row["page_last"]) if p))
    where = " ".join(str(part) for part in (row["journalname"], row["volume"]) if part)
    title = " ".join((row["pub_title"] or "").split())
    parts = (
        f"{', '.join(authors)} ({row['year']})".strip(),
        title,
        f"{where}, {pages}".strip(", "),
    )
    return ". ".join(part for part in parts if part)
