"""From any measured pattern to cells and extinction classes, without a family told."""

from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Real

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sgbench.decoder._cell_search import ORDER
from sgbench.decoder._classes import (
    DOUBT,
    RankedClass,
    class_evidence,
    class_shares,
    problem_of,
    ranked,
)
from sgbench.decoder._clock import seconds
from sgbench.decoder._derived import adds_nothing
from sgbench.decoder._found_lines import FoundLines, find_lines
from sgbench.decoder._lattice_lines import class_settings
from sgbench.decoder._lattices import CandidateLattice, candidate_lattices
from sgbench.decoder._laws import Law, check_law
from sgbench.decoder._noise import averaged, standard_uncertainty
from sgbench.decoder._pattern_fit import WholePatternFit
from sgbench.decoder._whole_pattern import fit_whole_pattern
from sgbench.diffraction import FREE_PARAMETERS, full_cell
from sgbench.errors import SgbenchError

# Largest volume of a primitive cell that is searched, in cubic ångström.
_LARGEST_VOLUME = 4000.0
# Candidates that are fitted, and the share of the time that the search for them may take.
_FITTED, _SEARCH = 6, 0.6
# A profile is known no better than this share of itself; and at least this share of points has no
# line.
_MODEL_ERROR, _LOW = 0.002, 0.1
# Points over the full width of a line that a fit needs.
_POINTS = 12
# Fewer points than this are no pattern.
_FEWEST_POINTS = 50
# Points that are said to be known to this share of the highest intensity, or better, are not known.
_LEAST_SIGMA = 1e-12
# Greatest intensities whose squares and their sums are numbers.
_SMALLEST, _LARGEST = 1e-60, 1e60
# Cells whose volumes and edges agree this well (relative) are one.
_SAME = 2e-3
# A fit as good as this leaves nothing to cells that derive from its own, unless it needs other
# phases and they explain more lines.
_GOOD = 1.1
# Nor does it to lattices whose lines are so much less probable (nats).
_FAR_BEHIND = 30.0
# Simulated laboratory patterns of known cells: of the best lattices found, those of more than 30
# nats are right, those of less than none are wrong, and between them right and wrong ones mix.
_EVEN, _FALL = 12.0, 5.0
# Fits of cells that leave so much more than the best one are not weighed.
_MUCH_WORSE = 4.0


class NoCellFound(SgbenchError):
    """No cell explains the lines of a pattern.

    Attributes
    ----------
    lines : FoundLines
        What was seen.
    searched : tuple of str
        The families whose cells were searched.
    """

    def __init__(self, message: str, lines: FoundLines, searched: tuple[str, ...]) -> None:
        super().__init__(message)
        self.lines = lines
        self.searched = searched


@dataclass(frozen=True, eq=False)
class FoundCell:
    """A cell that was fitted to a pattern.

    Attributes
    ----------
    lattice : CandidateLattice
        As it was found from the lines.
    cell : tuple of float, length 6
        Refined: a, b, c in ångström, alpha, beta, gamma in degrees.
    uncertainty : tuple of float, length 6
        Standard uncertainties of these, scaled by the goodness of the fit; 0 for what the family
        fixes.
    volume : float
        Cubic ångström.
    fit : float
        Goodness of the fit, the square root of chi-squared by degrees of freedom.
    probability : float
        What all cells together leave of 1 is the chance that it is none of them.
    unexplained : int
        Lines of the pattern that are none of the cell's.
    zero, displacement : float
        Lines lie zero + displacement cos(theta) degrees above Bragg's angle.
    whole : WholePatternFit
        The fit of the cell's lines to the whole pattern.
    """

    lattice: CandidateLattice
    cell: tuple[float, ...]
    uncertainty: tuple[float, ...]
    volume: float
    fit: float
    probability: float
    unexplained: int
    zero: float
    displacement: float
    whole: WholePatternFit


