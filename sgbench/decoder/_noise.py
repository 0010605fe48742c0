"""What counting and the detector do to a pattern whose uncertainties are not known."""

import numpy as np
from numpy.typing import NDArray

# Differences of this order hardly see a line that is sampled at ten points or so.
_ORDER = 6
# Points whose heights are alike, in which the scatter is looked at.
_BINS = 24
# Least standard uncertainty, as a share of the highest point.
_FLOOR = 1e-5
# From this share of zeros on, what lies below zero may have been cut off.
_CUT_OFF = 0.1
_FAR_FROM_LEAST = 4.0
# The median of the square of a normal number.
_MEDIAN_SQUARE = 0.4549


def standard_uncertainty(intensity: NDArray[np.float64]) -> NDArray[np.float64]:
    """Estimate the standard uncertainty of each point of a pattern.

    Its square is taken to be a constant, as electronics have it, plus a multiple of the height, as
    counting has it. Both follow from how high differences of neighbouring points scatter in bins of
    points of like heights.

    Parameters
    ----------
    intensity : ndarray of float, shape (n,)

    Returns
    -------
    ndarray of float64, shape (n,)
    """
    floor = _FLOOR * max(float(intensity.max()), 1e-300)
    if len(intensity) < 4 * _ORDER:
        return np.full(len(intensity), max(floor, float(np.std(intensity))))
    kernel = np.array([1.0, 2.0, 3.0, 2.0, 1.0]) / 9.0
    level = np.maximum(np.convolve(np.pad(intensity, 2, mode="edge"), kernel, mode="valid"), 0.0)
    difference = np.diff(intensity, n=_ORDER)
    norm = float(np.sum(np.array(_binomials(_ORDER), dtype=float) ** 2))
    square = difference**2 / norm
    height = level[_ORDER // 2 : len(level) - _ORDER // 2]
    order = np.argsort(height, kind="stable")
    variances, heights = [], []
    for part in np.array_split(order, _BINS):
        variances.append(float(np.median(square[part])) / _MEDIAN_SQUARE)
        heights.append(float(np.mean(height[part])))
    constant, slope = _line(np.array(heights), np.array(variances))
    constant = max(constant, cut_off(intensity))
    # A point without a count is not known to be nothing: `slope` is the height of one count.
    return np.asarray(np.sqrt(constant + slope * (level + 0.5 * slope) + floor**2))


def cut_off(intensity: NDArray[np.float64]) -> float:
    """Return the variance of a background at zero of which all below zero was cut off; else 0.

    What is left of it beside a zero is half of a normal distribution. Few counts are not that: one
    count is the least of them, and most are not far from it.
    """
    zero = intensity == 0
    if intensity.min() < 0 or np.mean(zero) < _CUT_OFF:
        return 0.0
    beside = np.zeros(len(zero), dtype=bool)
    beside[1:] |= zero[:-1]
    beside[:-1] |= zero[1:]
    left = intensity[beside & ~zero]
    if len(left) < _BINS or np.median(left) < _FAR_FROM_LEAST * left.min():
        return 0.0
    return float(np.median(left**2)) / _MEDIAN_SQUARE


def points_together(residual: NDArray[np.float64], width: float) -> float:
    """Return how many neighbouring points have one residual between them.

    By so many times the variance of a sum over a line is that of independent points. A misfit of
    profiles is no noise: it is the same at all points of a flank (Bérar & Lelann 1991, J. Appl.
    Cryst. 24, 1).

    Parameters
    ----------
    residual : ndarray of float, shape (n,)
        In units of the noise.
    width : float
        Points of a line, over which neighbours are looked at.

    Returns
    -------
    float
        From 1, for noise alone, to `width`, for residuals that do not change over a line.
    """
    square = float(residual @ residual)
    together = 1.0
    for lag in range(1, min(int(np.ceil(width)), len(residual))):
        alike = float(residual[lag:] @ residual[:-lag]) / max(square, 1e-300)
        together += 2 * (1 - lag / width) * alike
    return max(together, 1.0)


def averaged(
    two_theta: NDArray[np.float64],
    intensity: NDArray[np.float64],
    variance: NDArray[np.float64],
    length: float,
) -> tuple[NDArray[np.float64], ...]:
    """Return means over neighbouring points, and their variances, no farther apart than a length.

    Parameters
    ----------
    two_theta, intensity, variance : ndarray of float, shape (n,)
    length : float
        In degrees; nothing is averaged where any step is longer than half of it.
    """
    together = int(length / float(np.diff(two_theta).max()))
    if together < 2:
        return two_theta, intensity, variance
    n = len(two_theta) // together * together
    parts = (two_theta, intensity, variance / together)
    return tuple(values[:n].reshape(-1, together).mean(axis=1) for values in parts)


def _binomials(order: int) -> list[int]:
    row = [1]
    for _ in range(order):
        row = [a + b for a, b in zip([0, *row], [*row, 0], strict=True)]
    return row


def _line(heights: NDArray[np.float64], variances: NDArray[np.float64]) -> tuple[float, float]:
    """Return a constant and a slope, none below 0, that suit variances, whose errors are relative.

    Bins of the highest points hold the tops of lines, where differences are more than noise: a line
    through lower bins that the higher ones do not fall below is what noise can be.
    """
    best = (np.inf, 0.0, 0.0)
    # Where most points have no count, most bins have no variance.
    seen = variances[variances > 0]
    positive = float(np.median(seen)) if len(seen) else 1.0
    above = heights > 1e-12 * heights.max()
    for slope in np.append(0.0, variances[above] / heights[above]):
        for constant in np.append(0.0, np.maximum(variances - slope * heights, 0.0)):
            model = np.maximum(constant + slope * heights, 1e-12 * positive)
            ratio = np.log(np.maximum(variances, 1e-12 * positive) / model)
            loss = float(np.sum(np.abs(ratio)))
            if loss < best[0]:
                best = (loss, float(constant), float(slope))
    return best[1], best[2]
