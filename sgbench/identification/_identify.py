"""From a measured pattern to the answer: decode it, rank its classes, say what can be said."""

from collections.abc import Iterable, Sequence
from functools import cache

import numpy as np
from numpy.typing import ArrayLike

from sgbench.decoder import (
    DecodedPattern,
    FoundCell,
    FoundLines,
    NoCellFound,
    WholePatternFit,
    decode_pattern,
)
from sgbench.diffraction import FREE_PARAMETERS
from sgbench.identification._answer import Cell, ClassAnswer, Evidence, Fit, Identification, Peak
from sgbench.identification._lines import FittedLines, evidence
from sgbench.identification._network import ask_network
from sgbench.identification._pool import PooledClass, pool_for, pooled
from sgbench.identification._shares import shares
from sgbench.identification._verdict import verdict
from sgbench.measured import MeasuredPattern, doublet_of, measured_pattern
from sgbench.symmetry import reflection_conditions

#: Families whose cells are looked for in seconds; the others take a search that is asked for.
QUICK = ("cubic", "tetragonal", "trigonal-hexagonal")
_ALL = tuple(FREE_PARAMETERS)
# Seconds for the search.
_QUICK_LIMIT, _DEEP_LIMIT = 10.0, 60.0
# Classes with a cell whose lines are looked at one by one.
_LEADING = 3
# What the foot of a line has of its area, one width from it.
_TAIL = 0.3
# A line that was found is the cell's within this part of its width.
_THERE = 0.5
# Classes that are told.
_MOST_CLASSES = 20


def identify(
    two_theta: ArrayLike,
    intensity: ArrayLike,
    sigma: ArrayLike | None = None,
    *,
    wavelength: float | str | Iterable[float],
    deep: bool = False,
    time_limit: float | None = None,
) -> Identification:
    """Say which extinction class, and so which space groups, a measured powder pattern is of.

    Parameters
    ----------
    two_theta : array_like, shape (n,)
        In degrees.
    intensity : array_like, shape (n,)
        Counts, rates or any other scale.
    sigma : array_like, shape (n,), optional
        Standard uncertainties; estimated from the pattern where there are none.
    wavelength : float, str or iterable of float
        In ångström, two for a doublet, or a name such as ``CuKa``.
    deep : bool
        Whether orthorhombic, monoclinic and triclinic cells are searched as well.
    time_limit : float, optional
        Seconds after which no further cell is looked for; 10, or 60 where it is deep.

    Returns
    -------
    Identification
        Its text is the answer as a table.

    Raises
    ------
    SgbenchError
        If the arrays are no powder pattern, or the wavelength is none.
    """
    pattern = measured_pattern(two_theta, intensity, sigma, wavelength)
    return identify_pattern(pattern, deep=deep, time_limit=time_limit)


def identify_pattern(
    pattern: MeasuredPattern, name: str = "", *, deep: bool = False, time_limit: float | None = None
) -> Identification:
    """Do the same for a pattern that was read from a file.

    Parameters
    ----------
    pattern : MeasuredPattern
        With a wavelength.
    name : str
        What the answer calls it.
    deep, time_limit
        As of `identify`.

    Raises
    ------
    SgbenchError
        If the wavelength of the pattern is not known.
    """
    try:
        decoded = decoded_as_measured(pattern, deep, time_limit)
    except NoCellFound as error:
        return _answer(pattern, name, error.lines, error.searched, None)
    return answer_of(decoded, pattern, name)


def decoded_as_measured(
    pattern: MeasuredPattern, deep: bool, time_limit: float | None = None
) -> DecodedPattern:
    """Decode a pattern, with what is known of its wavelengths and uncertainties.

    Parameters
    ----------
    pattern, deep, time_limit
        As of `identify_pattern`.

    Raises
    ------
    NoCellFound
        If no cell explains the lines.
    SgbenchError
        If the wavelength of the pattern is not known.
    """
    lines = doublet_of(pattern) or pattern.wavelengths
    wavelength = lines[0].value if lines else pattern.wavelength
    second, ratio = (lines[1].value, lines[1].weight) if len(lines) > 1 else (None, None)
    # Behind the beam nothing is at its own angle.
    there = pattern.two_theta > 0
    sigma = pattern.sigma
    families = _ALL if deep else QUICK
    limit = (_DEEP_LIMIT if deep else _QUICK_LIMIT) if time_limit is None else time_limit
    # A pattern may hold numbers that no fit can do anything with, which needs no warning.
    with np.errstate(all="ignore"):
        return decode_pattern(
            pattern.two_theta[there],
            pattern.intensity[there],
            None if sigma is None or np.isnan(sigma).any() else sigma[there],
            wavelength=wavelength, second=second, ratio=ratio,
            families=families, time_limit=limit,
        )  # fmt: skip


