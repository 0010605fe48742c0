"""Random crystals by PyXtal: one draw a request, as a function of seed, space group and number.

Run as ``python -m sgbench.structures.pyxtal_worker`` by `sgbench.workers`; no other module imports
PyXtal, whose import takes over a second. A request is ``{"seed": 0, "spacegroup": 225, "draw":
17}``. The answer is ``{"composition": "Ca4O24", "cell": [a, b, c, alpha, beta, gamma], "sites":
[["Ca", [x, y, z]], …]}`` in ångström, degrees and fractions, sites being one atom of each orbit in
the setting of `gemmi.get_spacegroup_reference_setting`; or ``{"reason": "why there is no
structure"}``.

Lengths, angles and free coordinates are rounded to six decimals before anything is checked, so that
processors and libraries that differ in the last bits of a sine give the same bytes.
"""

import hashlib
import warnings
from collections.abc import Iterator, Sequence
from fractions import Fraction
from functools import cache, cached_property
from typing import Any, NamedTuple

import gemmi
import numpy as np
import spglib
from numpy.random import Generator
from numpy.typing import NDArray
from pyxtal.crystal import random_crystal
from pyxtal.symmetry import Group, Wyckoff_position, choose_wyckoff
from pyxtal.tolerance import Tol_matrix

from sgbench.structures._cleaning import SYMPREC
from sgbench.structures._filled_cell import lattice_vectors
from sgbench.workers import serve

#: What crystals are made of: lithium to bismuth, thorium and uranium, without noble gases,
#: technetium and promethium. Not hydrogen, whose atoms PyXtal would put 0.31 ångström apart.
ELEMENTS = tuple(
    gemmi.Element(z).name for z in (*range(3, 84), 90, 92) if z not in (10, 18, 36, 43, 54, 61)
)
MOST_ELEMENTS = 5

#: Atoms of one element in the conventional cell, at most.
MOST_ATOMS = 30
#: Groups that no crystal within that shows: all their positions with fewer atoms also belong to a
#: group of higher symmetry. Given is the number of atoms of the first position that does not.
MOST_ATOMS_OF = {196: 48, 202: 48, 203: 96, 209: 96, 210: 48, 219: 96, 222: 48, 226: 96, 228: 96}

NO_COMPOSITION = "no composition fits the Wyckoff positions"
NO_STRUCTURE = "PyXtal found no structure"
OTHER_GROUP = "spglib finds another group"

_DECIMALS = 6
# Numbers of elements tried in one draw, and compositions looked at for each, in blocks; 230 are
# expected to be needed where all of them fit the positions.
_TRIES = 10
_BLOCKS, _BLOCK = 6, 250
# Distances this close (ångström) are a tie, which rounding errors must not decide.
_TIE = 1e-7

_IMAGES = np.array([(i, j, k) for i in (-1, 0, 1) for j in (-1, 0, 1) for k in (-1, 0, 1)], float)


