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
import warnings
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

import gemmi
import numpy as np
import spglib
from numpy.typing import NDArray
from tqdm import tqdm

from sgbench.datasets.sources._structure import (
    SHORTEST_DISTANCE,
    Excluded,
    Structure,
    cell_parameters,
    fill_cell,
    hill_formula,
    lattice_vectors,
)
from sgbench.errors import SgbenchError
from sgbench.symmetry import PAPER_FAMILIES, family_of

PACKAGE = "larixite"
CITATION = (
    "R. T. Downs and M. Hall-Wallace, The American Mineralogist Crystal Structure Database, "
    "American Mineralogist 88, 247-250 (2003)"
)
_FILE = "amcsd_cif1.db"

#: Tolerance in ångström within which spglib must find the labelled group.
SYMPREC = 0.01

UNREADABLE = "unreadable"
OTHER_FAMILY = "not in the families asked for"
NO_COORDINATES = "no coordinates"
UNREADABLE_SPECIES = "unreadable species"
PARTIAL_OCCUPANCY = "partial occupancy or mixed sites"
OVERLAPPING = f"atoms closer than {SHORTEST_DISTANCE} angstrom"
DISAGREEMENT = f"label and spglib disagree at symprec {SYMPREC}"

_SCALE = 4_000_000
_UNNAMED = "<missing>"  # compounds that are no minerals; these go by their formula
# Of the elements, those that the X-ray scattering tables know (up to californium).
_ELEMENTS = frozenset(gemmi.Element(z).name for z in range(1, 99)) | {"D"}
# Sites that stand for a molecule or group whose hydrogen atoms were not located: H2O, NH4, CH3.
_GROUP = re.compile(r"Wat|NH|CH|OH")

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


class _Exclusion(Exception):
    """Ends the reading of one entry; its argument is the reason."""


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


def package_version() -> str:
    """Return the version of the installed ``larixite``."""
    return importlib.metadata.version(PACKAGE)


def read_amcsd(
    families: Collection[str] = PAPER_FAMILIES,
    path: Path | None = None,
    progress: bool = False,
    numbers: Collection[int] | None = None,
) -> Iterator[Structure | Excluded]:
    """Go through the database, entry by entry, in the order of its numbers.

    Parameters
    ----------
    families : collection of str
        Crystal families to keep.
    path : Path, optional
        SQLite file; that of the installed package by default.
    progress : bool
        Whether to show a progress bar.
    numbers : collection of int, optional
        Numbers of the entries to read; all by default.

    Yields
    ------
    Structure or Excluded
        A fully ordered structure, whose label spglib confirms, or why there is none.

    Raises
    ------
    SgbenchError
        If the file is missing or is not this database.
    """
    source = path or database_path()
    if not source.is_file():
        raise SgbenchError(
            f"there is no database at {source}; expected the {_FILE} of {PACKAGE}. Mend the path."
        )
    # immutable: without it SQLite wants to write a lock beside a file that may be read-only.
    connection = sqlite3.connect(f"{source.resolve().as_uri()}?mode=ro&immutable=1", uri=True)
    connection.row_factory = sqlite3.Row
    try:
        rows = connection.execute(_QUERY).fetchall()
        authors: dict[int, list[str]] = {}
        for publication, author in connection.execute(_AUTHORS):
            authors.setdefault(publication, []).append(author)
    except sqlite3.DatabaseError as error:
        raise SgbenchError(
            f"{source} cannot be read as the AMCSD database ({error}); expected the {_FILE} of "
            f"{PACKAGE}. Install the package again."
        ) from error
    finally:
        connection.close()
    if numbers is not None:
        rows = [row for row in rows if row["id"] in numbers]
    for row in tqdm(rows, desc="reading AMCSD", unit="entry", disable=not progress):
        try:
            yield _structure(row, families, authors.get(row["publication_id"], []))
        except _Exclusion as exclusion:
            yield Excluded(_structure_id(row), str(exclusion))


