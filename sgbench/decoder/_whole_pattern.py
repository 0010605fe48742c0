"""The whole-pattern fit: intensities of all lines of a lattice, and what the instrument did.

A pattern is a smooth background, the lines of a lattice with free intensities (Pawley 1981, J.
Appl. Cryst. 14, 357) and lines of other phases. Places follow from the cell, a zero shift and a
sample that lies off the axis; the full width is that of Caglioti, Paoletti & Ricci (1958); the
shape is a pseudo-Voigt function, repeated for K-alpha-2. Intensities and background enter linearly,
and the normal matrix of intensities is banded. All else is refined by Gauss-Newton steps in which
the linear parameters are solved for (Golub & Pereyra 1973).
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sgbench.decoder._clock import seconds
from sgbench.decoder._found_lines import FoundLines
from sgbench.decoder._instrument import share_of, widths
from sgbench.decoder._lattice_lines import LatticeLines
from sgbench.decoder._lattices import CandidateLattice
from sgbench.decoder._metric import free_of_metric, free_uncertainty
from sgbench.decoder._noise import points_together
from sgbench.decoder._pattern_fit import WholePatternFit
from sgbench.decoder._pawley import factorised, solved
from sgbench.decoder._positions import OWN_WIDTHS, lines_in_place
from sgbench.decoder._profiles import (
    far_tails,
    half_solved_columns,
    moved,
    normal_equations,
    products,
    profiles,
    summed,
    windows,
)
from sgbench.diffraction import two_theta_of

# Full widths to either side of a line over which it is computed point by point, and over which its
# Lorentzian part is.
_REACH, _FAR = 7.0, 35.0
# And how far from the next point of the pattern a line may lie.
_EDGE = 1.5
# Terms of the background (Chebyshev polynomials of the first kind).
_BACKGROUND_TERMS = 8
# What is refined beside the cell starts from these, known this well: zero shift (degrees), shift of
# the sample (degrees, times cos theta), the three terms of the squared width (as shares of the
# squared width), share of the Lorentzian part and its change over 90 degrees.
INSTRUMENT_SLACK = np.array([0.05, 0.06, 0.5, 0.5, 0.5, 0.3, 0.3])
_CENTRE = np.array([0.0, 0.0, 1.0, 0.0, 0.0, 0.45, 0.0])
_FIRST_SHARES = (0.45, 0.0, 0.85)
# And how far they may move in one step.
_BOUND = np.array([0.05, 0.1, 0.4, 0.5, 0.5, 0.2, 0.3])
# The same for the metric's terms, relative.
_CELL_SLACK, _CELL_BOUND = 1e-2, 3e-3
# Steps at first, and once it is clear which lines are of other phases.
_STEPS = (5, 20)
# Then what is left is searched this often for lines of other phases, which stand out by so many
# standard deviations, and so many at once.
_SEARCHES, _LEFT_OVER, _MOST_LEFT_OVER = 2, 7.0, 6
# Steps end where the misfit falls by less than this factor.
_LEAST_GAIN = 1 - 1e-4
# Solutions for far tails at most.
_SETTLING = 6
# Beside the diagonal; lines that coincide share what is there.
_RIDGE = 1e-7
# And if it lies within this many of its uncertainties.
_OWN_UNCERTAINTIES = 3.0


@dataclass(frozen=True, eq=False)
class _Pattern:
    two_theta: NDArray[np.float64]
    intensity: NDArray[np.float64]
    weight: NDArray[np.float64]
    smooth: NDArray[np.float64]
    wavelength: float
    second: float
    ratio: float


@dataclass(frozen=True, eq=False)
class _Model:
    """Parameters: the metric, what `INSTRUMENT_SLACK` lists, and places of other phases' lines."""

    metric: NDArray[np.float64]
    instrument: NDArray[np.float64]
    others: NDArray[np.float64]

    def changed(self, step: NDArray[np.float64]) -> "_Model":
        p = len(self.metric)
        instrument = self.instrument + step[p:]
        return _Model(self.metric * (1 + step[:p]), instrument, self.others)


