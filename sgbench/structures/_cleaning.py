"""From an entry to a structure whose space group is sure, or to the reason why there is none."""

import warnings
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import gemmi
import numpy as np
import spglib
from numpy.typing import ArrayLike, NDArray

from sgbench.structures._filled_cell import (
    OCCUPANCY_TOLERANCE,
    FilledCell,
    cell_parameters,
    fill_cell,
    lattice_vectors,
    length,
    operators_of,
    wrapped,
)
from sgbench.structures.sources import (
    NO_COORDINATES,
    TOO_LARGE,
    UNREADABLE,
    Entry,
    Excluded,
    Exclusion,
)
from sgbench.symmetry import family_of

#: Tolerance in ångström within which spglib finds the space group.
SYMPREC = 0.01

#: Structures that state no symmetry at all, in coordinates of unknown precision, must have the same
#: group within this tolerance (ångström), too.
LOOSE_SYMPREC = 0.1

# Tried on structures without operators, whose coordinates may be exact.
_FINER_SYMPRECS = (1e-5, 1e-4, 1e-3)

#: Atoms of a real crystal keep at least this distance (ångström); bonds to hydrogen, the shortest
#: there are, are seldom refined below 0.6. Positions that exclude each other, as those of a
#: disordered atom do, may be closer.
SHORTEST_DISTANCE = 0.5

#: Largest cell that is taken on: occupied positions, and ångström^3.
MOST_ATOMS = 2_000
LARGEST_VOLUME = 60_000.0

OTHER_FAMILY = "not in the families asked for"
WRONG_CELL = "cell does not fit the symmetry operators"
OVERFULL = "occupancies outside 0 to 1"
OVERLAPPING = f"atoms closer than {SHORTEST_DISTANCE} angstrom"
DISAGREEMENT = f"label and spglib disagree at symprec {SYMPREC}"
UNDECIDED = "no symmetry stated, and spglib's depends on the tolerance"

# Scatterers closer than this in each fractional coordinate share one position.
_SAME_POSITION = 1e-4

# Symmetry-equivalent edges agree to half of this (relative), angles to this in their cosines.
_SAME_METRIC = 1e-2


@dataclass(frozen=True)
class Structure:
    """A crystal structure in the standard setting of its space group.

    Attributes
    ----------
    structure_id, name, citation : str
    spacegroup : int
        Confirmed by spglib.
    cell : tuple of float, length 6
        Conventional cell (hexagonal axes for rhombohedral groups), ångström and degrees.
    operators : tuple of str
        All symmetry operators of the standard setting.
    elements : tuple of str, length n
        Element of each scatterer of the asymmetric unit; a mixed site is several scatterers.
    positions : tuple of (float, float, float), length n
        Fractional, exactly on the special positions that they occupy.
    occupancies : tuple of float, length n
    formula : str
        Reduced, in Hill order; amounts of disordered structures with up to three decimals.
    prototype : str
        Anonymous formula, space group and occupied Wyckoff letters, e.g. ``AB_225_ab``; each kind
        of site counts as one element.
    n_atoms : int
        Occupied positions in the conventional cell.
    ordered : bool
        Whether each position holds one element and is always occupied.
    """

    structure_id: str
    name: str
    citation: str
    spacegroup: int
    cell: tuple[float, ...]
    operators: tuple[str, ...]
    elements: tuple[str, ...]
    positions: tuple[tuple[float, float, float], ...]
    occupancies: tuple[float, ...]
    formula: str
    prototype: str
    n_atoms: int
    ordered: bool


def clean(entry: Entry, families: Collection[str]) -> Structure | Excluded:
    """Return the structure of an entry in the standard setting, if it can be trusted.

    Parameters
    ----------
    entry : Entry
    families : collection of str
        Crystal families to keep.

    Returns
    -------
    Structure or Excluded
    """
    try:
        return _clean(entry, families)
    except Exclusion as exclusion:
        return Excluded(entry.structure_id, *exclusion.args)


