"""Candidate lattices: cells whose lines explain those that were found in a pattern.

Families are searched from the highest symmetry down, and not further where a cell explains nearly
all lines far better than chance would. What is found is tried with axes twice and half as long, in
cells of higher symmetry that it nearly has, and in those of lower symmetry, and all are ranked by
one weight (`sgbench.decoder._lattice_fit`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from sgbench.decoder._cell_search import (
    ORDER,
    QUICK,
    THOROUGH,
    Lines,
    Metric,
    lines_for,
    metrics_of,
    strong_lines,
    weighed,
)
from sgbench.decoder._clock import seconds
from sgbench.decoder._found_lines import FoundLines
from sgbench.decoder._lattice_fit import MOST_LINES, calculated
from sgbench.decoder._lattice_symmetry import (
    CENTRINGS,
    conventional,
    lower,
    metric_of_cell,
    neighbours,
    primitive,
    symmetric_cells,
    volume,
)

# Candidates of one family that are tried as other cells, and how often that is repeated.
_TRIED, _ROUNDS = 6, 4
# Degrees by which axes of a cell of higher symmetry may be off.
_OFF = 1.5
# A search ends with a family whose best cell explains this share of the lines, at so many nats a
# line, and so many in all.
_EXPLAINED, _NATS, _ENOUGH = 0.9, 1.2, 45.0
# Two cells have the same lattice where their reduced edges differ by less than this (relative), and
# the lower family must be better by so many nats to be told apart.
_SAME, _BETTER = 4e-3, 4.0
# Lines of two lattices are the same within this (relative, of 1/d^2).
_ON_LINE = 4e-4
_UPPER = 3
# A more thorough search follows where no cell has so many nats.
_CONVINCING = 25.0
# Candidates that are returned.
_RETURNED = 40
_PRIMITIVES = {"P": 1, "A": 2, "B": 2, "C": 2, "I": 2, "F": 4, "R": 3}


@dataclass(frozen=True)
class CandidateLattice:
    """A lattice that explains the lines of a pattern.

    Attributes
    ----------
    family : str
    cell : tuple of float, length 6
        a, b, c in ångström, alpha, beta, gamma in degrees; the conventional cell of the family,
        rhombohedral lattices on hexagonal axes. Orthorhombic: a <= b <= c; monoclinic: a <= c the
        shortest vectors of their plane, beta >= 90 degrees; triclinic: reduced (Niggli).
    zero : float
        Degrees that are to be taken off measured positions two_theta.
    n_explained : int
        How many of the first lines that were found are lines of the lattice.
    n_calculated : int
        How many lines that can be told apart the lattice has up to the last of these.
    m20, f_n : float
        Figures of merit: de Wolff (1968), J. Appl. Cryst. 1, 108; Smith & Snyder (1979), J. Appl.
        Cryst. 12, 60; of those of the first 20 lines that are explained, or of all where there are
        fewer.
    centring : str
        The one of P, A, B, C, I, F and R that suits the lines best.
    weight : float
        Log-likelihood (nats) of the lines under the lattice against lines at random places.
    derived : bool
        Whether a lattice before it in the list explains the lines and is a sub- or superlattice of
        it, or has the same lines (Mighell & Santoro 1975, J. Appl. Cryst. 8, 372).
    """

    family: str
    cell: tuple[float, float, float, float, float, float]
    zero: float
    n_explained: int
    n_calculated: int
    m20: float
    f_n: float
    centring: str
    weight: float
    derived: bool = False


@dataclass(frozen=True)
class LatticeSearch:
    """What a search for lattices has found.

    Attributes
    ----------
    lattices : tuple of CandidateLattice
        The best first; empty where nothing explains the lines.
    searched : tuple of str
        Families of which no lattice was left out for lack of time. Lower families are not looked
        into where a higher one explains nearly all lines, and count as searched then.
    """

    lattices: tuple[CandidateLattice, ...]
    searched: tuple[str, ...]


def candidate_lattices(
    lines: FoundLines,
    wavelength: float,
    families: Sequence[str],
    largest_volume: float,
    time_limit: float,
) -> LatticeSearch:
    """Find lattices whose lines explain those that were found, the best first.

    Parameters
    ----------
    lines : FoundLines
    wavelength : float
        In ångström, of the positions.
    families : sequence of str
        What to search, such as ``("cubic", "monoclinic")``.
    largest_volume : float
        Of the primitive cell, in cubic ångström.
    time_limit : float
        Seconds after which the search ends with what it has.

    Returns
    -------
    LatticeSearch
    """
    until = seconds() + time_limit
    if len(lines) < 3:
        return LatticeSearch((), tuple(families))
    taken, strong = lines_for(lines, wavelength), strong_lines(lines, wavelength)
    found: list[Metric] = []
    left_out = set()
    for efforts in (QUICK, THOROUGH):
        for family in ORDER if efforts is QUICK else THOROUGH:
            if family not in families:
                continue
            # The three upper families take little time, and are always weighed against each other.
            number = ORDER.index(family)
            if number >= _UPPER and _is_enough(found, taken, number):
                break
            if seconds() > until:
                left_out.add(family)
                continue
            metrics = metrics_of(family, taken, strong, until, efforts)
            if seconds() > until:
                left_out.add(family)
            found += _with_neighbours(metrics, taken)
            found += _in_other_families(found, taken, families)
        if _is_convincing(found):
            break
    found = [one for one in found if _primitive_volume(one) <= largest_volume]
    searched = tuple(family for family in families if family not in left_out)
    return LatticeSearch(_ranked(found, taken), searched)


def _primitive_volume(one: Metric) -> float:
    return volume(one.metric) / _PRIMITIVES[CENTRINGS[one.centring]]


def _is_enough(found: list[Metric], lines: Lines, family: int) -> bool:
    """Tell whether the best cell makes it needless to search this family and those below it.

    What was made of cells of higher families is no search of its own: these may have had twice the
    axes of the lattice.
    """
    best = max(found, key=lambda one: one.weight, default=None)
    n = len(lines.x)
    return (
        best is not None
        and best.family < family
        and best.explained >= _EXPLAINED * n
        and best.weight >= max(_NATS * n, _ENOUGH)
    )


def _is_convincing(found: list[Metric]) -> bool:
    return max((one.weight for one in found), default=-np.inf) >= _CONVINCING


def _with_neighbours(found: list[Metric], lines: Lines) -> list[Metric]:
    """Add cells with multiples of the axes to the best of a family, and to the best of these."""
    every, best = list(found), found[:_TRIED]
    for _ in range(_ROUNDS):
        trials = [
            (metric, one.zero) for one in best for metric in neighbours(one.family, one.metric)
        ]
        if not trials:
            break
        more = weighed(best[0].family, trials, lines)
        every += more
        # Only what is better than what it was made of leads further.
        best = [one for one in more[:_TRIED] if one.weight > best[0].weight + _BETTER]
    return every


def _in_other_families(found: list[Metric], lines: Lines, families: Sequence[str]) -> list[Metric]:
    """Return the best lattices as cells of higher and of lower symmetry, where they suit better."""
    best = sorted(found, key=lambda one: -one.weight)[:_TRIED]
    trials: dict[int, list[tuple[np.ndarray, float]]] = {}
    for one in best:
        for family, metric in lower(one.family, one.metric):
            trials.setdefault(family, []).append((metric, one.zero))
        for name, metric in symmetric_cells(_reduced_metric(one), _OFF):
            trials.setdefault(ORDER.index(name), []).append((metric, one.zero))
    more = []
    for family, listed in trials.items():
        if ORDER[family] in families:
            more += weighed(family, listed, lines)
    return more


def _reduced_metric(one: Metric) -> np.ndarray:
    return metric_of_cell(primitive(one.metric, one.centring))


def _ranked(found: list[Metric], lines: Lines) -> tuple[CandidateLattice, ...]:
    """Order metrics by weight, each lattice once, and mark what is derived from a better one."""
    kept: list[tuple[Metric, np.ndarray]] = []
    for one in sorted(found, key=lambda one: (-one.weight, one.family)):
        edges = primitive(one.metric, one.centring)
        for i, (other, others) in enumerate(kept):
            if np.allclose(edges[:3], others[:3], rtol=_SAME) and np.allclose(
                edges[3:], others[3:], atol=0.5
            ):
                # Of one lattice, the higher symmetry stands unless the lower is clearly better.
                if one.family < other.family and one.weight > other.weight - _BETTER:
                    kept[i] = (replace(one, weight=other.weight), edges)
                    break
                if one.family >= other.family or one.centring == other.centring:
                    break
        else:
            kept.append((one, edges))
        if len(kept) == _RETURNED:
            break
    candidates: list[CandidateLattice] = []
    places: list[np.ndarray] = []
    for one, _ in kept:
        place = _places(one, lines)
        derived = any(_same_lines(place, other) for other in places)
        places.append(place)
        cell = conventional(ORDER[one.family], one.metric)
        candidates.append(
            CandidateLattice(
                ORDER[one.family],
                tuple(map(float, cell)),  # type: ignore[arg-type]
                float(one.zero),
                int(one.explained),
                int(one.calculated),
                float(one.m20),
                float(one.f_n),
                CENTRINGS[one.centring],
                float(one.weight),
                derived,
            )
        )
    return tuple(candidates)


def _places(one: Metric, lines: Lines) -> np.ndarray:
    """Return the angles of a lattice's lines, up to the last line that was found."""
    hkl, q = np.empty((MOST_LINES, 3), np.int64), np.empty(MOST_LINES)
    top = (2 * np.sin(np.radians(lines.x[-1] - one.zero) / 2) / lines.wavelength) ** 2
    count = calculated(one.family, one.metric, top, one.centring, hkl, q)
    return np.sort(q[:count])


def _same_lines(place: np.ndarray, better: np.ndarray) -> bool:
    """Tell whether nearly all lines of one of two lattices are lines of the other."""
    for some, all_of in ((place, better), (better, place)):
        if len(some) < 3 or len(all_of) < 3:
            continue
        at = np.clip(np.searchsorted(all_of, some), 1, len(all_of) - 1)
        off = np.minimum(np.abs(all_of[at] - some), np.abs(all_of[at - 1] - some))
        if np.mean(off < _ON_LINE * some) > 0.97:
            return True
    return False
