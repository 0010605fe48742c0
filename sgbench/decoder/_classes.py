"""How probable extinction classes are, given intensities of all lines of a lattice.

After Markvardsen, David, Johnson & Shankland (2001), Acta Cryst. A57, 47, and their later papers
(2008, J. Appl. Cryst. 41, 1177; 2012, J. Appl. Cryst. 45, 1086): an allowed line has an intensity
of a law that is known beforehand and never below zero, a forbidden one has none, and the evidence
is the integral over all intensities. Here the integral is over what else was refined as well.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

from sgbench.decoder._clock import seconds
from sgbench.decoder._expectation import log_integrals
from sgbench.decoder._lattice_lines import ClassSettings
from sgbench.decoder._laws import (
    Law,
    LineLaw,
    law_of_settings,
    nearly_uniform,
    uniform_scale,
    wilson_means,
)
from sgbench.decoder._pattern_fit import WholePatternFit
from sgbench.decoder._whole_pattern import INSTRUMENT_SLACK
from sgbench.diffraction import lorentz_factor
from sgbench.symmetry import extinction_classes, family_spacegroups

# Sweeps of expectation propagation over the whole lattice, and over settings that are near the
# best one.
_SWEEPS_OF_LATTICE, _SWEEPS = 10, 3
# Settings that are looked at roughly, after an estimate line by line, and closely: so many at most,
# and this near to the best one (nats).
_ROUGHLY, _CLOSELY = (60, 400.0), (12, 40.0)
# A forbidden line may have this share of what lines of others have at its place, and more where the
# fit is bad.
_LEAK, _LEAK_OF_EXCESS = 0.003, 0.7
# A line of another phase at the place of a forbidden line: its logarithm of a probability where it
# is weak, and by which share of the strongest line that falls by 1.
_CONTAMINATED, _FALL = -5.0, 0.02
# Lines of other phases are mostly weaker than this share of the strongest line.
_STRONGEST_OTHER = 0.08
_ROUNDS = 6
# The logarithm of evidence counts this much, as noise is not all that patterns and fits differ by.
TEMPER = {"uniform": 0.5, "wilson": 0.3}
#: Probability that the truth is none of the classes, where the cell is sure.
DOUBT = 2e-3
# Lines that coincide, or that hardly a point shows, are kept apart by these shares of their own
# weight and of the greatest.
_RIDGE, _LEAST_RIDGE = 1e-10, 1e-13
# The first law is wide enough for lines of more than this share of the greatest weight.
_SHOWN = 1e-6
# Relative standard deviation of what is known of the metric beforehand.
_METRIC_SLACK = 0.3


@dataclass(frozen=True)
class RankedClass:
    """An extinction class and how probable it is.

    Attributes
    ----------
    family : str
    number : int
        Its place in `sgbench.symmetry.extinction_classes` of the family.
    symbol : str
        Extinction symbol.
    spacegroups : tuple of int
        Its members.
    probability : float
    cell : int
        Index of the cell that it is most probable with; 0 where there is one cell.
    share : float
        Its probability if one of the cells is right.
    """

    family: str
    number: int
    symbol: str
    spacegroups: tuple[int, ...]
    probability: float
    cell: int = 0
    share: float = 0.0


@dataclass(frozen=True, eq=False)
class Problem:
    """A least-squares problem in the intensities of lines, in units of the noise.

    Attributes
    ----------
    lattice_line : ndarray of int64, shape (n,)
        Which line of the lattice each is; -1 for lines of other phases.
    first, normal, right, border, border_square, border_right, square
        As of `WholePatternFit`.
    unit : ndarray of float64, shape (n,)
        What a line's intensity is proportional to before the law.
    s_squared : ndarray of float64, shape (n,)
        (sin theta / wavelength)^2 in 1/ångström^2.
    leak : ndarray of float64, shape (n,)
        Standard deviation of what may be at a forbidden line.
    strongest_other : ndarray of float64, shape (n,)
        Greatest intensity of a line of another phase at this place; 0 where there is none.
    constant : float
        What is to be added to the logarithm of the evidence.
    """

    lattice_line: NDArray[np.int64]
    first: NDArray[np.int64]
    normal: NDArray[np.float64]
    right: NDArray[np.float64]
    border: NDArray[np.float64]
    border_square: NDArray[np.float64]
    border_right: NDArray[np.float64]
    square: float
    unit: NDArray[np.float64]
    s_squared: NDArray[np.float64]
    leak: NDArray[np.float64]
    strongest_other: NDArray[np.float64]
    constant: float


def problem_of(fit: WholePatternFit, wavelength: float, law: Law, level: float) -> Problem:
    """Return the problem that a whole-pattern fit leaves.

    Parameters
    ----------
    fit : WholePatternFit
    wavelength : float
        In ångström.
    law : {'wilson', 'uniform'}
    level : float
        Standard deviation of the noise in units of that which was given: goodness of the best fit,
        times the root of how many points say the same.
    """
    scale = 1.0 / max(level, 1e-6) ** 2
    own = fit.lattice_line >= 0
    angle = np.clip(fit.two_theta, 1e-2, 179.0)
    unit = lorentz_factor(angle)
    if law == "wilson":
        multiplicity = np.ones(len(own))
        multiplicity[own] = fit.lines.multiplicity[fit.lattice_line[own]]
        unit = unit * (1 + np.cos(np.radians(angle)) ** 2) / 2 * multiplicity
    # What lines of others have at the place of each line, as the area of a line of its width.
    peak = np.maximum(fit.intensity, 0.0) / (1.2 * fit.width)
    at_centre = np.interp(fit.two_theta, fit.angles, fit.calculated - fit.background)
    others = np.maximum(at_centre - peak, 0.0) * 1.2 * fit.width
    strongest = float(np.max(peak)) if len(peak) else 0.0
    leak = (_LEAK + _LEAK_OF_EXCESS * fit.excess) * others
    floor = 0.05 / np.sqrt(
        np.maximum(scale * fit.normal[np.arange(len(own)), np.arange(len(own)) - fit.first], 1e-300)
    )
    slack = np.append(np.full(_metric_terms(fit), _METRIC_SLACK), INSTRUMENT_SLACK)
    n_terms = fit.border.shape[1] - len(slack)
    square = scale * fit.border_square
    square[n_terms:, n_terms:] += np.diag(1.0 / slack**2)
    n_others = int((~own).sum())
    span = fit.angles[-1] - fit.angles[0]
    constant = -float(np.sum(np.log(slack))) - 0.5 * len(slack) * np.log(2 * np.pi)
    constant += n_others * float(np.log(np.median(fit.width) / span))
    normal = scale * fit.normal
    every = np.arange(len(own))
    diagonal = normal[every, every - fit.first]
    normal[every, every - fit.first] += _RIDGE * diagonal + _LEAST_RIDGE * diagonal.max()
    return Problem(
        fit.lattice_line, fit.first, normal, scale * fit.right, scale * fit.border,
        square, scale * fit.border_right, scale * fit.square, unit,
        (np.sin(np.radians(angle / 2)) / wavelength) ** 2,
        np.maximum(leak, floor), _STRONGEST_OTHER * strongest * 1.2 * fit.width, constant,
    )  # fmt: skip


def _metric_terms(fit: WholePatternFit) -> int:
    return int(fit.lines.coefficients.shape[1])


def class_evidence(
    problem: Problem, settings: ClassSettings, law: Law, until: float = np.inf
) -> NDArray[np.float64]:
    """Return the logarithm of the evidence of each class of a family, shape (n_classes,).

    It holds the prior of the class: the share of the family's space groups that it has. From a time
    on, `sgbench.decoder._clock.seconds`, no setting but the likeliest is looked at closely.
    """
    n = len(problem.right)
    own = problem.lattice_line >= 0
    every = np.ones((1, n), dtype=bool)
    unit = problem.unit
    # A first law, wide enough for all lines, gives intensities that are not below zero.
    diagonal = problem.normal[np.arange(n), np.arange(n) - problem.first]
    guess = np.maximum(problem.right / diagonal, 0.0)
    shown = diagonal > _SHOWN * diagonal.max()
    least = float(np.max((problem.leak / unit)[shown]))
    upper = max(float(np.max(guess[shown] / unit[shown], initial=0.0)), least) * unit
    tau, nu = 1.0 / upper**2, 0.5 / upper
    integral = _Integral(problem)
    wide = nearly_uniform(upper[None, :])
    _, tau, nu, mean, variance = integral(every, wide, tau, nu, 4)
    if law == "uniform":
        means = unit * uniform_scale(mean[own], np.sqrt(variance[own]), unit[own])
    else:
        means = np.empty(n)
        means[own] = wilson_means(mean[own], unit[own], problem.s_squared[own])
    other = np.maximum(problem.strongest_other, 1e-6 * upper)
    alien = nearly_uniform(other)
    means[~own] = other[~own]
    present = np.ones((len(settings.present), n), dtype=bool)
    present[:, own] = settings.present[:, problem.lattice_line[own]]
    of_lattice = law_of_settings(law, every, mean, means)
    laws = law_of_settings(law, present, mean, means)
    for one in (of_lattice, laws):
        one.put(alien, ~own)
    _, tau, nu, mean, variance = integral(every, of_lattice, tau, nu, _SWEEPS_OF_LATTICE)
    weight = logsumexp(np.log(settings.prior)[:, None], b=settings.weight, axis=0)
    # Another estimate takes lines one by one: an allowed line costs what its law spreads over, and
    # a forbidden one what is seen of it, or that it is of another phase.
    alone, spread = _alone(mean, variance, tau, nu)
    gain = 0.5 * np.maximum(alone, 0.0) ** 2 / (spread + problem.leak**2)
    of_law = np.log(np.maximum(means / np.sqrt(2 * np.pi * spread), 1.0))
    of_other = np.minimum(gain, _cost(problem, alone) + of_law)
    hopeful = weight - present @ of_law - ~present @ of_other
    (likely,) = np.nonzero(_nearest(hopeful, *_ROUGHLY))
    rough = np.full(len(present), -np.inf)
    some = LineLaw(laws.curvature[likely], laws.slope[likely], laws.log_norm[likely])
    found, *_ = integral(present[likely], some, tau, nu, 0)
    rough[likely] = np.where(np.isfinite(found), found, -np.inf)
    nearest = _nearest(rough + weight, *_CLOSELY) | _nearest(hopeful, *_CLOSELY)
    (close,) = np.nonzero(nearest)
    close = close[np.lexsort((-hopeful[close], -(rough + weight)[close]))]
    fine = rough.copy()
    for done, setting in enumerate(close.tolist()):
        if done and seconds() > until:
            close = close[:done]
            break
        fine[setting] = _closely(problem, integral, present[setting], _row(laws, setting), tau, nu)
    # What was not looked at closely stays below what was by as much as the first estimate says.
    rest = np.setdiff1d(np.arange(len(fine)), close)
    known = close[np.isfinite(rough[close])]
    more = float(np.median(fine[known] - rough[known])) if len(known) else 0.0
    fine[rest] = np.minimum(rough[rest] + min(more, 0.0), fine[close].max())
    with np.errstate(divide="ignore"):
        return np.asarray(
            np.log(settings.prior)
            + logsumexp(fine[None, :], b=settings.weight, axis=1)
            + problem.constant
        )


def _nearest(evidence: NDArray[np.float64], most: int, within: float) -> NDArray[np.bool_]:
    """Tell which settings are the best ones, so many at most and so near to the best."""
    order = np.argsort(-evidence)[:most]
    chosen = np.zeros(len(evidence), dtype=bool)
    chosen[order[evidence[order] >= evidence[order[0]] - within]] = True
    return chosen


def _alone(
    mean: NDArray[np.float64],
    variance: NDArray[np.float64],
    tau: NDArray[np.float64],
    nu: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return mean and variance of each line without what is known of itself beforehand."""
    curvature = np.maximum(1.0 / variance - tau, 1e-300)
    return (mean / variance - nu) / curvature, 1.0 / curvature