@dataclass(frozen=True, eq=False)
class _Solved:
    """The linear problem at given parameters, solved."""

    model: _Model
    kept: NDArray[np.int64]
    order: NDArray[np.int64]
    centre: NDArray[np.float64]
    width: NDArray[np.float64]
    start: NDArray[np.int64]
    offset: NDArray[np.int64]
    slopes: tuple[NDArray[np.float64], ...]
    value: NDArray[np.float64]
    first: NDArray[np.int64]
    normal: NDArray[np.float64]
    right: NDArray[np.float64]
    factor: NDArray[np.float64]
    lead: NDArray[np.int64]
    cross: NDArray[np.float64]
    intensity: NDArray[np.float64]
    background: NDArray[np.float64]
    tails: NDArray[np.float64]
    rest: NDArray[np.float64]
    chi_squared: float
    penalty: float

    @property
    def loss(self) -> float:
        """What is made as small as can be."""
        return self.chi_squared + self.penalty


def fit_whole_pattern(
    two_theta: NDArray[np.float64],
    intensity: NDArray[np.float64],
    sigma: NDArray[np.float64],
    found: FoundLines,
    lattice: CandidateLattice,
    wavelength: float,
    second: float | None = None,
    ratio: float | None = None,
    until: float = np.inf,
) -> WholePatternFit | None:
    """Fit all lines of a lattice to a pattern, and refine the lattice.

    Parameters
    ----------
    two_theta : ndarray of float, shape (n_points,)
        Ascending, in degrees.
    intensity, sigma : ndarray of float, shape (n_points,)
        And its standard uncertainty.
    found : FoundLines
        Lines of the pattern; those that the lattice has not are taken to be of other phases.
    lattice : CandidateLattice
        To start from.
    wavelength : float
        In ångström, that of K-alpha-1 where there are two.
    second, ratio : float, optional
        Wavelength of K-alpha-2 and its intensity as a share of that of K-alpha-1.
    until : float
        Time, of `sgbench.decoder._clock.seconds`, from which on nothing more is refined.

    Returns
    -------
    WholePatternFit or None
        None where no line of the lattice is in the range.
    """
    family = lattice.family
    fwhm = float(np.median(found.fwhm)) if len(found.fwhm) else 0.15
    pattern = _Pattern(
        two_theta, intensity, 1.0 / sigma**2, _chebyshev(two_theta),
        wavelength, second or wavelength, (ratio or 0.0) if second else 0.0,
    )  # fmt: skip
    lines, of_metric, zero = lines_in_place(lattice, found, wavelength, float(two_theta[-1]))
    model = _first_model(pattern, lines, _Model(of_metric, np.empty(0), np.empty(0)), zero, fwhm)
    state: _Solved | None = None
    for steps in _STEPS:
        others = _others(lines, model, found, wavelength)
        state = _refined(pattern, lines, replace(model, others=others), fwhm, steps, until)
        if state is not None:
            model = state.model
    for _ in range(_SEARCHES):
        if state is None or seconds() > until:
            break
        more = _left_over(pattern, state)
        if not len(more):
            break
        others = np.append(state.model.others, more)
        state = _refined(
            pattern, lines, replace(state.model, others=others), fwhm, _STEPS[0], until
        )
    if state is None:
        return None
    return _finished(pattern, lines, family, state, fwhm)


def _chebyshev(two_theta: NDArray[np.float64]) -> NDArray[np.float64]:
    place = 2 * (two_theta - two_theta[0]) / max(two_theta[-1] - two_theta[0], 1e-9) - 1
    return np.asarray(np.polynomial.chebyshev.chebvander(place, _BACKGROUND_TERMS - 1))


def _first_model(
    pattern: _Pattern, lines: LatticeLines, model: _Model, zero: float, fwhm: float
) -> _Model:
    """Return the model with the Lorentzian share, of a few, that suits the pattern best."""
    best, chosen = np.inf, model
    for share in _FIRST_SHARES:
        instrument = np.array([zero, 0.0, 1.0, 0.0, 0.0, share, 0.0])
        trial = _Model(model.metric, instrument, model.others)
        state = _settled(pattern, lines, trial, fwhm)
        if state is not None and state.chi_squared < best:
            best, chosen = state.chi_squared, trial
        elif chosen is model:
            chosen = trial
    return chosen


def _others(
    lines: LatticeLines, model: _Model, found: FoundLines, wavelength: float
) -> NDArray[np.float64]:
    """Return places of the lines that were found and are none of the lattice's."""
    bragg = two_theta_of(lines.coefficients @ model.metric, wavelength)
    place = bragg + model.instrument[0] + model.instrument[1] * np.cos(np.radians(bragg / 2))
    place = place[np.isfinite(place)]
    if not len(place) or not len(found.two_theta):
        return np.asarray(found.two_theta)
    off = np.abs(found.two_theta[:, None] - place[None, :]).min(axis=1)
    own = off <= np.maximum(_OWN_UNCERTAINTIES * found.uncertainty, OWN_WIDTHS * found.fwhm)
    return np.asarray(found.two_theta[~own])