def _clean(entry: Entry, families: Collection[str]) -> Structure:
    cell, lattice = _checked_cell(entry)
    kinds, sites = _sites(entry)
    if len(sites) * len(entry.operators) > MOST_ATOMS * 192:
        raise Exclusion(TOO_LARGE, f"{len(sites)} sites")
    filled = fill_cell(cell, entry.operators, sites, _amounts(kinds))
    kinds, filled = _merged(kinds, filled)
    occupancy = _amounts(kinds)
    if len(filled.positions) > MOST_ATOMS:
        raise Exclusion(TOO_LARGE, f"{len(filled.positions)} atoms")
    _check_distances(filled, lattice, occupancy)

    number_of_kind = {kind: number for number, kind in enumerate(dict.fromkeys(kinds), start=1)}
    types = [number_of_kind[kinds[site]] for site in filled.site]
    dataset = _symmetry(lattice, filled.positions, types)
    if dataset is None:
        raise Exclusion(DISAGREEMENT, "spglib finds no group")
    if entry.spacegroup not in (None, dataset.number):
        raise Exclusion(DISAGREEMENT, f"label {entry.spacegroup}, spglib {dataset.number}")
    if entry.spacegroup is None and len(entry.operators) == 1:
        _check_decided(dataset.number, _symmetry(lattice, filled.positions, types, LOOSE_SYMPREC))
    if len(entry.operators) == 1:
        dataset = _finer(dataset, lattice, filled.positions, types)
    if family_of(dataset.number) not in families:
        raise Exclusion(OTHER_FAMILY, family_of(dataset.number))
    return _standardised(entry, dataset, tuple(number_of_kind))


def _check_decided(number: int, loose: spglib.SpglibDataset | None) -> None:
    """Raise where neither a label nor operators confirm a group that hangs on the tolerance."""
    other = "none" if loose is None else loose.number
    if other != number:
        raise Exclusion(
            UNDECIDED, f"{number} within {SYMPREC}, {other} within {LOOSE_SYMPREC} angstrom"
        )


def _finer(
    dataset: spglib.SpglibDataset,
    lattice: NDArray[np.float64],
    positions: NDArray[np.float64],
    types: Sequence[int],
) -> spglib.SpglibDataset:
    """Return what the smallest tolerance says that still finds the group.

    Without operators, spglib knows the origin of the standard setting to its tolerance alone, and
    puts an atom that is less than that off a mirror onto it.
    """
    for symprec in _FINER_SYMPRECS:
        found = _symmetry(lattice, positions, types, symprec)
        if found is None or found.number != dataset.number:
            continue
        # A group may be isomorphic to its subgroup of a multiple cell.
        if found.mapping_to_primitive.max() == dataset.mapping_to_primitive.max():
            return found
    return dataset