@dataclass(frozen=True, eq=False)
class DecodedPattern:
    """What was read from a pattern.

    Attributes
    ----------
    lines : FoundLines
    cells : tuple of FoundCell
        The most probable first.
    classes : tuple of RankedClass
        Classes of the families of these cells, the most probable first.
    searched : tuple of str
        Families whose cells were searched; others were not asked for, or left no time.
    doubt : float
        Probability that none of the cells is right.
    """

    lines: FoundLines
    cells: tuple[FoundCell, ...]
    classes: tuple[RankedClass, ...]
    searched: tuple[str, ...]
    doubt: float


def decode_pattern(
    two_theta: ArrayLike,
    intensity: ArrayLike,
    sigma: ArrayLike | None = None,
    *,
    wavelength: float,
    second: float | None = None,
    ratio: float | None = None,
    families: Sequence[str] | None = None,
    law: str = "wilson",
    time_limit: float = 60.0,
) -> DecodedPattern:
    """Find cells and extinction classes of a measured pattern.

    Lines are found and indexed, the whole pattern is fitted with all lines of each cell, and
    extinction classes are ranked by the evidence of lines that are there and lines that are not.

    Parameters
    ----------
    two_theta : array_like of float, shape (n,)
        Ascending, in degrees; steps may differ. Points of no intensity at either end of a pattern
        that has a background were not measured, and are left out.
    intensity : array_like of float, shape (n,)
        Counts or any other scale, background included.
    sigma : array_like of float, shape (n,), optional
        Standard uncertainty of each intensity; estimated where there is none.
    wavelength : float
        In ångström; that of K-alpha-1 where there are two.
    second, ratio : float, optional
        Wavelength of K-alpha-2 in ångström, and its intensity as a share of that of K-alpha-1
        (0.5 where it is not given).
    families : sequence of str, optional
        What to search, of those of `sgbench.diffraction.FREE_PARAMETERS`; all by default.
    law : {'wilson', 'uniform'}
        How intensities are distributed: of crystals, or of designed patterns.
    time_limit : float
        Seconds after which no further cell is looked for or fitted; compiling, at the first call
        of an installation, is not counted.

    Returns
    -------
    DecodedPattern

    Raises
    ------
    NoCellFound
        If no cell explains the lines; it holds these.
    SgbenchError
        If the input cannot be used.
    """
    until = seconds() + time_limit
    of_law = check_law(law)
    asked = _families(families)
    x, y, uncertainty = _checked(two_theta, intensity, sigma, wavelength, second, ratio, time_limit)
    share = (0.5 if ratio is None else float(ratio)) if second is not None else None
    lines = find_lines(x, y, uncertainty, wavelength, second, share)
    noise = standard_uncertainty(y) if uncertainty is None else uncertainty
    width = float(np.median(lines.fwhm)) if len(lines) else 0.0
    x, y, variance = averaged(x, y, noise**2, width / _POINTS)
    noise = np.sqrt(variance)
    noise = np.hypot(noise, _MODEL_ERROR * np.maximum(y - np.quantile(y, _LOW), 0.0))
    search = candidate_lattices(lines, wavelength, asked, _LARGEST_VOLUME, _SEARCH * time_limit)
    fits: list[tuple[CandidateLattice, WholePatternFit]] = []
    for candidate in search.lattices[: 2 * _FITTED]:
        if len(fits) >= _FITTED or (fits and seconds() > until):
            break
        if any(_leaves_nothing(one, fit, candidate, lines, wavelength) for one, fit in fits):
            continue
        fit = fit_whole_pattern(x, y, noise, lines, candidate, wavelength, second, share, until)
        if fit is not None and not any(_are_the_same(fit, other) for _, other in fits):
            fits.append((candidate, fit))
    if not fits:
        raise NoCellFound(_nothing(lines, search.searched), lines, search.searched)
    return _weighed(lines, fits, search.searched, wavelength, of_law, until)