def answer_of(decoded: DecodedPattern, pattern: MeasuredPattern, name: str = "") -> Identification:
    """Return the answer that a decoded pattern gives.

    Parameters
    ----------
    decoded : DecodedPattern
    pattern : MeasuredPattern
        The one that was decoded.
    name : str
        What the answer calls it.
    """
    return _answer(pattern, name, decoded.lines, decoded.searched, decoded)


def _answer(
    pattern: MeasuredPattern,
    name: str,
    lines: FoundLines,
    searched: Sequence[str],
    decoded: DecodedPattern | None,
) -> Identification:
    cells: tuple[Cell, ...] = ()
    fit, alone = None, set[int]()
    if decoded is not None:
        whole = decoded.cells[0].whole
        alone = _unexplained(lines, whole)
        cells = tuple(_cell(one, lines) for one in decoded.cells)
        fit = Fit(whole.angles, whole.calculated, whole.background)
    peaks = _peaks(lines, alone)
    network = ask_network(pattern, lines)
    found, doubt = ((), 1.0) if decoded is None else (decoded.classes, decoded.doubt)
    not_searched = tuple(family for family in _ALL if family not in searched)
    pool = pool_for(network.chances is not None, not not_searched)
    classes = _classes(pooled(found, doubt, network.chances, pool), decoded)
    said, summary, doubts = verdict(pattern, classes, cells, peaks, not_searched)
    return Identification(
        name, said, summary, doubts, classes[:_MOST_CLASSES], cells, peaks, tuple(searched),
        not_searched, network, pattern, fit,
    )  # fmt: skip


def _peaks(lines: FoundLines, unexplained: Iterable[int]) -> tuple[Peak, ...]:
    alone = set(unexplained)
    highest = max(lines.height, default=1.0)
    return tuple(
        Peak(float(place), float(error), float(100 * height / highest), float(width),
             i not in alone)
        for i, (place, error, height, width) in enumerate(
            zip(lines.two_theta, lines.uncertainty, lines.height, lines.fwhm, strict=True)
        )
    )  # fmt: skip


def _unexplained(lines: FoundLines, fit: WholePatternFit) -> set[int]:
    """Return which of the lines that were found are of something else than the cell.

    What the profile leaves of a strong line at its foot, since lines are not symmetric, is found
    as lines as well. So a line beside one of the cell's counts only if it has more of its area
    than a tail that falls with the square of the distance would have, and if most of the line that
    was found is not the cell's.
    """
    own = fit.lattice_line >= 0
    if not len(lines):
        return set()
    others = np.zeros(len(lines))
    for place, area in zip(fit.two_theta[~own], fit.intensity[~own], strict=True):
        distance = np.maximum(np.abs(fit.two_theta[own] - place) / fit.width[own], 1.0)
        line = int(np.argmin(np.abs(lines.two_theta - place)))
        near = abs(lines.two_theta[line] - place) < lines.fwhm[line]
        if near and area > np.max(_TAIL * fit.intensity[own] / distance**2, initial=0.0):
            others[line] += area
    reach = np.maximum(_THERE * lines.fwhm, 3 * lines.uncertainty)
    there = np.abs(fit.two_theta[own] - lines.two_theta[:, None]) < reach[:, None]
    cells = there @ np.maximum(fit.intensity[own], 0.0)
    return set(np.flatnonzero(others > cells).tolist())


def _cell(one: FoundCell, lines: FoundLines) -> Cell:
    lattice, found = one.lattice, len(lines.two_theta)
    return Cell(
        lattice.family, one.cell, one.uncertainty, one.volume, one.zero, lattice.m20, lattice.f_n,
        found - len(_unexplained(lines, one.whole)), found, one.fit, one.probability,
    )  # fmt: skip


def _classes(
    ranked: Sequence[PooledClass], decoded: DecodedPattern | None
) -> tuple[ClassAnswer, ...]:
    """Return the classes, the first of those that have a cell with their lines one by one."""
    lines_of = cache(FittedLines.of)
    told: dict[int, Evidence] = {}
    first: tuple[int, Evidence] | None = None
    with_cells = [(place, one.cell) for place, one in enumerate(ranked) if one.cell is not None]
    for place, cell in with_cells[:_LEADING]:
        assert decoded is not None  # as it has cells
        same = first is not None and first[0] == cell
        told[place] = evidence(
            lines_of(decoded.cells[cell].whole), ranked[place].spacegroups[0],
            first[1] if first is not None and same else None,
        )  # fmt: skip
        first = first or (cell, told[place])
    return tuple(
        ClassAnswer(
            one.family, one.symbol, one.probability, one.decoder, one.network,
            tuple(map(str, reflection_conditions(one.spacegroups[0]))), shares(one.spacegroups),
            one.cell, told.get(place),
        )
        for place, one in enumerate(ranked)
    )  # fmt: skip