class _Operators(NamedTuple):
    """Operators on fractional coordinates: rotations (…, 3, 3) and translations (…, 3)."""

    rotation: NDArray[np.float64]
    translation: NDArray[np.float64]

    def __call__(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        return _times(self.rotation, points) + self.translation


class _Site(NamedTuple):
    """An orbit of atoms: element, number of its Wyckoff position, and all atoms' coordinates."""

    element: str
    wyckoff: int
    coords: NDArray[np.float64]


def answer(request: dict[str, Any]) -> dict[str, Any]:
    """Return the crystal of one draw, or why there is none.

    Parameters
    ----------
    request : dict
        As in the module's description.

    Returns
    -------
    dict
        As in the module's description.
    """
    group = _group(request["spacegroup"])
    rng = np.random.default_rng([request["seed"], request["spacegroup"], request["draw"]])
    composition = draw_composition(group, rng)
    if composition is None:
        return {"reason": NO_COMPOSITION}
    crystal = search(group, composition, rng)
    if crystal is None:
        return {"reason": NO_STRUCTURE}
    cell, sites = crystal
    if _spglib_number(group, cell, sites) != group.number:
        return {"reason": OTHER_GROUP}
    return {
        "composition": formula(composition),
        "cell": cell,
        "sites": [(element, position) for element, _, position in sites],
    }


def formula(composition: dict[str, int]) -> str:
    """Return the atoms of the conventional cell in alphabetical order, e.g. ``Ca4O24``."""
    return "".join(f"{e}{n if n > 1 else ''}" for e, n in sorted(composition.items()))


def owner(composition: str) -> int:
    """Return the one space group that may use a composition, so that no two groups share any."""
    return int.from_bytes(hashlib.sha256(composition.encode()).digest()) % 230 + 1


def draw_composition(group: "_Group", rng: Generator) -> dict[str, int] | None:
    """Draw elements and their numbers of atoms in the conventional cell.

    The number of elements is uniform over those that the group has room for; elements are uniform;
    and numbers of atoms are uniform over all that the Wyckoff positions can hold together. What
    belongs to another group is drawn again, with another number of elements after many vain tries
    (a group may own no composition of one element).

    Returns
    -------
    dict of str to int, or None
        In the order in which atoms are to be placed; None if nothing was found.
    """
    for _ in range(_TRIES):
        n = int(rng.choice(group.numbers_of_elements))
        for _ in range(_BLOCKS):
            elements = rng.choice(ELEMENTS, (_BLOCK, n)).tolist()
            counts = rng.choice(group.counts, (_BLOCK, n)).tolist()
            for candidate in zip(elements, counts, strict=True):
                composition = dict(zip(*candidate, strict=True))
                if (
                    len(composition) == n  # no element twice
                    and owner(formula(composition)) == group.number
                    and group.holds(tuple(composition.values()))
                ):
                    return composition
    return None


def search(
    group: "_Group", composition: dict[str, int], rng: Generator
) -> tuple[list[float], list[tuple[str, int, list[float]]]] | None:
    """Let PyXtal look for a crystal: one round, that is up to 40 cells and 10 fillings of each.

    Returns
    -------
    tuple or None
        Cell (ångström and degrees), and element, number of the Wyckoff position and coordinates of
        one atom of each orbit; all rounded.
    """
    elements, counts = list(composition), list(composition.values())
    try:
        crystal = _Search(
            group=group, species=elements, numIons=counts, tm=_tolerances(), random_state=rng
        )
    except (RuntimeError, ValueError):  # no cell of that volume
        return None
    if not crystal.valid:
        return None
    cell = [round(float(value), _DECIMALS) for value in crystal.lattice.get_para(degree=True)]
    if group.number >= 75:  # a, and b where it equals a, are rounded from different last bits
        cell[1] = cell[0]
    if group.number >= 195:
        cell[2] = cell[0]
    return cell, [
        (site.element, site.wyckoff, _rounded(group.operators[site.wyckoff], site.coords[0]))
        for site in crystal.atom_sites
    ]


class _Group(Group):  # type: ignore[misc]  # PyXtal has no types
    """A space group with what PyXtal works out again and again for each structure."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        base, bounds = self._get_base_and_upper_bounds()
        self._base = tuple(base)
        self._most_atoms = MOST_ATOMS_OF.get(number, MOST_ATOMS)
        self._bounds = tuple(self._most_atoms if bound is None else bound for bound in bounds)
        self._fixed = tuple(i for i, bound in enumerate(bounds) if bound is not None)
        self._capacity = tuple(bounds[i] for i in self._fixed)
        self._holds = cache(self._has_room)
        self._ways_of = cache(self._ways)
        #: Of each Wyckoff position, the general one first.
        self.operators = [_operators(wyckoff) for wyckoff in self]
        self.multiplicities = np.array([wyckoff.multiplicity for wyckoff in self])
        #: PyXtal starts on a position by projecting onto it, but not on hexagonal axes.
        self.projections = [None if w.euclidean else _projection(w) for w in self]

    @cached_property
    def counts(self) -> tuple[int, ...]:
        """Numbers of atoms of one element that the Wyckoff positions can hold."""
        return tuple(n for n in range(1, self._most_atoms + 1) if self.holds((n,)))

    @cached_property
    def numbers_of_elements(self) -> tuple[int, ...]:
        """Numbers of elements that the Wyckoff positions have room for."""
        sizes = []
        rooms = {self._capacity}
        for size in range(1, MOST_ELEMENTS + 1):
            rooms = {
                left for room in rooms for n in self.counts for left, _ in self._ways_of(n, room)
            }
            if rooms:
                sizes.append(size)
        return tuple(sizes)

    def holds(self, counts: tuple[int, ...]) -> bool:
        """Tell whether the Wyckoff positions can hold these numbers of atoms at once."""
        return bool(self._holds(tuple(sorted(counts)), self._capacity))

    def check_compatible(self, counts: Sequence[int], verbose: bool = False) -> tuple[bool, bool]:
        """Say the same as PyXtal's method of this name, which tries all combinations in turn.

        Returns
        -------
        tuple of bool
            Whether the positions can hold the atoms; whether the first way to do so, in PyXtal's
            order, uses a position with free coordinates, on which the length of its search depends.
        """
        todo, room, freedom = tuple(map(int, counts)), self._capacity, False
        while todo:
            for left, free in self._ways_of(todo[0], room):
                if self._holds(tuple(sorted(todo[1:])), left):
                    todo, room, freedom = todo[1:], left, freedom or free
                    break
            else:
                return False, False
        return True, freedom

    def _has_room(self, counts: tuple[int, ...], room: tuple[int, ...]) -> bool:
        if not counts:
            return True
        return any(self._holds(counts[1:], left) for left, _ in self._ways_of(counts[0], room))

    def _ways(self, count: int, room: tuple[int, ...]) -> dict[tuple[tuple[int, ...], bool], None]:
        """Return the fixed positions that each way to place `count` atoms leaves, in order.

        With it comes whether the way uses positions with free coordinates.
        """
        bounds = list(self._bounds)
        for i, left in zip(self._fixed, room, strict=True):
            bounds[i] = left
        ways: dict[tuple[tuple[int, ...], bool], None] = {}
        for way in _sums(count, self._base, tuple(bounds)):
            used = [way[i] for i in self._fixed]
            left_over = tuple(a - b for a, b in zip(room, used, strict=True))
            ways[left_over, sum(way) > sum(used)] = None
        return ways  # a dict, since it keeps the order


class _Search(random_crystal):  # type: ignore[misc]  # PyXtal has no types
    """PyXtal's search, with its innermost part, where all the time goes, on whole arrays.

    The crystals are those of `pyxtal.from_random` with the same generator. Only where a point is
    equally near to two images of a special position PyXtal leaves the choice to rounding errors,
    which differ between processors; here the first is taken.
    """

    def _set_ion_wyckoffs(
        self, numIon: int, specie: str, cell: NDArray[np.float64], wyks: list[_Site]
    ) -> list[_Site] | None:
        geometry = _Geometry(cell)
        tolerance = _tolerance(specie, specie)
        others = np.concatenate([np.empty((0, 3)), *(site.coords for site in wyks)])
        apart = np.repeat(
            [_tolerance(specie, site.element) for site in wyks], [len(site.coords) for site in wyks]
        )
        sites: list[_Site] = []
        missing = int(numIon)
        for _ in range(max(2 * (missing // len(self.group.operators[0].rotation)), 10)):
            wyckoff = choose_wyckoff(self.group, missing, None, self.dim, self.rng)
            if wyckoff is False:
                continue
            point = self.lattice.generate_point()
            merged = self._merged(wyckoff.index, point, geometry, tolerance)
            if merged is None or (geometry.lengths(others - merged[1][0]) < apart).any():
                continue
            index, coords = merged
            sites.append(_Site(specie, index, coords))
            others = np.concatenate([others, coords])
            apart = np.concatenate([apart, np.full(len(coords), tolerance)])
            missing -= len(coords)
            if not missing:
                return sites
        return None

    def _merged(
        self, index: int, point: NDArray[np.float64], geometry: "_Geometry", tolerance: float
    ) -> tuple[int, NDArray[np.float64]] | None:
        """Return the orbit of a point, moved to ever more special positions while it is crowded."""
        if geometry.shortest < tolerance:  # the atoms of neighbouring cells are too close
            return None
        group = self.group
        if projection := group.projections[index]:
            point = _projected(point, projection, geometry)
        while True:
            coords = group.operators[index](point)
            if not (geometry.lengths(coords[1:] - coords[0]) < tolerance).any():
                return index, coords
            fewer = group.multiplicities < len(coords)
            special = np.flatnonzero(fewer & (len(coords) % group.multiplicities == 0))
            if not len(special):
                return None
            images = group.operators[0](point)
            moves = np.stack([_first(group.operators[i])(images) - images for i in special])
            lengths = geometry.lengths(moves)
            nearest = np.argmax(_least(lengths), axis=1)
            chosen = np.argmax(_least(lengths.min(axis=1)))
            index, point = int(special[chosen]), images[nearest[chosen]]


class _Geometry:
    """Distances in a lattice whose vectors are the rows of a matrix, ångström."""

    def __init__(self, cell: NDArray[np.float64]) -> None:
        self._vectors, self._edges = cell.T, np.diag(cell)
        self._skewed = np.abs(cell - np.diag(self._edges)).max() > 1e-6
        self.shortest = self.norms(_IMAGES[_IMAGES.any(axis=1)]).min()

    def lengths(self, offsets: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the length of the shortest equivalent of each offset; (…, 3) to (…)."""
        wrapped = offsets - np.rint(offsets)
        if not self._skewed:
            return self.norms(wrapped)
        return np.asarray(self.norms(wrapped[..., None, :] + _IMAGES).min(axis=-1))

    def norms(self, offsets: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the lengths of offsets as they are; (…, 3) to (…)."""
        vectors = _times(self._vectors, offsets) if self._skewed else offsets * self._edges
        x, y, z = vectors[..., 0], vectors[..., 1], vectors[..., 2]
        return np.asarray(np.sqrt(x * x + y * y + z * z))


def _times(matrix: NDArray[np.float64], vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Multiply matrices (…, 3, 3) with vectors (…, 3).

    Not by `@`: what that calls differs between processors, in the last bits of its results.
    """
    x, y, z = vectors[..., 0, None], vectors[..., 1, None], vectors[..., 2, None]
    return np.asarray(x * matrix[..., 0] + y * matrix[..., 1] + z * matrix[..., 2])


def _least(values: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Mark the least values along the last axis, ties included."""
    return np.asarray(values <= values.min(axis=-1, keepdims=True) + _TIE)


def _operators(wyckoff: Wyckoff_position) -> _Operators:
    matrices = np.array([op.affine_matrix for op in wyckoff.ops])
    # The tables give 1/3 to a few digits only.
    return _Operators(np.rint(matrices[:, :3, :3]), np.rint(matrices[:, :3, 3] * 24) / 24)


def _first(operators: _Operators) -> _Operators:
    return _Operators(operators.rotation[0], operators.translation[0])


def _projection(wyckoff: Wyckoff_position) -> _Operators:
    """Return what takes a point to the line or plane of a position, and where that passes."""
    first = _first(_operators(wyckoff))
    columns = [column for column in first.rotation.T if column.any()]
    matrix = sum((np.outer(c, c) / (c @ c) for c in columns), np.zeros((3, 3)))
    return _Operators(matrix, first.translation)


def _projected(
    point: NDArray[np.float64], projection: _Operators, geometry: _Geometry
) -> NDArray[np.float64]:
    """Project a point onto the nearest of a position's images in the neighbouring cells.

    While it looks for that, PyXtal displaces the point by each image in turn, so that on diagonals
    the point ends a half or a third of a cell away from where it was; this does the same.
    """
    passes = projection.translation + _IMAGES
    starts = point - np.cumsum(passes, axis=0)
    ends = _times(projection.rotation, starts) + passes
    nearest = np.argmax(_least(geometry.norms(ends - starts)))
    return np.asarray(ends[nearest] % 1.0)


def _rounded(operators: _Operators, point: NDArray[np.float64]) -> list[float]:
    """Round a point within the Wyckoff position that it is on: 1/3 and x, 2x stay exact."""
    scale = 10**_DECIMALS
    free = [Fraction(round(float(x) * scale), scale) for x in point]
    position = []
    for row, shift in zip(operators.rotation[0], operators.translation[0], strict=True):
        value = Fraction(round(shift * 24), 24)
        value += sum(int(a) * x for a, x in zip(row, free, strict=True))
        position.append(float(value % 1))
    return position


def _spglib_number(
    group: _Group, cell: list[float], sites: list[tuple[str, int, list[float]]]
) -> int | None:
    coords = [group.operators[i](np.array(position)) for _, i, position in sites]
    numbers = [ELEMENTS.index(element) for element, _, _ in sites]
    kinds = np.repeat(numbers, [len(orbit) for orbit in coords]).tolist()
    atoms = (lattice_vectors(np.array(cell)).tolist(), np.concatenate(coords).tolist(), kinds)
    try:
        found = spglib.get_symmetry_dataset(atoms, SYMPREC)
    except spglib.SpglibError:
        return None
    return None if found is None else int(found.number)


def _sums(total: int, base: tuple[int, ...], bounds: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    """Yield how often to take each number of the base for their total, few of the first ones first.

    Numbers are taken at most as often as the bounds say.
    """
    if not base:
        if total == 0:
            yield ()
        return
    for often in range(min(total // base[0], bounds[0]) + 1):
        for rest in _sums(total - often * base[0], base[1:], bounds[1:]):
            yield (often, *rest)


@cache
def _group(number: int) -> _Group:
    return _Group(number)


@cache
def _tolerances() -> Tol_matrix:
    return Tol_matrix(prototype="atomic")


@cache
def _tolerance(element: str, other: str) -> float:
    """Return how close PyXtal lets two atoms be: half the sum of their covalent radii."""
    return float(_tolerances().get_tol(element, other))


if __name__ == "__main__":
    warnings.simplefilter("ignore")  # PyXtal's, on each cell that it widens
    serve(answer)