def _refined(
    pattern: _Pattern, lines: LatticeLines, model: _Model, fwhm: float, steps: int, until: float
) -> _Solved | None:
    state = _settled(pattern, lines, model, fwhm)
    if state is None:
        return None
    for _ in range(steps):
        if seconds() > until:
            break
        drift = _drift(pattern, lines, state, fwhm)
        step = _step(pattern, state, drift)
        trial = None
        for _ in range(3):
            trial = _solve(
                pattern, lines, _moved_others(pattern, state, model.changed(step)), fwhm, state
            )
            if trial is not None and trial.loss <= state.loss * (1 + 1e-9):
                break
            step = step / 3
        if trial is None or trial.loss > state.loss:
            return state
        gain = trial.loss / state.loss
        state, model = trial, trial.model
        if gain > _LEAST_GAIN:
            break
    return state


def _settled(pattern: _Pattern, lines: LatticeLines, model: _Model, fwhm: float) -> _Solved | None:
    """Solve until far tails, which take intensities to be known, are those of the solution."""
    state = _solve(pattern, lines, model, fwhm, None)
    for _ in range(_SETTLING):
        after = state and _solve(pattern, lines, model, fwhm, state)
        if state is None or after is None:
            return None
        settled = abs(after.loss - state.loss) < (1 - _LEAST_GAIN) * state.loss
        state = after
        if settled:
            break
    return state


def _left_over(pattern: _Pattern, state: _Solved) -> NDArray[np.float64]:
    """Return places where what is left of the pattern looks like a line of another phase."""
    x, weight = pattern.two_theta, pattern.weight
    freedom = max(len(x) - len(state.centre), 1)
    level = max(1.0, state.chi_squared / freedom)
    width = np.interp(x[::2], state.centre, state.width)
    centres = x[::2]
    start, offset = windows(x, centres, centres, width)
    share = np.full(len(centres), 0.5)
    value, *_ = profiles(x, centres, centres, 0.0, width, share, start, offset)
    column = np.column_stack([weight * state.rest, weight])
    pull = products(start, offset, value, column[:, :1])[:, 0]
    square = products(start, offset, value**2, column[:, 1:])[:, 0]
    score = pull / np.sqrt(np.maximum(square * level, 1e-300))
    found: list[float] = []
    for place in np.argsort(-score):
        if score[place] < _LEFT_OVER or len(found) == _MOST_LEFT_OVER:
            break
        if all(abs(centres[place] - other) > 2 * width[place] for other in found):
            found.append(float(centres[place]))
    return np.array(found)


def _moved_others(pattern: _Pattern, state: _Solved, model: _Model) -> _Model:
    """Move lines of other phases to where they leave least, each by itself."""
    n_own = len(state.kept)
    if not len(model.others):
        return model
    others = model.others.copy()
    (place,) = np.nonzero(state.order >= n_own)
    for line in place:
        part = slice(state.offset[line], state.offset[line + 1])
        slope = state.slopes[0][part] * state.intensity[line]
        points = slice(state.start[line], state.start[line] + len(slope))
        weight = pattern.weight[points]
        curvature = float(np.sum(weight * slope**2))
        if curvature > 0:
            pull = float(np.sum(weight * slope * state.rest[points])) / curvature
            others[state.order[line] - n_own] += np.clip(0.7 * pull, -0.01, 0.01)
    return _Model(model.metric, model.instrument, others)


