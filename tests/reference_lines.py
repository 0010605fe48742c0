"""Lines by brute force, and a sample of real structures to hold against them.

The reference knows nothing of what is tested: it takes cell, operators and coordinates as the
source states them, applies every operator to every atom and sums over the whole sphere of
reflections.
"""

import atexit
import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from functools import cache
from itertools import product, zip_longest

import gemmi
import numpy as np
from numpy.typing import ArrayLike, NDArray

from sgbench.diffraction import CANONICAL, PROTOCOLS, PatternProtocol
from sgbench.structures._cleaning import Structure
from sgbench.structures.sources import Entry
from sgbench.structures.sources.amcsd import amcsd
from sgbench.symmetry import FAMILIES, crystal_system
from sgbench.workers import _Worker

SYSTEMS = (
    "triclinic", "monoclinic", "orthorhombic", "tetragonal", "trigonal", "hexagonal", "cubic",
)  # fmt: skip
PER_SYSTEM = 30

#: Images of a site this close (ångström) are one atom.
ONE_ATOM = 0.03

# Atoms times reflections of the brute force that a structure may cost.
_MOST_WORK = 3e6

FormFactor = Callable[[str, NDArray[np.float64]], NDArray[np.float64]]


@dataclass(frozen=True)
class Lines:
    """Positions in degrees, ascending, and intensities."""

    two_theta: NDArray[np.float64]
    intensity: NDArray[np.float64]


@dataclass(frozen=True)
class Case:
    """An entry with what sgbench makes of it, by the name of the protocol."""

    entry: Entry
    structure: Structure
    lines: dict[str, Lines]


def is_disordered(entry: Entry) -> bool:
    return min(entry.occupancies) < 0.98 or len(set(entry.positions)) < len(entry.positions)


@cache
def _worker() -> _Worker:
    """One process for all tests: to start one takes longer than most of what is asked."""
    worker = _Worker("sgbench.structures.cctbx_worker")
    atexit.register(worker.close)
    atexit.register(worker.stop)  # the other way round
    return worker


def ask(entries: Iterable[Entry], protocol: PatternProtocol = CANONICAL) -> Iterator[dict]:
    """Answers of the worker, in order."""
    families = sorted(set(FAMILIES) - {"all"})
    for entry in entries:
        request = {"entry": asdict(entry), "families": families, "protocol": asdict(protocol)}
        yield _worker().ask(request, None)


@cache
def sample() -> tuple[Case, ...]:
    """Return structures of the AMCSD, as many of each crystal system, over many space groups."""
    candidates = _candidates()
    answers = {name: ask(candidates, protocol) for name, protocol in PROTOCOLS.items()}
    cases: list[Case] = []
    room = dict.fromkeys(SYSTEMS, PER_SYSTEM)
    for entry, *each in zip(candidates, *answers.values(), strict=True):
        system = crystal_system(entry.spacegroup)
        if room[system] and all("structure" in answer for answer in each):
            room[system] -= 1
            cases.append(
                Case(
                    entry,
                    structure_of(each[0]),
                    dict(zip(answers, map(lines_of, each), strict=True)),
                )
            )
    assert not any(room.values()), room
    return tuple(cases)


def structure_of(answer: dict) -> Structure:
    plain = answer["structure"]
    tuples = {key: tuple(value) for key, value in plain.items() if isinstance(value, list)}
    tuples["positions"] = tuple(map(tuple, plain["positions"]))
    return Structure(**plain | tuples)


def lines_of(answer: dict) -> Lines:
    return Lines(np.array(answer["two_theta"]), np.array(answer["intensity"]))