def _structure(row: sqlite3.Row, families: Collection[str], authors: Sequence[str]) -> Structure:
    try:
        operators = tuple(json.loads(row["symmetry_xyz"]))
        symbol, spacegroup = _label(row["hm_notation"], operators)
        cell = np.array([float(row[key]) for key in ("a", "b", "c", "alpha", "beta", "gamma")])
        labels = json.loads(row["atoms_sites"])
        columns = [_numbers(row[f"atoms_{axis}"]) for axis in "xyz"]
        occupancies = _numbers(row["atoms_occupancy"])
    except (TypeError, ValueError) as error:
        raise _Exclusion(UNREADABLE) from error
    if not np.all(cell > 0):
        raise _Exclusion(UNREADABLE)
    if family_of(spacegroup) not in families:
        raise _Exclusion(OTHER_FAMILY)

    n_sites = len(labels)
    if not n_sites or any(len(x) != n_sites or np.isnan(x).any() for x in columns):
        raise _Exclusion(NO_COORDINATES)
    if any(re.fullmatch(r"[A-Z][a-z][A-Z][a-z]", label) and _parts(label) for label in labels):
        raise _Exclusion(PARTIAL_OCCUPANCY)
    elements = tuple(_element(label, row["formula"]) for label in labels)
    if not len(occupancies):  # the CIF has no such column, which means 1
        occupancies = np.ones(n_sites)
    if len(occupancies) != n_sites or not np.all(occupancies == 1):
        raise _Exclusion(PARTIAL_OCCUPANCY)

    filled = fill_cell(cell, operators, np.stack(columns, axis=1))
    if filled.shortest_distance < SHORTEST_DISTANCE:
        raise _Exclusion(OVERLAPPING)
    atoms = [elements[site] for site in filled.site]
    dataset = _symmetry(lattice_vectors(cell), filled.positions, atoms)
    if dataset is None or dataset.number != spacegroup:
        raise _Exclusion(DISAGREEMENT)
    formula = hill_formula(atoms)
    return Structure(
        structure_id=_structure_id(row),
        name=row["name"] if row["name"] != _UNNAMED else formula,
        spacegroup=spacegroup,
        symbol=symbol,
        cell=cell,
        operators=operators,
        elements=elements,
        positions=filled.site_positions,
        occupancies=occupancies,
        standard_cell=cell_parameters(np.asarray(dataset.std_lattice)),
        formula=formula,
        n_atoms=len(dataset.std_types),
        citation=_citation(row, authors),
    )


def _structure_id(row: sqlite3.Row) -> str:
    return f"amcsd-{row['id']:07d}"


def _label(notation: str, operators: tuple[str, ...]) -> tuple[str, int]:
    """Return the Hermann-Mauguin symbol and its number.

    The database tells settings of one symbol apart by a suffix such as ``%var1%``. Symbols that are
    not in gemmi's table (full ones such as ``P 4/m -3 2/m``) are read off their operators.
    """
    symbol = re.sub(r"\s*%.*%", "", notation).strip()
    group: gemmi.SpaceGroup | None = gemmi.find_spacegroup_by_name(symbol)
    if group is None:
        group = gemmi.find_spacegroup_by_ops(gemmi.GroupOps([gemmi.Op(o) for o in operators]))
    if not isinstance(group, gemmi.SpaceGroup):
        raise ValueError(f"unknown space group {notation}")
    return symbol, int(group.number)


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
    if _GROUP.match(label):
        raise _Exclusion(UNREADABLE_SPECIES)
    known = set(re.findall(r"[A-Z][a-z]?", formula)) & _ELEMENTS
    for symbol in (label[:2], label[:1]):
        if symbol in known:
            return "H" if symbol == "D" else symbol
    raise _Exclusion(UNREADABLE_SPECIES)


def _symmetry(
    lattice: NDArray[np.float64], positions: NDArray[np.float64], atoms: list[str]
) -> spglib.SpglibDataset | None:
    cell = (
        lattice.tolist(),
        positions.tolist(),
        [gemmi.Element(atom).atomic_number for atom in atoms],
    )
    # spglib is changing from returning None to raising; until then it warns of it at every call.
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Set OLD_ERROR_HANDLING", DeprecationWarning)
        try:
            return spglib.get_symmetry_dataset(cell, symprec=SYMPREC)
        except spglib.SpglibError:
            return None


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