def _solve(
    pattern: _Pattern, lines: LatticeLines, model: _Model, fwhm: float, before: _Solved | None
) -> _Solved | None:
    x, weight = pattern.two_theta, pattern.weight
    bragg = two_theta_of(lines.coefficients @ model.metric, pattern.wavelength)
    zero, shift = model.instrument[:2]
    centre = bragg + zero + shift * np.cos(np.radians(bragg / 2))
    (kept,) = np.nonzero(_is_near_points(x, centre, _EDGE * fwhm))
    if not len(kept) or np.any(model.metric[: min(3, len(model.metric))] <= 0):
        return None
    centre = np.concatenate([centre[kept], model.others])
    inside = (centre > x[0]) & (centre < x[-1])
    inside[: len(kept)] = True
    (order,) = np.nonzero(inside)
    order = order[np.argsort(centre[order], kind="stable")]
    centre = centre[order]
    width = widths(model.instrument, np.tan(np.radians(centre / 2)), fwhm)
    share = share_of(model.instrument, centre)
    sine = np.sin(np.radians(centre / 2)) * pattern.second / pattern.wavelength
    repeat = np.degrees(2 * np.arcsin(np.minimum(sine, 1.0)))
    start, offset = windows(x, centre, repeat, _REACH * width)
    value, *slopes = profiles(x, centre, repeat, pattern.ratio, width, share, start, offset)
    tails = np.zeros(len(x))
    if before is not None:
        known = _carried(before, kept, order, len(model.others))
        tails = far_tails(
            x, centre, repeat, pattern.ratio, width, share, known, start, offset, _FAR * width
        )
    left = pattern.intensity - tails
    first, normal, right = normal_equations(start, offset, value, weight, left)
    every = np.arange(len(centre))
    diagonal = normal[every, every - first]
    ridge = _RIDGE * diagonal + 1e-9 * diagonal.max() + 1e-300
    factor, lead = factorised(every, first, normal, 1.0, ridge)
    cross = products(start, offset, value, weight[:, None] * pattern.smooth)
    half = half_solved_columns(factor, lead, np.column_stack([cross, right]))
    schur = pattern.smooth.T @ (weight[:, None] * pattern.smooth) - half[:, :-1].T @ half[:, :-1]
    pull = pattern.smooth.T @ (weight * left) - half[:, :-1].T @ half[:, -1]
    schur[np.diag_indices(len(schur))] *= 1 + 1e-10
    terms = np.linalg.lstsq(schur, pull, rcond=1e-13)[0]
    intensity = solved(factor, lead, right - cross @ terms)
    background = pattern.smooth @ terms
    rest = left - background - summed(start, offset, value, intensity, len(x))
    return _Solved(
        model, kept, order, centre, width, start, offset, tuple(slopes), value,
        first, normal, right, factor, lead, cross, intensity, background, tails, rest,
        float(np.sum(weight * rest**2)),
        float(np.sum(((model.instrument - _CENTRE) / INSTRUMENT_SLACK) ** 2)),
    )  # fmt: skip


def _is_near_points(
    two_theta: NDArray[np.float64], centre: NDArray[np.float64], edge: float
) -> NDArray[np.bool_]:
    """Tell which lines lie where something was measured, or no farther from it than an edge.

    Of a line in a gap nothing is known, as of those beyond the ends.
    """
    after = np.searchsorted(two_theta, centre)
    nearest = [
        np.abs(two_theta[np.clip(place, 0, len(two_theta) - 1)] - centre)
        for place in (after - 1, after)
    ]
    return np.asarray(np.minimum(*nearest) < edge)


def _carried(
    before: _Solved, kept: NDArray[np.int64], order: NDArray[np.int64], n_others: int
) -> NDArray[np.float64]:
    """Return the intensities that lines had before, in the order of these lines.

    Those below 0 count, too: lines that coincide have a sum alone.
    """
    n_before = len(before.kept)
    of_line = dict(zip(before.kept.tolist(), range(n_before), strict=True))
    known = np.zeros(n_before + n_others)
    known[before.order] = before.intensity
    index = np.array([of_line.get(line, -1) for line in kept.tolist()], dtype=np.int64)
    own = np.where(index >= 0, known[index], 0.0)
    return np.asarray(np.concatenate([own, known[n_before:]])[order])


