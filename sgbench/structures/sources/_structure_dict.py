"""Structures given as all atoms of a cell: dictionaries as pymatgen writes them, and the like."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from sgbench.structures._filled_cell import cell_parameters, lattice_vectors
from sgbench.structures.sources._cif import IDENTITY
from sgbench.structures.sources._entry import (
    NO_COORDINATES,
    TOO_LARGE,
    UNREADABLE,
    UNREADABLE_SPECIES,
    Entry,
    Excluded,
    Exclusion,
)
from sgbench.structures.sources._reading import (
    MAX_SITES,
    checked_cell,
    checked_position,
    element_of,
    read_or_exclude,
)

T = TypeVar("T")

# Cell vectors that span less (ångström^3) are of no crystal.
_SMALLEST_VOLUME = 1e-3


def entry_from_dict(
    structure: object,
    structure_id: str,
    *,
    name: str = "",
    spacegroup: int | None = None,
    citation: str = "",
) -> Entry | Excluded:
    """Read a dictionary of the form of pymatgen's ``Structure.as_dict()``, without pymatgen.

    Parameters
    ----------
    structure : object
        Mapping with ``lattice`` (``matrix``, or ``a``, ``b``, ``c``, ``alpha``, ``beta``,
        ``gamma``) and ``sites`` (each with ``species``, a list of ``element`` and ``occu``, and
        ``abc`` or ``xyz``); anything else is excluded.
    structure_id, name, citation : str
    spacegroup : int, optional
        Label, which such a dictionary does not hold.

    Returns
    -------
    Entry or Excluded
        Whatever the object is, never an exception.
    """

    def read() -> Entry:
        lattice = _part(structure, "lattice", dict)
        vectors = _vectors(lattice)
        sites = _part(structure, "sites", list)
        check_number_of_sites(sites)
        to_fractional = np.linalg.inv(vectors)
        scatterers = []
        for site in sites:
            if isinstance(site, Mapping) and site.get("abc") is not None:
                position = triple(site["abc"], NO_COORDINATES)
            else:
                xyz = _part(site, "xyz", list, NO_COORDINATES)
                position = triple(xyz, NO_COORDINATES) @ to_fractional
            for species in _part(site, "species", list, UNREADABLE_SPECIES):
                element = element_of(_part(species, "element", str, UNREADABLE_SPECIES))
                scatterers.append((element, position, number(species.get("occu", 1.0))))
        return entry_of_cell(structure_id, name, spacegroup, vectors, scatterers, citation)

    return read_or_exclude(structure_id, read)


def entry_of_cell(
    structure_id: str,
    name: str,
    spacegroup: int | None,
    vectors: NDArray[np.float64],
    scatterers: Iterable[tuple[str, NDArray[np.float64], float]],
    citation: str,
) -> Entry:
    """Return the entry of all atoms of a cell.

    Parameters
    ----------
    structure_id, name : str
    spacegroup : int or None
    vectors : ndarray, shape (3, 3)
        Cell vectors as rows, ångström.
    scatterers : iterable of (str, ndarray, float)
        Element, fractional coordinates and occupancy.
    citation : str

    Raises
    ------
    Exclusion
        If the cell is none, or there is no atom.
    """
    # Cell parameters do not tell a left-handed cell from a right-handed one. Reversing all three
    # vectors makes it right-handed; the atoms stay where they are.
    hand = np.sign(np.linalg.det(vectors))
    found = []
    for element, position, occupancy in scatterers:
        x, y, z = (hand * position).tolist()
        found.append((element, checked_position((x, y, z), element), occupancy))
    if not found:
        raise Exclusion(NO_COORDINATES, "no atoms")
    elements, positions, occupancies = zip(*found, strict=True)
    with np.errstate(invalid="ignore"):  # angles of all but parallel vectors; they are checked
        cell = cell_parameters(vectors)
    return Entry(
        structure_id=structure_id,
        name=name,
        spacegroup=spacegroup,
        cell=checked_cell(tuple(cell.tolist())),
        operators=(IDENTITY,),
        elements=elements,
        positions=positions,
        occupancies=occupancies,
        citation=citation,
    )


def checked_vectors(rows: object) -> NDArray[np.float64]:
    """Return three cell vectors as rows, shape (3, 3), or exclude."""
    if not isinstance(rows, Sequence) or len(rows) != 3:
        raise Exclusion(UNREADABLE, "no three cell vectors")
    vectors = np.array([triple(row, UNREADABLE) for row in rows])
    if not abs(np.linalg.det(vectors)) > _SMALLEST_VOLUME:
        raise Exclusion(UNREADABLE, "cell without volume")
    return vectors


def check_number_of_sites(sites: Sequence[object]) -> None:
    """Exclude structures that are too large to be looked at."""
    if len(sites) > MAX_SITES:
        raise Exclusion(TOO_LARGE, f"{len(sites)} sites")


def triple(values: object, reason: str) -> NDArray[np.float64]:
    """Return three finite numbers, shape (3,), or exclude for the reason given."""
    if not isinstance(values, Sequence) or len(values) != 3:
        raise Exclusion(reason, f"a {type(values).__name__} instead of three numbers")
    return np.array([number(value, reason) for value in values])


def number(value: object, reason: str = UNREADABLE) -> float:
    """Return a finite number, or exclude for the reason given."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise Exclusion(reason, f"a {type(value).__name__} instead of a number")
    # Beyond this no length, angle, coordinate or occupancy is one; cubes of it are still finite.
    if not abs(value) < 1e100:
        raise Exclusion(reason, "a number that is not finite")
    return float(value)


def _vectors(lattice: Mapping[str, object]) -> NDArray[np.float64]:
    periodic = lattice.get("pbc")
    if isinstance(periodic, Sequence) and not all(periodic):
        raise Exclusion(UNREADABLE, "not periodic in three directions")
    if lattice.get("matrix") is not None:
        return checked_vectors(lattice["matrix"])
    names = ("a", "b", "c", "alpha", "beta", "gamma")
    cell = checked_cell(tuple(number(lattice.get(name)) for name in names))
    return checked_vectors(lattice_vectors(np.array(cell)).tolist())


def _part(whole: object, key: str, kind: type[T], reason: str = UNREADABLE) -> T:
    part = whole.get(key) if isinstance(whole, Mapping) else None
    if not isinstance(part, kind):
        raise Exclusion(reason, f"no '{key}'")
    return part
