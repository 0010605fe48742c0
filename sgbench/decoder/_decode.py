"""From a pattern to probabilities of extinction classes, without training."""

from dataclasses import dataclass
from functools import lru_cache

import numba
import numpy as np
from numpy.typing import ArrayLike, NDArray

from sgbench.decoder._evidence import log_evidence
from sgbench.decoder._indexing import INDEXED, candidate_metrics
from sgbench.decoder._pawley import LatticeFit, fit_lattice, nonnegative, relative_lorentz
from sgbench.decoder._peaks import Peaks, find_peaks, noise_level
from sgbench.diffraction import (
    FREE_PARAMETERS,
    LineList,
    PatternProtocol,
    ReflectionTable,
    reflection_table,
    two_theta_of,
)
from sgbench.errors import SgbenchError
from sgbench.symmetry import class_labels, family_spacegroups, relabellings

# Lattices that are fitted to a pattern, of all that explain its peaks.
_FITTED = 5
# A lattice whose best class leaves so many more lines unseen than the best lattice's is not fitted.
_UNSEEN_BEYOND = 12
# A line below this share of the scale counts as unseen when lattices are compared.
_SEEN = 0.01
# A peak that a class does not explain weighs as much as so many lines that it allows in vain.
_UNEXPLAINED = 10
# A thorough search follows where all lattices leave more than so many times the noise.
_TOLERABLE = 1.3
# Probability that the lattices which were found do not hold the true one, where one of them
# explains the pattern and where none does.
_DOUBT = 1e-3
_DOUBT_OF_MISFIT = 0.5

#: Why no cell is found.
NO_INTENSITY = "no intensity above zero"
NO_PEAK = "no peak stands out of the noise"
NO_LATTICE = "no cell within the bounds explains the peaks"

_NO_LINES = LineList(np.zeros(2, np.int64), np.empty(0), np.empty(0, np.float32))


@dataclass(frozen=True)
class Decoded:
    """What was read from n patterns.

    Attributes
    ----------
    class_probabilities : ndarray of float64, shape (n, n_classes)
        In the order of `sgbench.symmetry.extinction_classes` of the family.
    cells : ndarray of float64, shape (n, p)
        Free parameters in ångström, orthorhombic ones as a <= b <= c; NaN where no cell was found.
    misfit : ndarray of float64, shape (n,)
        Root mean square of what all lines of the lattice together leave, as a share of the
        pattern's maximum; NaN without a cell.
    lines : LineList
        Lines that the class of most evidence allows, with non-negative intensities that fit best,
        in units of the pattern; none without a cell.
    reason : tuple of str, length n
        Why no cell was found; empty where one was.
    """

    class_probabilities: NDArray[np.float64]
    cells: NDArray[np.float64]
    misfit: NDArray[np.float64]
    lines: LineList
    reason: tuple[str, ...]


@dataclass(frozen=True)
class _Settings:
    """The distinct sets of lines that classes of a family keep, over all namings of the axes.

    `present` has the shape (n_settings, n_lines), `weight` of shape (n_classes, n_settings) is the
    share of a class's namings, and `prior` of shape (n_classes,) that of the family's space groups.
    """

    protocol: PatternProtocol
    largest_cell: tuple[float, ...]
    table: ReflectionTable
    present: NDArray[np.bool_]
    weight: NDArray[np.float64]
    prior: NDArray[np.float64]


def decode(
    patterns: ArrayLike,
    protocol: PatternProtocol,
    family: str,
    largest_cell: tuple[float, ...],
    shortest_edge: float = 2.5,
    noise: float = 1e-5,
) -> Decoded:
    """Find cell and extinction class of patterns of a family.

    Each pattern is indexed, all lines of the lattices found are fitted at once, and extinction
    classes are ranked by the evidence of lines that are there and lines that are not. Before the
    pattern is seen, a class weighs as many space groups as it has.

    Parameters
    ----------
    patterns : array_like of float, shape (n, n_points)
    protocol : PatternProtocol
        How they were measured.
    family : str
        One of cubic, tetragonal, trigonal-hexagonal and orthorhombic.
    largest_cell : tuple of float
        Upper bounds of the free cell parameters in ångström.
    shortest_edge : float
        Lower bound of every free cell parameter in ångström.
    noise : float
        Least standard deviation of the noise, as a share of a pattern's maximum. More is taken
        where even all lines of the lattice together leave more.

    Returns
    -------
    Decoded
        With a cell for each pattern.

    Raises
    ------
    SgbenchError
        If the family, the bounds or the patterns cannot be used, or no cell explains a pattern.
    """
    found = decode_each(patterns, protocol, family, largest_cell, shortest_edge, noise)
    without = [row for row, reason in enumerate(found.reason) if reason]
    if without:
        raise SgbenchError(
            f"no cell was found for {len(without)} of {len(found.reason)} patterns, the first is "
            f"row {without[0]}: {found.reason[without[0]]}. Widen the bounds, leave those patterns "
            "out, or take decode_each, which gives a reason for each."
        )
    return found