def _drift(
    pattern: _Pattern, lines: LatticeLines, state: _Solved, fwhm: float
) -> NDArray[np.float64]:
    """Return the pattern's derivatives by metric (relative) and instrument, (n_points, p + 7)."""
    n_own, p = len(state.kept), len(state.model.metric)
    own = state.order < n_own
    strength = np.maximum(state.intensity, 0.0)
    half_angle = np.radians(state.centre / 2)
    by_metric = np.zeros((len(strength), p))
    slope = pattern.wavelength**2 / (2 * np.sin(2 * half_angle)) * np.degrees(1.0)
    rows = lines.coefficients[state.kept[state.order[own]]]
    by_metric[own] = rows * state.model.metric * slope[own, None]
    by_centre = np.column_stack([by_metric, own * 1.0, own * np.cos(half_angle)])
    tangent = np.tan(half_angle)
    by_width = np.column_stack([np.ones_like(tangent), tangent, tangent**2])
    by_width *= (fwhm**2 / (2 * state.width))[:, None]
    by_share = np.column_stack([np.ones_like(tangent), (state.centre - 45.0) / 90.0])
    n = len(pattern.two_theta)
    parts = [
        moved(state.start, state.offset, slopes, weights * strength[:, None], n)
        for slopes, weights in zip(state.slopes, (by_centre, by_width, by_share), strict=True)
    ]
    return np.column_stack(parts)


def _bordered(
    pattern: _Pattern, state: _Solved, drift: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return products of lines with background and parameters, and of these with each other."""
    columns = np.column_stack([pattern.smooth, drift])
    weighted = pattern.weight[:, None] * columns
    cross = products(state.start, state.offset, state.value, weighted)
    return cross, columns.T @ weighted


def _step(pattern: _Pattern, state: _Solved, drift: NDArray[np.float64]) -> NDArray[np.float64]:
    cross, square = _bordered(pattern, state, drift)
    half = half_solved_columns(state.factor, state.lead, cross)
    schur = square - half.T @ half
    scales = np.append(np.full(len(state.model.metric), _CELL_SLACK), INSTRUMENT_SLACK)
    n_terms = pattern.smooth.shape[1]
    schur[n_terms:, n_terms:] += np.diag(1.0 / scales**2)
    rest = pattern.weight * state.rest
    pull = np.concatenate([pattern.smooth.T @ rest, drift.T @ rest])
    away = (state.model.instrument - _CENTRE) / INSTRUMENT_SLACK**2
    pull[len(pull) - len(away) :] -= away
    spread = np.sqrt(np.maximum(np.diag(schur), 1e-300))
    solution = np.linalg.lstsq(schur / spread[:, None] / spread, pull / spread, rcond=1e-12)[0]
    step = (solution / spread)[n_terms:]
    bound = np.append(np.full(len(state.model.metric), _CELL_BOUND), _BOUND)
    return np.asarray(step / max(1.0, float(np.max(np.abs(step) / bound))))


def _finished(
    pattern: _Pattern, lines: LatticeLines, family: str, state: _Solved, fwhm: float
) -> WholePatternFit:
    drift = _drift(pattern, lines, state, fwhm)
    cross, square = _bordered(pattern, state, drift)
    left = pattern.intensity - state.tails
    weight, p = pattern.weight, len(state.model.metric)
    pull = np.concatenate([pattern.smooth.T @ (weight * left), drift.T @ (weight * left)])
    n_own = len(state.kept)
    own = state.order < n_own
    lattice_line = np.where(own, state.order, -1)
    freedom = max(len(left) - len(state.intensity) - cross.shape[1], 1)
    goodness = float(np.sqrt(state.chi_squared / freedom))
    above = pattern.intensity - state.background
    unexplained = max(float(np.sum(weight * state.rest**2)) - freedom, 0.0)
    excess = float(np.sqrt(unexplained / max(float(np.sum(weight * above**2)), 1e-300)))
    half = half_solved_columns(state.factor, state.lead, cross)
    schur = square - half.T @ half
    schur[np.diag_indices(len(schur))] += 1e-12 * np.diag(schur) + 1e-300
    covariance = np.linalg.pinv(schur, hermitian=True, rcond=1e-14)
    n_terms = pattern.smooth.shape[1]
    relative = covariance[n_terms : n_terms + p, n_terms : n_terms + p] * max(goodness, 1.0) ** 2
    free = free_of_metric(family, state.model.metric)
    uncertainty = free_uncertainty(family, state.model.metric, relative)
    return WholePatternFit(
        family, free, uncertainty, float(state.model.instrument[0]),
        float(state.model.instrument[1]), lines.take(state.kept), lattice_line,
        state.centre, state.width, state.intensity, state.first, state.normal, state.right,
        cross, square, pull, float(np.sum(weight * left**2)),
        pattern.two_theta, pattern.intensity - state.rest, state.background, goodness, excess,
        points_together(
            state.rest * np.sqrt(weight),
            float(np.median(state.width) / np.median(np.diff(pattern.two_theta))),
        ),
    )  # fmt: skip