def _weighed(
    lines: FoundLines,
    fits: list[tuple[CandidateLattice, WholePatternFit]],
    searched: tuple[str, ...],
    wavelength: float,
    law: Law,
    until: float,
) -> DecodedPattern:
    best = min((fit for _, fit in fits), key=lambda fit: fit.goodness)
    level = best.goodness
    fits = [one for one in fits if one[1].goodness <= _MUCH_WORSE * level]
    of_sums = max(level, 1.0) * np.sqrt(best.together)
    evidence: list[tuple[str, NDArray[np.float64]]] = []
    for _, fit in fits:
        if evidence and seconds() > until:
            break
        problem = problem_of(fit, wavelength, law, of_sums)
        of_classes = class_evidence(problem, class_settings(fit.lines), law, until)
        evidence.append((fit.family, of_classes))
    shares = np.array([float(share.sum()) for share in class_shares(evidence, law)])
    doubt = max(DOUBT, _doubt_of(fits[int(np.argmax(shares))][0]))
    order = np.argsort(-shares, kind="stable")
    fits, evidence = [fits[i] for i in order], [evidence[i] for i in order]
    cells = tuple(
        _found_cell(candidate, fit, (1 - doubt) * float(share))
        for (candidate, fit), share in zip(fits, shares[order], strict=True)
    )
    return DecodedPattern(lines, cells, ranked(evidence, law, doubt), searched, doubt)


def _doubt_of(lattice: CandidateLattice) -> float:
    """Return the probability that a lattice of this weight is not the pattern's."""
    return float(1 / (1 + np.exp(np.clip((lattice.weight - _EVEN) / _FALL, -50.0, 50.0))))


def _found_cell(candidate: CandidateLattice, fit: WholePatternFit, probability: float) -> FoundCell:
    cell = full_cell(fit.family, fit.free)
    names = FREE_PARAMETERS[fit.family]
    spread = full_cell(fit.family, fit.uncertainty)
    fixed = [name not in names for name in ("alpha", "beta", "gamma")]
    spread[3:][fixed] = 0.0
    cosines = np.cos(np.radians(cell[3:]))
    volume = np.prod(cell[:3]) * np.sqrt(1 - np.sum(cosines**2) + 2 * np.prod(cosines))
    return FoundCell(
        candidate, tuple(cell.tolist()), tuple(spread.tolist()), float(volume), fit.goodness,
        probability, int((fit.lattice_line < 0).sum()), fit.zero, fit.displacement, fit,
    )  # fmt: skip


def _leaves_nothing(
    lattice: CandidateLattice,
    fit: WholePatternFit,
    other: CandidateLattice,
    lines: FoundLines,
    wavelength: float,
) -> bool:
    """Tell whether a fit makes it needless to fit another lattice.

    Where profiles are not those of the pattern, the many lines of a superlattice make up for some
    of that, so that it fits better than the true lattice.
    """
    if ORDER.index(other.family) < ORDER.index(lattice.family):
        return False
    if fit.goodness > _GOOD:
        return adds_nothing(fit, other, lines, wavelength)
    no_more = not np.any(fit.lattice_line < 0) or other.n_explained <= lattice.n_explained
    return (other.derived and no_more) or other.weight < lattice.weight - _FAR_BEHIND


def _are_the_same(one: WholePatternFit, other: WholePatternFit) -> bool:
    if one.family != other.family:
        return False
    cells = [full_cell(fit.family, fit.free) for fit in (one, other)]
    if one.family == "orthorhombic":
        cells = [np.sort(cell) for cell in cells]
    return bool(np.all(np.abs(cells[0] / cells[1] - 1) < _SAME))


def _families(families: Sequence[str] | None) -> tuple[str, ...]:
    asked = ORDER if families is None else tuple(families)
    unknown = set(asked) - set(ORDER)
    if unknown or not asked or len(set(asked)) < len(asked):
        raise SgbenchError(
            f"cannot search the families {', '.join(asked) or '(none)'}; expected some of "
            f"{', '.join(ORDER)}. Name at least one of these, each once."
        )
    return asked


