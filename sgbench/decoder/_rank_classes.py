"""Classes by the intensities that another program's Pawley fit gave."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sgbench.decoder._classes import Problem, RankedClass, class_evidence, ranked
from sgbench.decoder._lattice_lines import LatticeLines, class_settings
from sgbench.decoder._laws import check_law
from sgbench.diffraction import coefficients, free_parameters, metric
from sgbench.errors import SgbenchError

# What may be at a forbidden line as a share of the mean
# intensity, how many have to be below zero to tell uncertainties, and correlations that count (the
# authors of ExtSym take 0.4).
_LEAK_OF_TYPICAL, _FEWEST_BELOW, _CORRELATED = 0.03, 5, 0.3


def rank_classes(
    family: str,
    cell: ArrayLike | None,
    hkl: ArrayLike,
    intensity: ArrayLike,
    covariance: ArrayLike,
    law: str = "wilson",
) -> tuple[RankedClass, ...]:
    """Rank the extinction classes of a family by intensities that a Pawley fit gave.

    Parameters
    ----------
    family : str
    cell : array_like, shape (6,) or (p,), or None
        a, b, c in ångström and alpha, beta, gamma in degrees, or the family's free parameters. None
        where reflections are sorted by their Bragg angles; then these are not needed.
    hkl : array_like of int, shape (n, 3)
        Reflections that the fit had, those of a lattice without extinctions, one for each set of
        equivalent ones.
    intensity : array_like, shape (n,)
        Of one reflection each, Lorentz and polarisation factors and multiplicity taken out.
    covariance : array_like, shape (n, n)
    law : {'wilson', 'uniform'}
        How intensities are distributed: of measured or of designed patterns.

    Returns
    -------
    tuple of RankedClass
        All classes of the family, the most probable first.

    Raises
    ------
    SgbenchError
        If shapes do not fit, the covariance has no positive diagonal, all intensities are zero, or
        the law is unknown.
    """
    of_law = check_law(law)
    indices = np.asarray(hkl, dtype=np.int64)
    heights = np.asarray(intensity, dtype=np.float64)
    spread = np.asarray(covariance, dtype=np.float64)
    n = len(heights)
    if indices.shape != (n, 3) or spread.shape != (n, n) or n == 0:
        raise SgbenchError(
            f"hkl of shape {indices.shape}, {n} intensities and a covariance of shape "
            f"{spread.shape} do not fit; expected (n, 3), n and (n, n). Give a row a reflection."
        )
    if not (np.isfinite(spread).all() and np.isfinite(heights).all() and np.diag(spread).min() > 0):
        raise SgbenchError(
            "intensities or covariance are not finite, or a variance is not above zero; expected "
            "a variance for each intensity. Leave those reflections out."
        )
    if not np.abs(heights).max() > 0:
        raise SgbenchError(
            "all intensities are zero; expected lines. Give those of a fit that found some."
        )
    if cell is None:
        # There are as many reflections up to s as grow with the cube of s.
        s_squared = (np.arange(1, n + 1) / n) ** (2 / 3) / 4
    else:
        of_metric = metric(family, free_parameters(family, cell)[None, :])[0]
        s_squared = coefficients(family, indices) @ of_metric / 4
    order = np.argsort(s_squared, kind="stable")
    indices, heights, s_squared = indices[order], heights[order], s_squared[order]
    spread = spread[np.ix_(order, order)]
    spread = spread * _larger(heights, np.sqrt(np.diag(spread))) ** 2
    first = _blocks(spread)
    precision = _precision(spread, first)
    normal = np.zeros((n, int(np.max(np.arange(n) - first)) + 1))
    for row in range(n):
        normal[row, : row - first[row] + 1] = precision[row, first[row] : row + 1]
    lines = _listed_lines(family, indices)
    typical = float(np.mean(np.abs(heights)))
    problem = Problem(
        np.arange(n), first, normal, precision @ heights, np.zeros((n, 0)),
        np.zeros((0, 0)), np.zeros(0), float(heights @ precision @ heights), np.ones(n), s_squared,
        0.1 * np.sqrt(np.diag(spread)) + _LEAK_OF_TYPICAL * typical, np.full(n, typical), 0.0,
    )  # fmt: skip
    settings = class_settings(lines)
    evidence = class_evidence(problem, settings, of_law)
    return ranked([(family, evidence)], of_law)


def _larger(heights: NDArray[np.float64], deviation: NDArray[np.float64]) -> float:
    """Return how many times larger uncertainties are than those given, at least 1.

    Intensities are not below zero, so those that come out below say by how much they are off.
    """
    below = heights[heights < 0] / deviation[heights < 0]
    return max(1.0, float(np.sqrt(np.mean(below**2)))) if len(below) >= _FEWEST_BELOW else 1.0


def _blocks(covariance: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the first line of the run of lines that each is correlated with."""
    n = len(covariance)
    deviation = np.sqrt(np.diag(covariance))
    coupled = np.abs(covariance) > _CORRELATED * deviation[:, None] * deviation
    coupled[np.diag_indices(n)] = True
    # A run ends where none of its lines is correlated with a later one.
    last = np.maximum.accumulate(n - 1 - coupled[:, ::-1].argmax(axis=1))
    begins = np.append(True, last[:-1] < np.arange(1, n))
    return np.asarray(np.maximum.accumulate(np.where(begins, np.arange(n), 0)))


def _precision(covariance: NDArray[np.float64], first: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the inverse of a covariance, run by run."""
    precision = np.zeros_like(covariance)
    for begin in np.unique(first):
        run = np.flatnonzero(first == begin)
        precision[np.ix_(run, run)] = _inverse(covariance[np.ix_(run, run)])
    return precision


def _listed_lines(family: str, hkl: NDArray[np.int64]) -> LatticeLines:
    """Return reflections as lines; one that stands alone in its line stands for all of it."""
    rows, line, count = np.unique(
        coefficients(family, hkl), axis=0, return_inverse=True, return_counts=True
    )
    line = line.ravel()
    representatives, of_line = [], []
    for index, one in enumerate(hkl):
        images = _exchanged(family, one) if count[line[index]] == 1 else one[None, :]
        representatives.append(images)
        of_line.append(np.full(len(images), index))
    every = np.concatenate(representatives)
    return LatticeLines(
        family, rows[line], hkl, np.ones(len(hkl), np.int64), every, np.concatenate(of_line)
    )


def _exchanged(family: str, hkl: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return images of a reflection that share its line and are absent for other groups alone."""
    h, k, l = hkl  # noqa: E741
    if family == "tetragonal":
        return np.array([[h, k, l], [k, h, l]])
    if family == "cubic":
        return np.array([[h, k, l], [k, h, l]])
    if family == "trigonal-hexagonal":
        return np.array([[h, k, l], [k, h, l], [h, k, -l], [k, h, -l]])
    return hkl[None, :]


def _inverse(covariance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the inverse; correlations that cannot be are drawn together until they can."""
    deviation = np.sqrt(np.diag(covariance))
    correlation = covariance / deviation[:, None] / deviation
    values, axes = np.linalg.eigh((correlation + correlation.T) / 2)
    inverse = (axes / np.maximum(values, 1e-3)) @ axes.T
    return np.asarray(inverse / deviation[:, None] / deviation)
