"""Found lines that are one line: parts of a profile that is not the others', or not the shape's."""

import numpy as np
from numpy.typing import NDArray

from sgbench.decoder._line_kernels import add_line, profile_at

Floats = NDArray[np.float64]

# Lines closer than so many widths may be one, whose place is unsure by a part of the width: where
# the shape is wrong, and where a line of another width does.
_ONE_LINE, _MOVED, _WIDER = 0.8, 0.05, 0.02
# So many lines are taken for one at once.
_SEVERAL = (4, 3, 2)
# Lines that are low beside a higher one, by its height times the misfit and a factor, are its
# tails, on either side so many widths long.
_TAIL, _TAIL_HEIGHT = (2.5, 1.8), 8.0
# A line is so many times as wide as the others, at least and at most.
_WIDTHS = 0.8, 2.0


def own_lines(
    place: Floats, height: Floats, sigma: Floats, fwhm: Floats, misfit: float
) -> list[int]:
    """Return which lines are no parts of a higher one, whose shape is not the pattern's.

    What is a part moves the place of the line, in `place`, to the middle of all, with an
    uncertainty, in `sigma`, of a part of the width.
    """
    own: list[int] = []
    taken = np.zeros(len(place), dtype=bool)
    for i in np.argsort(-height):
        if taken[i]:
            continue
        off = (place - place[i]) / fwhm[i]
        # Axial divergence and slits draw lines out to lower angles.
        reach = np.where(off < 0, _TAIL[0], _TAIL[1])
        part = (np.abs(off) < _ONE_LINE) | (
            (np.abs(off) < reach) & (height < _TAIL_HEIGHT * misfit * height[i])
        )
        part &= ~taken
        near = part & (np.abs(off) < _ONE_LINE)
        if near.sum() > 1:
            place[i] = np.average(place[near], weights=height[near])
            sigma[i] = max(sigma[i], _MOVED * fwhm[i])
        taken |= part
        own.append(int(i))
    return sorted(own, key=lambda i: float(place[i]))


def no_broad_lines(
    t: Floats,
    left: Floats,
    weight: Floats,
    lines: tuple[Floats, Floats, Floats, Floats],
    profile: tuple[Floats, float, float],
    significant: float,
) -> tuple[Floats, Floats, Floats, Floats]:
    """Make one line of several that one of another width does for.

    Crystals that are small or strained along an axis widen some lines more than others.

    Parameters
    ----------
    t : ndarray of float, shape (n,)
        Angles in degrees.
    left, weight : ndarray of float, shape (n,)
        What the lines leave of the pattern, and the inverse of its variance.
    lines : tuple of ndarray of float, shape (m,)
        Places, ascending; heights; standard uncertainties of places; full widths.
    profile : (ndarray of float, float, float)
        Shape of lines, second wavelength by the first, and the height of its line.
    significant : float
        Standard deviations by which several lines must be better than one.

    Returns
    -------
    tuple of ndarray
        As `lines`.
    """
    place, height, sigma, fwhm = (values.tolist() for values in lines)
    k = 0
    while k < len(place):
        for several in _SEVERAL:
            some = slice(k, k + several)
            if k + several > len(place) or max(np.diff(place[some])) > _ONE_LINE * fwhm[k]:
                continue
            one = _one_line(t, left, weight, place[some], height[some], fwhm[k], profile)
            if one is None or one[0] > significant**2:
                continue
            _, at, high, width, change = one
            left = left + change
            sigma[some] = [max(min(sigma[some]), _WIDER * fwhm[k])]
            place[some], height[some], fwhm[some] = [at], [high], [width]
            break
        k += 1
    return np.array(place), np.array(height), np.array(sigma), np.array(fwhm)


def _one_line(
    t: Floats,
    left: Floats,
    weight: Floats,
    place: list[float],
    height: list[float],
    width: float,
    profile: tuple[Floats, float, float],
) -> tuple[float, float, float, float, Floats] | None:
    """Fit a line instead of several.

    Returns by how much its sum of squares is larger, its place, height and width, and what is left
    more of the pattern; None where there are no points for that.
    """
    from scipy.optimize import least_squares

    shape, longer, share = profile
    before = np.zeros_like(t)
    for at, high in zip(place, height, strict=True):
        add_line(before, t, at, high, shape, longer, share)
    first, last = np.searchsorted(t, [place[0] - 1.5 * width, place[-1] + 1.5 * width])
    if last - first < 6 or min(height) <= 0:
        return None
    root = np.sqrt(weight[first:last])
    target = (left + before)[first:last] * root
    eta = np.array([0.0, 0.0, shape[2]])

    def column(values: Floats) -> Floats:
        found = profile_at(t[first:last], values[0], values[1] / 2, eta, longer, share)
        return np.asarray(found * root)

    def residuals(values: Floats) -> Floats:
        one = column(values)
        return np.asarray(target - one * (one @ target) / (one @ one))

    bounds = ([place[0] - 1e-6, _WIDTHS[0] * width], [place[-1] + 1e-6, _WIDTHS[1] * width])
    start = [float(np.average(place, weights=height)), 1.2 * width]
    found = least_squares(residuals, start, bounds=bounds, max_nfev=12, x_scale=[width, width])
    worse = 2 * found.cost - float(np.sum((left[first:last] * root) ** 2))
    one = column(found.x)
    high = float(one @ target / (one @ one))
    if high <= 0:
        return None
    after = high * profile_at(t, found.x[0], found.x[1] / 2, eta, longer, share)
    return worse, float(found.x[0]), high, float(found.x[1]), before - after