def _checked_cell(entry: Entry) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the cell and its vectors."""
    cell = np.array(entry.cell, dtype=np.float64)
    if cell.shape != (6,) or not np.isfinite(cell).all() or not np.all(cell > 0):
        raise Exclusion(UNREADABLE, "cell")
    try:
        volume = gemmi.UnitCell(*cell).volume
    except RuntimeError:  # an angle too close to 0 or 180 degrees
        volume = 0.0
    if not volume > 1.0:  # angles that no cell can have give NaN or zero
        raise Exclusion(UNREADABLE, "cell without volume")
    if volume > LARGEST_VOLUME:
        raise Exclusion(TOO_LARGE, f"{volume:.0f} cubic angstrom")
    lattice = lattice_vectors(cell)
    if cell[:3].min() < SHORTEST_DISTANCE:
        raise Exclusion(OVERLAPPING, f"edge of {cell[:3].min():.2f} angstrom")
    metric = lattice @ lattice.T
    rotations, _ = operators_of(tuple(entry.operators))
    change = rotations.transpose(0, 2, 1) @ metric @ rotations - metric
    # Relative to the edges that each element belongs to, so that a long one hides nothing.
    if np.any(np.abs(change) > _SAME_METRIC * np.outer(cell[:3], cell[:3])):
        raise Exclusion(WRONG_CELL)
    return cell, lattice


def _sites(
    entry: Entry,
) -> tuple[list[tuple[tuple[str, float], ...]], NDArray[np.float64]]:
    """Return what each position holds (elements and occupancies), and the positions."""
    positions = np.array(entry.positions, dtype=np.float64).reshape(-1, 3)
    occupancies = np.array(entry.occupancies, dtype=np.float64)
    if not len(positions) or not np.isfinite(positions).all():
        raise Exclusion(NO_COORDINATES)
    if len(positions) > MOST_ATOMS:
        raise Exclusion(TOO_LARGE, f"{len(positions)} sites")
    if not len(entry.elements) == len(occupancies) == len(positions):
        raise Exclusion(UNREADABLE, "lists of atoms of unequal length")
    if not np.all((occupancies >= 0) & (occupancies <= 1 + OCCUPANCY_TOLERANCE)):
        raise Exclusion(OVERFULL)
    occupied = np.flatnonzero(occupancies > 0)
    contents: list[dict[str, float]] = []
    sites: list[NDArray[np.float64]] = []
    for i in occupied:
        shift = np.array(sites).reshape(-1, 3) - positions[i]
        same = np.flatnonzero((np.abs(shift - np.rint(shift)) < _SAME_POSITION).all(axis=1))
        if len(same):
            contents[same[0]][entry.elements[i]] += occupancies[i]
        else:
            contents.append(defaultdict(float, {entry.elements[i]: occupancies[i]}))
            sites.append(positions[i])
    if not len(occupied):
        raise Exclusion(NO_COORDINATES, "of occupied sites")
    if any(sum(content.values()) > 1 + OCCUPANCY_TOLERANCE for content in contents):
        raise Exclusion(OVERFULL)
    return [_kind(content) for content in contents], np.array(sites)


def _amounts(kinds: Sequence[tuple[tuple[str, float], ...]]) -> NDArray[np.float64]:
    return np.array([sum(amount for _, amount in kind) for kind in kinds])


def _merged(
    kinds: Sequence[tuple[tuple[str, float], ...]], filled: FilledCell
) -> tuple[list[tuple[tuple[str, float], ...]], FilledCell]:
    """Make one site of sites that were put onto the same special position.

    They are parts of a mixed site whose coordinates differ by rounding.
    """
    contents = [Counter(dict(kind)) for kind in kinds]
    left: list[int] = []
    for number, position in enumerate(filled.site_positions):
        for host in left:
            both = contents[host] + contents[number]
            shift = wrapped(filled.site_positions[host] - position)
            if both.total() <= 1 + OCCUPANCY_TOLERANCE and np.abs(shift).max() < _SAME_POSITION:
                contents[host] = both
                break
        else:
            left.append(number)
    if len(left) == len(kinds):
        return list(kinds), filled
    of_left = np.isin(filled.site, left)
    return (
        [_kind(contents[number]) for number in left],
        FilledCell(
            filled.positions[of_left],
            np.searchsorted(left, filled.site[of_left]),
            filled.site_positions[left],
        ),
    )


def _kind(content: Mapping[str, float]) -> tuple[tuple[str, float], ...]:
    """Return what a site holds, in one notation."""
    return tuple(sorted((e, round(float(x), 4)) for e, x in content.items()))


def _check_distances(
    filled: FilledCell, lattice: NDArray[np.float64], occupancy: NDArray[np.float64]
) -> None:
    """Raise where positions that can be occupied at once are too close."""
    own = occupancy[filled.site]
    for site, position in enumerate(filled.site_positions):
        # Symmetry makes every pair equivalent to one with an atom of the asymmetric unit.
        distance = length(wrapped(filled.positions - position), lattice)
        distance[np.argmin(np.where(filled.site == site, distance, np.inf))] = np.inf
        together = own + occupancy[site] > 1 + OCCUPANCY_TOLERANCE
        if np.any(together & (distance < SHORTEST_DISTANCE)):
            raise Exclusion(OVERLAPPING, f"{distance[together].min():.2f} angstrom")


def _standardised(
    entry: Entry,
    dataset: spglib.SpglibDataset,
    kinds: tuple[tuple[tuple[str, float], ...], ...],
) -> Structure:
    # Atoms of the given and of the standard cell that map to one atom of the primitive cell are the
    # same, which takes an orbit and its Wyckoff letter from the one to the other.
    standard = {p: i for i, p in reversed(list(enumerate(dataset.std_mapping_to_primitive)))}
    _, representatives = np.unique(dataset.crystallographic_orbits, return_index=True)
    orbits = [
        (standard[dataset.mapping_to_primitive[i]], dataset.wyckoffs[i]) for i in representatives
    ]
    scatterers = [
        (element, tuple(dataset.std_positions[atom].tolist()), occupancy)
        for atom, _ in orbits
        for element, occupancy in kinds[dataset.std_types[atom] - 1]
    ]
    elements, positions, occupancies = zip(*scatterers, strict=True)
    amounts: dict[str, float] = defaultdict(float)
    for kind in dataset.std_types:
        for element, occupancy in kinds[kind - 1]:
            amounts[element] += occupancy
    letters = Counter(letter for _, letter in orbits)
    occupied = "".join(f"{x}{n if n > 1 else ''}" for x, n in sorted(letters.items()))
    formula = hill_formula(amounts)
    return Structure(
        structure_id=entry.structure_id,
        name=entry.name or formula,
        citation=entry.citation,
        spacegroup=int(dataset.number),
        cell=tuple(cell_parameters(np.asarray(dataset.std_lattice)).tolist()),
        operators=_standard_operators(int(dataset.hall_number)),
        elements=elements,
        positions=positions,
        occupancies=occupancies,
        formula=formula,
        prototype=f"{_anonymous(dataset.std_types)}_{dataset.number}_{occupied}",
        n_atoms=len(dataset.std_types),
        ordered=all(len(kind) == 1 and kind[0][1] > 1 - OCCUPANCY_TOLERANCE for kind in kinds),
    )


@cache
def _standard_operators(hall_number: int) -> tuple[str, ...]:
    symmetry = spglib.get_symmetry_from_database(hall_number)
    assert symmetry is not None
    operators = []
    for rotation, shift in zip(symmetry["rotations"], symmetry["translations"], strict=True):
        operator = gemmi.Op("x,y,z")
        operator.rot = (rotation * gemmi.Op.DEN).tolist()
        operator.tran = np.rint(shift * gemmi.Op.DEN).astype(int).tolist()
        operators.append(operator.triplet())
    return tuple(operators)


def hill_formula(amounts: Mapping[str, float]) -> str:
    """Return the reduced formula of amounts a cell in Hill order, e.g. ``CCaO3``.

    Whole amounts are divided by what they have in common; others (of disordered structures) by
    the largest, to three decimals.
    """
    values = np.array(list(amounts.values()))
    whole = np.rint(values).astype(int)
    divisor = float(np.gcd.reduce(whole)) if np.allclose(values, whole) else values.max()
    first = ("C", "H") if "C" in amounts else ()
    order = sorted(amounts, key=lambda e: (first.index(e) if e in first else len(first), e))
    reduced = {element: round(float(amounts[element] / divisor), 3) for element in order}
    return "".join(f"{e}{'' if n == 1 else f'{n:g}'}" for e, n in reduced.items())


def _anonymous(types: ArrayLike) -> str:
    """Return e.g. ``AB2`` for atoms of two kinds, the rarer first."""
    counts = np.sort(np.unique(types, return_counts=True)[1])
    letters = [chr(ord("A") + i) if i < 26 else f"A{i}" for i in range(len(counts))]
    reduced = counts // np.gcd.reduce(counts)
    return "".join(f"{x}{n if n > 1 else ''}" for x, n in zip(letters, reduced, strict=True))


def _symmetry(
    lattice: NDArray[np.float64],
    positions: NDArray[np.float64],
    types: Sequence[int],
    symprec: float = SYMPREC,
) -> spglib.SpglibDataset | None:
    cell = (lattice.tolist(), positions.tolist(), list(types))
    # spglib is changing from returning None to raising; until then it warns of it at every call.
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Set OLD_ERROR_HANDLING", DeprecationWarning)
        try:
            return spglib.get_symmetry_dataset(cell, symprec=symprec)
        except spglib.SpglibError:
            return None