def _checked(
    two_theta: ArrayLike,
    intensity: ArrayLike,
    sigma: ArrayLike | None,
    wavelength: float,
    second: float | None,
    ratio: float | None,
    time_limit: float,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64] | None]:
    x = np.asarray(two_theta, dtype=np.float64)
    y = np.asarray(intensity, dtype=np.float64)
    spread = None if sigma is None else np.asarray(sigma, dtype=np.float64)
    shapes = [x.shape, y.shape] + ([] if spread is None else [spread.shape])
    if x.ndim != 1 or len(set(shapes)) != 1:
        raise SgbenchError(
            f"two_theta, intensity and sigma have the shapes {shapes}; expected (n,) each. Give "
            "one intensity an angle."
        )
    if spread is not None:
        highest = np.abs(y[np.isfinite(y)]).max(initial=0.0)
        usable = np.isfinite(spread) & (spread > _LEAST_SIGMA * highest)
        x, y, spread = x[usable], y[usable], spread[usable]
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise SgbenchError(
            "angles or intensities are not finite; expected numbers alone. Leave those points out."
        )
    if len(x) < _FEWEST_POINTS:
        raise SgbenchError(
            f"{len(x)} points are too few to find a cell; expected at least {_FEWEST_POINTS}, each "
            "with a positive uncertainty if any has one. Measure more of the pattern."
        )
    if np.any(np.diff(x) <= 0) or not 0 < x[0] < x[-1] < 180:
        raise SgbenchError(
            "the angles cannot be used; expected ones that ascend between 0 and 180 degrees. Sort "
            "them."
        )
    waves = [wavelength] if second is None else [wavelength, second]
    if not all(isinstance(one, Real) for one in waves):
        raise SgbenchError(
            f"wavelengths of {wavelength!r} and {second!r} cannot be used; expected numbers. Give "
            "ångström, as in wavelength=1.5406."
        )
    if not 0 < wavelength < np.inf or (second is not None and not wavelength < second < np.inf):
        raise SgbenchError(
            f"wavelengths of {wavelength} and {second} Å cannot be used; expected a positive one, "
            "and a longer second one or none. Give ångström."
        )
    if ratio is not None and not (second is not None and 0 <= ratio <= 1):
        raise SgbenchError(
            f"a ratio of {ratio} cannot be used; expected 0 to 1, with a second wavelength. Give "
            "e.g. second=1.544427, ratio=0.5."
        )
    if not time_limit > 0:
        raise SgbenchError(
            f"a time limit of {time_limit} s cannot be used; expected more than 0. Give e.g. 60."
        )
    # A background below zero is only a matter of where zero was put.
    y = y - min(float(np.quantile(y, _LOW)), 0.0)
    if not y.max() > 0:
        raise SgbenchError("no point of this pattern is above zero; expected lines. Check it.")
    if not _SMALLEST < np.abs(y).max() < _LARGEST:
        raise SgbenchError(
            f"intensities of up to {np.abs(y).max():.3g} cannot be used; expected something "
            f"between {_SMALLEST:g} and {_LARGEST:g}. Scale them."
        )
    (there,) = np.nonzero(y)
    measured = slice(there[0], there[-1] + 1)
    if np.all(y[measured] != 0) and there[-1] + 1 - there[0] >= _FEWEST_POINTS:
        # Zeros at the ends alone: a background that begins and ends there.
        x, y = x[measured], y[measured]
        spread = None if spread is None else spread[measured]
    return x, y, spread


def _nothing(lines: FoundLines, searched: tuple[str, ...]) -> str:
    place = lines.two_theta
    if not len(place):
        return (
            "no cell was found: no line stands out of the noise; expected lines of one phase. "
            "Measure longer, or check what was given as intensity."
        )
    seen = f"{len(place)} lines were seen, from {place[0]:.2f} to {place[-1]:.2f} degrees"
    if len(place) == 1:
        seen = f"one line was seen, at {place[0]:.2f} degrees"
    families = f"no {' or '.join(searched)} cell" if searched else "no cell that time was left for"
    return (
        f"no cell was found: {seen}, and {families} explains what was seen; expected lines of one "
        "phase and wavelength. Check the wavelength, search other families or allow more time."
    )