def decode_each(
    patterns: ArrayLike,
    protocol: PatternProtocol,
    family: str,
    largest_cell: tuple[float, ...],
    shortest_edge: float = 2.5,
    noise: float = 1e-5,
) -> Decoded:
    """Do what `decode` does, but go on where no cell is found.

    Parameters
    ----------
    patterns, protocol, family, largest_cell, shortest_edge, noise
        As of `decode`.

    Returns
    -------
    Decoded
        Patterns that no cell explains have a reason, and the probabilities of guessing.

    Raises
    ------
    SgbenchError
        If the family, the bounds or the patterns cannot be used.
    """
    measured = np.asarray(patterns, dtype=np.float64)
    _check(measured, protocol, family, largest_cell, shortest_edge, noise)
    largest = tuple(float(edge) for edge in largest_cell)
    settings = _settings(family, largest, protocol)
    n = len(measured)
    probabilities = np.tile(settings.prior, (n, 1))
    cells = np.full((n, len(largest)), np.nan)
    misfit = np.full(n, np.nan)
    lines = [LineList(np.zeros(1, np.int64), np.empty(0), np.empty(0, np.float32))]
    reasons = []
    for index, pattern in enumerate(measured):
        peak = pattern.max()
        best: str | tuple[LatticeFit, NDArray[np.bool_], NDArray[np.float64]] = NO_INTENSITY
        if peak > 0:
            best = _best_lattices(pattern / peak, settings, shortest_edge, noise)
        reasons.append(best if isinstance(best, str) else "")
        if isinstance(best, str):
            lines.append(_NO_LINES)
            continue
        fit, present, probabilities[index] = best
        cells[index], misfit[index] = _cell(family, fit.metric), fit.misfit
        keep = np.flatnonzero(present)
        heights = (peak * nonnegative(fit, keep)).astype(np.float32)
        lines.append(LineList(np.array([0, len(keep)]), fit.two_theta[keep], heights))
    return Decoded(probabilities, cells, misfit, LineList.concatenate(lines), tuple(reasons))


def _best_lattices(
    pattern: NDArray[np.float64], settings: _Settings, shortest_edge: float, noise: float
) -> tuple[LatticeFit, NDArray[np.bool_], NDArray[np.float64]] | str:
    """Return the best lattice, which of its lines the best class allows, and all probabilities.

    The pattern's maximum is 1; the reason where no lattice explains its peaks.
    """
    table, protocol = settings.table, settings.protocol
    smallest = (shortest_edge,) * len(settings.largest_cell)
    peaks = find_peaks(pattern, protocol, noise)
    tolerable = _TOLERABLE * max(noise, noise_level(pattern))
    found: list[LatticeFit] = []
    for thorough in (False, True):
        metrics = candidate_metrics(peaks, table.family, smallest, settings.largest_cell, thorough)
        metrics = _most_plausible(pattern, peaks, metrics, settings, noise)
        fits = [fit_lattice(pattern, one, table, protocol, noise) for one in metrics]
        found += [fit for fit in fits if fit is not None]
        if any(fit.misfit <= tolerable for fit in found):
            break
    if not found:
        return NO_LATTICE if len(peaks.q) else NO_PEAK
    level = max(noise, min(fit.misfit for fit in found))
    scale = _scale(pattern, peaks, protocol)
    evidence = np.stack(
        [log_evidence(fit, settings.present[:, fit.row], level, scale) for fit in found]
    )
    lattice, setting = np.unravel_index(evidence.argmax(), evidence.shape)
    share = np.exp(evidence - evidence[lattice, setting]).sum(axis=0)
    posterior = settings.prior * (settings.weight @ share)
    fit = found[lattice]
    doubt = _DOUBT if fit.misfit <= tolerable else _DOUBT_OF_MISFIT
    probabilities = (1 - doubt) * posterior / posterior.sum() + doubt * settings.prior
    return fit, settings.present[setting, fit.row], probabilities


def spacegroup_probabilities(
    class_probabilities: ArrayLike, family: str, prior: ArrayLike | None = None
) -> NDArray[np.float64]:
    """Spread probabilities of extinction classes over their space groups.

    Parameters
    ----------
    class_probabilities : array_like, shape (n, n_classes)
    family : str
    prior : array_like, shape (n_spacegroups,), optional
        Probabilities of the family's space groups before a pattern is seen; alike by default.

    Returns
    -------
    ndarray, shape (n, n_spacegroups)
        In the order of `sgbench.symmetry.family_spacegroups`.
    """
    labels = class_labels(family_spacegroups(family))
    weight = np.ones(len(labels)) if prior is None else np.asarray(prior, dtype=np.float64)
    of_class = np.bincount(labels, weights=weight)
    return np.asarray(np.asarray(class_probabilities)[:, labels] * weight / of_class[labels])


