"""What estimators see of a pattern: peaks and their ratios, or the pattern at low resolution."""

import numpy as np
from numpy.typing import NDArray

from sgbench.diffraction import PatternProtocol

# Of the strongest line. The Lorentz factor alone spans two orders of magnitude over the window, and
# random intensities a third; rendering is exact to 4e-7.
_PROMINENCE = 1e-4
_SUZUKI_PEAKS = 10
_RATIO_PEAKS = 20
_POOLED_POINTS = 128


def suzuki_features(
    patterns: NDArray[np.float32], protocol: PatternProtocol
) -> NDArray[np.float32]:
    """Return the features of Suzuki et al. 2020: ten positions and the number of peaks.

    Parameters
    ----------
    patterns : ndarray of float32, shape (n, n_points)
        Maximum 1.
    protocol : PatternProtocol

    Returns
    -------
    ndarray of float32, shape (n, 11)
        Positions q = 4π sin θ / λ of the ten peaks of lowest angle, in 1/ångström, 0 for those that
        a pattern does not have (as in the authors' notebooks), then the number of peaks in the
        window.
    """
    return np.column_stack(_lowest_peaks(patterns, protocol, _SUZUKI_PEAKS)).astype(np.float32)


def ratio_features(patterns: NDArray[np.float32], protocol: PatternProtocol) -> NDArray[np.float32]:
    """Return what indexing by hand looks at: ratios of 1/d² and their differences.

    Ratios do not depend on the size of the cell: those of a cubic pattern are quotients of small
    integers, whatever its cell.

    Parameters
    ----------
    patterns : ndarray of float32, shape (n, n_points)
        Maximum 1.
    protocol : PatternProtocol

    Returns
    -------
    ndarray of float32, shape (n, 40)
        For the twenty peaks of lowest angle: (q_i/q_1)² of the second and later ones, the
        differences of neighbours among all of them, q_1² in 1/ångström² and the number of peaks in
        the window. A peak that a pattern does not have counts as one at q = 0.
    """
    q, total = _lowest_peaks(patterns, protocol, _RATIO_PEAKS)
    squares = q**2
    first = squares[:, :1]
    ratios = squares / np.where(first > 0, first, 1)
    columns = [ratios[:, 1:], np.diff(ratios, axis=1), first, total]
    return np.column_stack(columns).astype(np.float32)


def pooled_roots(patterns: NDArray[np.float32], protocol: PatternProtocol) -> NDArray[np.float32]:
    """Return the square root of a pattern, max-pooled to 128 points, as vectors of length 1.

    The root lifts weak lines. At 0.66 degrees a point, nearly three widths of a line at half
    height, patterns of neighbouring cells still meet: with 1024, 512, 256 and 128 points, ten
    neighbours among 20,000 patterns of ``ulbd-cubic`` name 66, 70, 76 and 82 % of the extinction
    classes off the mesh; with 32, too many lines share a point. Euclidean distances of vectors of
    length 1 rank as cosines do.

    Parameters
    ----------
    patterns : ndarray of float32, shape (n, n_points)
        Maximum 1.
    protocol : PatternProtocol

    Returns
    -------
    ndarray of float32, shape (n, 128)
    """
    starts = np.arange(_POOLED_POINTS) * protocol.n_points // _POOLED_POINTS
    pooled = np.maximum.reduceat(patterns, starts, axis=1)
    roots: NDArray[np.float32] = np.sqrt(np.maximum(pooled, 0))  # noise goes below zero
    roots /= np.linalg.norm(roots, axis=1, keepdims=True)
    return roots


def _lowest_peaks(
    patterns: NDArray[np.float32], protocol: PatternProtocol, count: int
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Find maxima that rise by at least 1e-4 of the strongest above what surrounds them.

    The apex is that of the parabola through the highest point and its two neighbours. Returns the
    positions q of the peaks of lowest angle, shape (n, count), 0 where there are fewer, and how
    many there are in all, shape (n,).
    """
    from scipy.signal import find_peaks

    q = np.zeros((len(patterns), count))
    total = np.zeros(len(patterns), dtype=np.int64)
    for i, pattern in enumerate(patterns):
        at, _ = find_peaks(pattern, prominence=_PROMINENCE)
        total[i] = len(at)
        at = at[:count]
        below, top, above = (pattern[at + shift].astype(np.float64) for shift in (-1, 0, 1))
        curvature = below - 2 * top + above
        # A flat top, where measured patterns are cut off, has its middle for apex.
        offset = 0.5 * (below - above) / np.where(curvature < 0, curvature, -1)
        two_theta = protocol.two_theta_min + (at + offset) * protocol.step
        q[i, : len(at)] = 4 * np.pi * np.sin(np.radians(two_theta / 2)) / protocol.wavelength
    return q, total