def _candidates() -> tuple[Entry, ...]:
    """Some more than are needed; a space group comes again when all others had their turn."""
    turn: dict[str, dict[tuple[int, bool], list[Entry]]] = defaultdict(lambda: defaultdict(list))
    for entry in amcsd().read():
        if isinstance(entry, Entry):
            n_atoms = len(entry.operators) * len(entry.elements)
            # A cell of 1 ångström^3 has 3.7 reflections in the window.
            if 3.7 * gemmi.UnitCell(*entry.cell).volume * n_atoms < _MOST_WORK:
                kind = entry.spacegroup, is_disordered(entry)
                turn[crystal_system(entry.spacegroup)][kind].append(entry)
    chosen = []
    for system in SYSTEMS:
        for members in turn[system].values():
            members.sort(key=lambda e: hashlib.sha256(e.structure_id.encode()).digest())
        kinds = sorted(turn[system], key=lambda k: hashlib.sha256(str(k).encode()).digest())
        rounds = zip_longest(*(turn[system][kind] for kind in kinds))
        chosen += [e for each in rounds for e in each if e is not None][: PER_SYSTEM * 5 // 4]
    return tuple(chosen)


def filled(
    operators: Iterable[str], cell: ArrayLike, positions: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    """Return the image of each atom under each operator: positions, weights and the atom's number.

    Images of an atom on a special position, which coincide or nearly do, share its weight of one.
    """
    ops = [gemmi.Op(operator) for operator in operators]
    orth = np.array(gemmi.UnitCell(*np.asarray(cell)).orth.mat)
    near = np.array(list(product((-1, 0, 1), repeat=3)))
    atoms, weights, number = [], [], []
    for i, position in enumerate(np.asarray(positions, dtype=float).tolist()):
        images = np.array([op.apply_to_xyz(position) for op in ops])
        apart = (images[:, None] - images) % 1.0
        distance = np.linalg.norm((apart[:, :, None] - near) @ orth.T, axis=-1).min(axis=-1)
        atoms.append(images)
        weights.append(1 / (distance < ONE_ATOM).sum(axis=1))
        number.append(np.full(len(ops), i))
    return np.concatenate(atoms), np.concatenate(weights), np.concatenate(number)


def reflections(
    cell: ArrayLike, protocol: PatternProtocol
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """All reflections (equivalents and absences too) that touch the window, and their 1/d^2.

    They ascend by h, then k, then l. With an index limit they are those of its box.
    """
    unit_cell = gemmi.UnitCell(*np.asarray(cell))
    low, high = (
        (2 * np.sin(np.radians(angle / 2)) / protocol.wavelength) ** 2
        for angle in protocol.line_range
    )
    limits = [int(edge * np.sqrt(high)) + 1 for edge in (unit_cell.a, unit_cell.b, unit_cell.c)]
    if protocol.hkl_limit is not None:
        limits = [protocol.hkl_limit] * 3
    axes = [np.arange(-limit, limit + 1) for limit in limits]
    hkl = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
    q = unit_cell.calculate_1_d2_array(hkl)
    inside = (q > low) & (q < high)
    return hkl[inside], q[inside]


def it1992(element: str, stol2: NDArray[np.float64]) -> NDArray[np.float64]:
    """Form factor of a neutral atom by gemmi's table, for (sin theta / wavelength)^2."""
    form = gemmi.Element(element).it92
    return np.exp(-np.outer(stol2, form.b)) @ np.array(form.a) + form.c


def squared_structure_factors(
    hkl: NDArray[np.int64],
    q: NDArray[np.float64],
    elements: Iterable[str],
    atoms: NDArray[np.float64],
    weights: NDArray[np.float64],
    form_factor: FormFactor = it1992,
) -> NDArray[np.float64]:
    """Return |F|^2 by the definition, an exponential for each reflection and atom."""
    names = np.array(list(elements))
    total = np.zeros(len(hkl), dtype=complex)
    for element in np.unique(names):
        own = names == element
        phase = np.exp(2j * np.pi * (hkl @ atoms[own].T))
        total += form_factor(element, q / 4) * (phase @ weights[own])
    return np.abs(total) ** 2


def two_theta_of(q: ArrayLike, protocol: PatternProtocol = CANONICAL) -> NDArray[np.float64]:
    return np.degrees(2 * np.arcsin(protocol.wavelength / 2 * np.sqrt(q)))


def lorentz(two_theta: NDArray[np.float64]) -> NDArray[np.float64]:
    return 1 / (np.sin(np.radians(two_theta)) * np.sin(np.radians(two_theta / 2)))


def powers(
    crystal: Entry | Structure, protocol: PatternProtocol, form_factor: FormFactor = it1992
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """1/d^2 and |F|^2 of every reflection, in the setting of the crystal."""
    hkl, q = reflections(crystal.cell, protocol)
    atoms, weights, number = filled(crystal.operators, crystal.cell, crystal.positions)
    power = squared_structure_factors(
        hkl,
        q,
        np.array(crystal.elements)[number],
        atoms,
        weights * np.array(crystal.occupancies)[number],
        form_factor,
    )
    return q, power


def brute_force(crystal: Entry | Structure, form_factor: FormFactor = it1992) -> Lines:
    """Every reflection of the sphere as a line of its own."""
    q, power = powers(crystal, CANONICAL, form_factor)
    two_theta = two_theta_of(q)
    return Lines(two_theta, power * lorentz(two_theta))


@dataclass(frozen=True)
class Comparison:
    """Largest differences of two lists of lines, each scaled to a strongest line of 1.

    Lines of either list that lie closer than 2e-4 degrees are taken together.

    Attributes
    ----------
    shift : float
        In position (degrees), of lines above a thousandth of the strongest.
    of_strongest : float
        In intensity, as a share of the strongest line.
    of_line : float
        In intensity, as a share of the line itself, above a thousandth of the strongest.
    """

    shift: float
    of_strongest: float
    of_line: float


def compared(lines: Lines, reference: Lines, same: float = 2e-4) -> Comparison:
    two_theta = np.concatenate([lines.two_theta, reference.two_theta])
    order = np.argsort(two_theta, kind="stable")
    place = np.empty(len(order), dtype=int)
    place[order] = np.cumsum(np.diff(two_theta[order], prepend=-1) > same) - 1
    n = place.max() + 1
    merged, position = [], []
    for part, one in (
        (place[: len(lines.two_theta)], lines),
        (place[len(lines.two_theta) :], reference),
    ):
        total = np.bincount(part, one.intensity, n)
        merged.append(total / total.max())
        moment = np.bincount(part, one.intensity * one.two_theta, n)
        # A line that is missing is as far off as can be.
        position.append(np.divide(moment, total, out=np.full(n, np.inf), where=total > 0))
    ours, theirs = merged
    strong = theirs > 1e-3
    return Comparison(
        shift=float(np.abs(position[0][strong] - position[1][strong]).max()),
        of_strongest=float(np.abs(ours - theirs).max()),
        of_line=float(np.abs(ours[strong] / theirs[strong] - 1).max()),
    )