def _check(
    patterns: NDArray[np.float64],
    protocol: PatternProtocol,
    family: str,
    largest_cell: tuple[float, ...],
    shortest_edge: float,
    noise: float,
) -> None:
    if family not in INDEXED:
        raise SgbenchError(
            f"the decoder cannot index the family '{family}'; expected one of "
            f"{', '.join(INDEXED)}. Choose one of these."
        )
    names = FREE_PARAMETERS[family]
    if len(largest_cell) != len(names) or not 0 < shortest_edge < min(largest_cell):
        raise SgbenchError(
            f"cells from {shortest_edge:g} to {largest_cell} Å cannot be searched; expected an "
            f"upper bound for each of {', '.join(names)}, above the shortest edge. Mend the bounds."
        )
    if patterns.ndim != 2 or patterns.shape[1] != protocol.n_points:
        raise SgbenchError(
            f"patterns of shape {patterns.shape} do not fit the protocol '{protocol.name}'; "
            f"expected (n, {protocol.n_points}). Put them on its grid."
        )
    if not np.isfinite(patterns).all():
        raise SgbenchError(
            "patterns hold values that are not finite; expected numbers alone. Leave those "
            "patterns out or mend them."
        )
    if not 0 < noise < 1:
        raise SgbenchError(
            f"a noise of {noise:g} cannot be used; expected a share of a pattern's maximum, "
            "between 0 and 1. Give e.g. 0.01."
        )


@lru_cache(maxsize=8)
def _settings(family: str, largest_cell: tuple[float, ...], protocol: PatternProtocol) -> _Settings:
    # Cells are found with their axes in ascending order.
    bounds = tuple(sorted(largest_cell)) if family == "orthorhombic" else largest_cell
    table = reflection_table(family, bounds, protocol)
    present, setting = np.unique(table.present, axis=0, return_inverse=True)
    n_relabellings = len(relabellings(family))
    of_class = np.arange(len(table.present)) // n_relabellings
    weight = np.zeros((of_class[-1] + 1, len(present)))
    np.add.at(weight, (of_class, setting.ravel()), 1.0 / n_relabellings)
    members = np.bincount(class_labels(family_spacegroups(family)))
    return _Settings(protocol, largest_cell, table, present, weight, members / members.sum())


def _cell(family: str, metric: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the free parameters of a metric of a family whose angles are fixed."""
    first = 4.0 / 3.0 if family == "trigonal-hexagonal" else 1.0
    factor = np.ones(len(metric))
    factor[0] = first
    return np.asarray(np.sqrt(factor / metric))


def _scale(pattern: NDArray[np.float64], peaks: Peaks, protocol: PatternProtocol) -> float:
    """Estimate the largest intensity of a line before the Lorentz factor.

    It is that of the clear peaks, where there are any, raised for what n of them are expected to
    miss of the upper end.
    """
    if len(peaks.q) == 0:
        return float(np.max(pattern / relative_lorentz(protocol.two_theta)))
    lorentz = relative_lorentz(two_theta_of(peaks.q, protocol.wavelength))
    return float(np.max(peaks.height / lorentz) * (1 + 1 / len(peaks.q)))


def _most_plausible(
    pattern: NDArray[np.float64],
    peaks: Peaks,
    metrics: NDArray[np.float64],
    settings: _Settings,
    noise: float,
) -> NDArray[np.float64]:
    """Return the few lattices that have a class with hardly any line that is not seen."""
    if len(metrics) == 0:
        return metrics
    protocol = settings.protocol
    faintest = _SEEN * _scale(pattern, peaks, protocol) * relative_lorentz(protocol.two_theta)
    unseen = pattern < np.maximum(faintest, 3 * noise)
    penalty = _penalties(
        metrics, settings.table.coefficients.astype(np.float64), settings.present, unseen,
        peaks.q, peaks.tolerance,
        protocol.wavelength, protocol.two_theta_min, protocol.step, _UNEXPLAINED,
    )  # fmt: skip
    order = np.argsort(penalty, kind="stable")[:_FITTED]
    return np.asarray(metrics[order[penalty[order] <= penalty[order[0]] + _UNSEEN_BEYOND]])


@numba.njit(cache=True)
def _penalties(  # type: ignore[no-untyped-def]
    metrics, coefficients, present, unseen, peak, tolerance, wavelength, origin, step, unexplained
):
    """Return, for each lattice, the least penalty of any class."""
    penalty = np.empty(len(metrics))
    n_settings, n_lines = present.shape
    q = np.empty(n_lines)
    explained = np.empty(n_settings, np.bool_)
    for index in range(len(metrics)):
        count = np.zeros(n_settings, np.int64)
        for line in range(n_lines):
            q[line] = 0.0
            for s in range(metrics.shape[1]):
                q[line] += coefficients[line, s] * metrics[index, s]
            sine = 0.5 * wavelength * np.sqrt(q[line])
            if sine >= 1.0:
                continue
            place = np.rint((np.degrees(2 * np.arcsin(sine)) - origin) / step)
            if 0 <= place < len(unseen) and unseen[int(place)]:
                for setting in range(n_settings):
                    count[setting] += present[setting, line]
        for number in range(len(peak)):
            explained[:] = False
            for line in range(n_lines):
                if abs(q[line] - peak[number]) <= tolerance[number]:
                    for setting in range(n_settings):
                        explained[setting] |= present[setting, line]
            for setting in range(n_settings):
                if not explained[setting]:
                    count[setting] += unexplained
        penalty[index] = count.min()
    return penalty