def _cost(problem: Problem, strength: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what it costs to say that a line of this strength is of another phase (nats)."""
    share = np.maximum(strength, 0.0) * _STRONGEST_OTHER / problem.strongest_other
    return np.asarray(share / _FALL - _CONTAMINATED)


def _row(law: LineLaw, setting: int) -> LineLaw:
    row = slice(setting, setting + 1)
    return LineLaw(law.curvature[row].copy(), law.slope[row].copy(), law.log_norm[row].copy())


@dataclass(frozen=True, eq=False)
class _Integral:
    problem: Problem

    def __call__(
        self,
        present: NDArray[np.bool_],
        law: LineLaw,
        tau: NDArray[np.float64],
        nu: NDArray[np.float64],
        sweeps: int,
    ) -> tuple[NDArray[np.float64], ...]:
        p = self.problem
        found: tuple[NDArray[np.float64], ...] = log_integrals(
            np.ascontiguousarray(present), p.first, p.normal, p.right, p.border, p.border_square,
            p.border_right, p.square, law.curvature, law.slope, law.log_norm, p.leak, tau, nu,
            sweeps,
        )  # fmt: skip
        return found


def _closely(
    problem: Problem,
    integral: _Integral,
    present: NDArray[np.bool_],
    law: LineLaw,
    tau: NDArray[np.float64],
    nu: NDArray[np.float64],
) -> float:
    """Return the evidence of one setting, where lines of other phases may sit on forbidden ones."""
    allowed = present.copy()
    penalty, best = 0.0, -np.inf
    for _ in range(_ROUNDS):
        (value,), own_tau, own_nu, mean, variance = integral(
            allowed[None, :], law, tau, nu, _SWEEPS
        )
        best = max(best, float(value) + penalty)
        alone, spread = _alone(mean, variance, own_tau, own_nu)
        gain = 0.5 * alone * np.abs(alone) / (spread + problem.leak**2)
        cost = _cost(problem, alone)
        seen = ~allowed & (gain > 5.0 + cost)
        if not seen.any():
            break
        worst = seen & (gain >= 0.25 * gain[seen].max())
        allowed = allowed | worst
        penalty -= float(cost[worst].sum())
        law.put(nearly_uniform(np.maximum(problem.strongest_other, alone)), worst)
    return best


def ranked(
    evidence: list[tuple[str, NDArray[np.float64]]], law: Law, doubt: float = DOUBT
) -> tuple[RankedClass, ...]:
    """Rank the classes of some cells by their evidence.

    Parameters
    ----------
    evidence : list of (family, ndarray of shape (n_classes,))
        One entry a cell, as of `class_evidence`.
    law : {'wilson', 'uniform'}
    doubt : float
        Probability that the truth is none of what was weighed, which all classes share.

    Returns
    -------
    tuple of RankedClass
        Each class of the families once, the most probable first.
    """
    total: dict[tuple[str, int], tuple[float, float, int, int]] = {}
    shares = class_shares(evidence, law)
    for cell, ((family, _), of_classes) in enumerate(zip(evidence, shares, strict=True)):
        for number, value in enumerate(of_classes):
            all_cells, highest, best, cells = total.get((family, number), (0.0, -1.0, cell, 0))
            if value > highest:
                highest, best = float(value), cell
            total[family, number] = (all_cells + float(value), highest, best, cells + 1)
    count = sum(map(len, shares))
    found = []
    for (family, number), (share, _, cell, cells) in total.items():
        one = extinction_classes(family_spacegroups(family))[number]
        probability = (1 - doubt) * share + doubt * cells / count
        found.append(
            RankedClass(family, number, one.symbol, one.spacegroups, probability, cell, share)
        )
    return tuple(sorted(found, key=lambda entry: -entry.probability))


def class_shares(
    evidence: list[tuple[str, NDArray[np.float64]]], law: Law
) -> list[NDArray[np.float64]]:
    """Return the probability of each class with each cell if one of the cells is right.

    One array, shape (n_classes,), an entry of `evidence`.
    """
    top = max(float(values.max()) for _, values in evidence)
    shares = [np.exp(np.maximum(TEMPER[law] * (values - top), -700.0)) for _, values in evidence]
    total = sum(float(share.sum()) for share in shares)
    return [share / total for share in shares]
