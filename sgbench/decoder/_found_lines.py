"""Lines of a measured pattern: where they are, how sure that is, how high and how wide they are.

All lines have one shape, whose width changes smoothly with the angle. It is fitted to the lines
that stand out, and then lines are taken one after the other: the one that stands out most from what
is left, by a filter matched to the shape, is fitted together with its neighbours. So a blend is
split where the pattern says that one line does not do.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sgbench.decoder._broad_lines import no_broad_lines, own_lines
from sgbench.decoder._line_kernels import (
    add_line,
    filtered,
    fit_group,
    profile_at,
    pursue,
    remove_weak,
    width_at,
)
from sgbench.decoder._noise import averaged, cut_off

Floats = NDArray[np.float64]
# Angles, intensities and weights around a line, its place and its width.
_Window = tuple[Floats, Floats, Floats, float, float]

# No pattern has more lines that can be told apart.
_MOST_LINES = 500
# A line stands out by so many standard deviations: while the shape is looked for, and at last.
_CLEAR, _SIGNIFICANT = 12.0, 4.5
# Share of its height by which a profile is taken to be wrong: while the shape is looked for, and
# between which bounds it is taken from how well the shape fits lines that stand alone.
_MISFIT = (0.05, 0.02, 0.2)
# Share of its last correction by which the background is taken to be wrong.
_DOUBT = 0.3
# Share of a line's height that counts as noise while the shape is fitted to it.
_KNOWN = 0.01
# A shape that is off by more than this is not the pattern's.
_ASKEW = 0.025
# What is left of counting noise scatters by so much of its standard deviation at most. Noise that
# is alike in neighbouring points scatters by up to so many times more (resampled minerals: six);
# what scatters by more than that is no noise but what a model leaves where there is none.
_QUIET, _MOST_ALIKE = 1.1, 6.0
# The background is smooth over so many degrees.
_SMOOTH = 4.0
# Lines that the shape is fitted to, and how high they are beside the highest at least; those that
# are clearly so tell the first width, where there are some.
_SHAPED, _PROMINENT, _CLEARLY = 16, 0.03, 0.3
# How the squared width changes with tan^2(theta), as a share of it.
_SLOPES = -0.3, 3.0
_ROUNDS = 3
# Points of a profile, over its full width.
_POINTS = 8
# What noise is at least, as a share of the highest point within some degrees.
_LEAST, _NEAR = 3e-5, 2.0
# Places are never surer than this, in degrees.
_FLOOR = 1e-6


@dataclass(frozen=True, eq=False)
class FoundLines:
    """Lines of one pattern, ascending in two_theta.

    Attributes
    ----------
    two_theta : ndarray of float64, shape (n,)
        Positions of K-alpha-1, or of the only wavelength, in degrees.
    uncertainty : ndarray of float64, shape (n,)
        Standard uncertainty of the position in degrees.
    height : ndarray of float64, shape (n,)
        Above the background, in units of the pattern.
    fwhm : ndarray of float64, shape (n,)
        Full width at half maximum in degrees.
    """

    two_theta: Floats
    uncertainty: Floats
    height: Floats
    fwhm: Floats

    def __len__(self) -> int:
        return len(self.two_theta)


_NONE = FoundLines(np.empty(0), np.empty(0), np.empty(0), np.empty(0))


def find_lines(
    two_theta: Floats,
    intensity: Floats,
    sigma: Floats | None,
    wavelength: float,
    second: float | None = None,
    ratio: float | None = None,
) -> FoundLines:
    """Find the lines of a pattern.

    Parameters
    ----------
    two_theta : ndarray of float, shape (n,)
        Ascending, in degrees; steps may differ.
    intensity : ndarray of float, shape (n,)
        Zeros at either end count as not measured.
    sigma : ndarray of float, shape (n,), or None
        Standard uncertainty of each intensity; estimated where there is none.
    wavelength : float
        In ångström; that of K-alpha-1 where there are two.
    second : float, optional
        Wavelength of K-alpha-2 in ångström.
    ratio : float, optional
        Intensity of K-alpha-2 as a share of that of K-alpha-1.

    Returns
    -------
    FoundLines
        None where nothing stands out of the noise.
    """
    measured = np.flatnonzero(np.isfinite(intensity) & (intensity != 0))
    if len(measured) < 20:
        return _NONE
    part = slice(measured[0], measured[-1] + 1)
    t = np.ascontiguousarray(two_theta[part], dtype=np.float64)
    y = np.nan_to_num(np.asarray(intensity[part], dtype=np.float64))
    noise = noise_of(t, y) if sigma is None else np.asarray(sigma[part], dtype=np.float64)
    from scipy.ndimage import maximum_filter1d  # takes a while to import

    points = max(int(2 * _NEAR / float(np.median(np.diff(t)))), 3)
    high = maximum_filter1d(np.abs(y), points)
    variance = np.maximum(noise, _LEAST * np.maximum(high, 1e-4 * high.max())) ** 2
    longer = 1.0 if second is None else second / wavelength
    share = 0.0 if second is None else (0.5 if ratio is None else ratio)
    return _found(t, y, variance, longer, share)


def noise_of(t: Floats, y: Floats) -> Floats:
    """Estimate the standard deviation of each point: noise of counting and noise of all points.

    Both come from how far points lie from the straight line between their neighbours' neighbours.
    """
    # A cubic through four neighbours, which a profile follows over five points.
    off = np.zeros_like(y)
    off[2:-2] = y[2:-2] - (4 * (y[1:-3] + y[3:-1]) - (y[:-4] + y[4:])) / 6
    spread = np.abs(off[2:-2]) / np.sqrt(70 / 36) / 0.6745
    smooth = np.convolve(np.pad(y, 5, mode="edge"), np.full(11, 1 / 11), mode="valid")[2:-2]
    order = np.argsort(smooth)
    parts = np.array_split(order, min(20, max(len(order) // 20, 1)))
    level = np.array([np.median(smooth[i]) for i in parts])
    found = np.array([np.median(spread[i]) for i in parts]) ** 2
    # variance = constant + gain * level, the gain by the median of the parts, robustly
    from scipy.optimize import nnls  # takes a while to import

    rows = np.stack([np.ones_like(level), np.maximum(level, 0)], axis=1)
    weight = 1 / np.maximum(found, 1e-6 * found.max() + 1e-300)
    constant, gain = nnls(rows * weight[:, None], found * weight)[0]
    constant = max(constant, cut_off(y))
    return np.asarray(np.sqrt(constant + gain * np.maximum(np.pad(smooth, 2, mode="edge"), 0)))


def _found(t: Floats, y: Floats, noise: Floats, longer: float, share: float) -> FoundLines:
    width = _first_width(t, y, noise)
    if width is None:
        return _NONE
    t, y, noise = averaged(t, y, noise, width / _POINTS)
    shape = np.array([width**2, 0.0, 0.4])
    below = _background(t, y, width)
    doubt = 0.1 * below
    off, misfit = 0.0, _MISFIT[0]
    for _ in range(_ROUNDS):
        variance = noise + doubt**2
        lines = _pursued(
            t, y - below, variance, max(misfit, _MISFIT[0]), _CLEAR, shape, longer, share
        )
        if not len(lines[0]):
            break
        shape, off = _shape(t, y - below, variance, lines, shape, longer, share)
        misfit = float(np.clip(off, *_MISFIT[1:]))
        doubt = _smoothed(t, y - below - _model(t, lines, shape, longer, share))
        below = below + doubt
        doubt = _DOUBT * np.abs(doubt)
    place, height, sigma = _pursued(
        t, y - below, noise + doubt**2, misfit, _SIGNIFICANT, shape, longer, share
    )
    order = np.argsort(place)
    place, height, sigma = place[order], height[order], sigma[order]
    fwhm = np.array([width_at(at, shape) for at in place])
    if misfit <= _ASKEW:
        whole = _model(t, (place, height, sigma), shape, longer, share)
        weight = 1 / (noise + doubt**2 + (off * whole) ** 2)
        left = y - below - whole
        place, height, sigma, fwhm = no_broad_lines(
            t, left, weight, (place, height, sigma, fwhm), (shape, longer, share), _SIGNIFICANT
        )
    else:
        kept = own_lines(place, height, sigma, fwhm, misfit)
        place, height, sigma, fwhm = place[kept], height[kept], sigma[kept], fwhm[kept]
    return FoundLines(place, np.maximum(sigma, _FLOOR), height, fwhm)


def _first_width(t: Floats, y: Floats, variance: Floats) -> float | None:
    """Return the full width of the lines that stand out, in degrees."""
    from scipy.signal import find_peaks, peak_widths

    step = float(np.median(np.diff(t)))
    grid = np.arange(t[0], t[-1], step)
    smooth = np.interp(grid, t, y)
    noise = float(np.sqrt(np.median(variance)))
    peaks, known = find_peaks(smooth, prominence=8 * noise, width=2)
    if not len(peaks):
        return None
    high = known["prominences"]
    chosen = np.argsort(high)[::-1][:_SHAPED]
    clear = chosen[high[chosen] > _CLEARLY * high.max()]
    chosen = clear if len(clear) > 2 else chosen[high[chosen] > _PROMINENT * high.max()]
    widths = np.sort(peak_widths(smooth, peaks[chosen], rel_height=0.5)[0] * step)
    # Blends are wider, never narrower.
    return float(np.clip(widths[len(widths) // 4], 2 * step, 1.5))


def _background(t: Floats, y: Floats, width: float) -> Floats:
    """Return what is below the lines: the smooth curve through the lowest points."""
    from scipy.ndimage import gaussian_filter1d, grey_opening

    step = float(np.median(np.diff(t)))
    grid = np.arange(t[0], t[-1] + step, step)
    smooth = gaussian_filter1d(np.interp(grid, t, y), max(width / step / 3, 1))
    span = max(int(max(_SMOOTH, 8 * width) / step), 3)
    low = gaussian_filter1d(grey_opening(smooth, span, mode="nearest"), span / 4)
    return np.asarray(np.interp(t, grid, low))


def _smoothed(t: Floats, left: Floats) -> Floats:
    """Return a smooth curve through what is left, which outliers do not move."""
    n = max(int((t[-1] - t[0]) / _SMOOTH), 2)
    edges = np.linspace(t[0], t[-1], 2 * n + 1)
    parts = [left[(t >= low) & (t <= high)] for low, high in zip(edges, edges[2:], strict=False)]
    medians = [float(np.median(part)) if len(part) else 0.0 for part in parts]
    return np.asarray(np.interp(t, edges[1:-1], medians))


def _pursued(
    t: Floats,
    y: Floats,
    variance: Floats,
    misfit: float,
    least: float,
    shape: Floats,
    longer: float,
    share: float,
) -> tuple[Floats, Floats, Floats]:
    """Return places, heights and standard uncertainties of the lines, in any order."""
    place, height, sigma = (np.zeros(_MOST_LINES) for _ in range(3))
    model = np.zeros_like(t)
    count = 0
    for _ in range(2):
        count = pursue(
            place, height, sigma, count, t, y, model, variance, misfit, least, shape, longer, share
        )
        weight = 1 / (variance + (misfit * model) ** 2)
        for k in range(count):
            fit_group(k, place, height, sigma, count, t, y, model, weight, shape, longer, share)
        # What is left says how much noise there is, where that of neighbouring points is alike.
        out = np.zeros_like(t)
        filtered(out, 0, len(t), t, y - model, weight, shape, longer, share)
        scatter = float(np.median(-out[out < 0])) / 0.6745 if np.any(out < 0) else 1.0
        count = remove_weak(
            place, height, sigma, count, t, model, weight,
            least * np.clip(scatter / _QUIET, 1.0, _MOST_ALIKE),
            shape, longer, share,
        )  # fmt: skip
    inside = (place[:count] > t[0]) & (place[:count] < t[-1])
    return place[:count][inside], height[:count][inside], sigma[:count][inside]


def _model(
    t: Floats, lines: tuple[Floats, Floats, Floats], shape: Floats, longer: float, share: float
) -> Floats:
    model = np.zeros_like(t)
    for place, height in zip(lines[0], lines[1], strict=True):
        add_line(model, t, place, height, shape, longer, share)
    return model


def _shape(
    t: Floats,
    y: Floats,
    variance: Floats,
    lines: tuple[Floats, Floats, Floats],
    shape: Floats,
    longer: float,
    share: float,
) -> tuple[Floats, float]:
    """Fit width and Lorentzian share to the lines that stand out and stand alone.

    Returns the shape, and the share of a line's height by which it is wrong.
    """
    from scipy.optimize import least_squares

    place, height, _ = lines
    width = np.sqrt(shape[0] + shape[1] * np.tan(np.radians(place) / 2) ** 2)
    power = np.zeros_like(place)
    for i in range(len(place)):
        others = np.abs(place - place[i]) / width[i]
        others[i] = np.inf
        # What lies near disturbs by its height.
        power[i] = height[i] / (1 + np.sum(height / np.maximum(others, 0.5) ** 2) / height[i])
    chosen = np.argsort(power)[::-1][:_SHAPED]
    windows: list[_Window] = []
    whole = _model(t, lines, shape, longer, share)
    for i in chosen:
        first, last = np.searchsorted(t, [place[i] - 1.5 * width[i], place[i] + 1.5 * width[i]])
        if last - first < 8:
            continue
        own = np.zeros_like(t)
        add_line(own, t, place[i], height[i], shape, longer, share)
        target = (y - whole + own)[first:last]
        weight = 1 / np.sqrt(variance[first:last] + (_KNOWN * whole[first:last]) ** 2)
        windows.append((t[first:last], target, weight, float(place[i]), float(width[i])))
    if not windows:
        return shape, 0.0
    angles = np.array([window[3] for window in windows])
    n = len(windows)

    def residuals(values: Floats) -> Floats:
        parts = []
        for k, (part, target, weight, _, _) in enumerate(windows):
            eta = np.array([0.0, 0.0, values[0]])
            profile = profile_at(part, values[1 + k], values[1 + n + k] / 2, eta, longer, share)
            rows = np.stack([profile, np.ones_like(part)], axis=1) * weight[:, None]
            # Height and constant are linear.
            normal = rows.T @ rows
            normal[np.diag_indices(2)] *= 1 + 1e-9
            fitted = np.linalg.solve(normal, rows.T @ (target * weight))
            parts.append(target * weight - rows @ fitted)
        return np.concatenate(parts)

    widths = np.array([window[4] for window in windows])
    start = np.concatenate([[shape[2]], angles, widths])
    lower = np.concatenate([[0.0], angles - widths / 2, widths / 4])
    upper = np.concatenate([[1.0], angles + widths / 2, widths * 2])

    def slopes(values: Floats) -> Floats:
        # Windows know nothing of each other, so that all places move at once, and all widths.
        at = residuals(values)
        found = np.zeros((len(at), len(values)))
        step = 1e-4 * widths.min()
        eta = values + np.eye(1, len(values))[0] * (1e-4 if values[0] < 0.5 else -1e-4)
        found[:, 0] = (residuals(eta) - at) / (eta[0] - values[0])
        ends = np.cumsum([0] + [len(window[0]) for window in windows])
        for first in (1, 1 + n):
            moved = values.copy()
            moved[first : first + n] += step
            change = (residuals(moved) - at) / step
            for k in range(n):
                found[ends[k] : ends[k + 1], first + k] = change[ends[k] : ends[k + 1]]
        return found

    found = least_squares(
        residuals, start, slopes, bounds=(lower, upper), loss="soft_l1", max_nfev=12, x_scale="jac"
    ).x
    square, slope = _lower_envelope(angles, found[1 + n :], shape)
    return np.array([square, slope, found[0]]), _misfit(windows, residuals(found))


def _misfit(windows: list[_Window], residuals: Floats) -> float:
    """Return the share of their height by which lines are off the shape, beyond noise."""
    ends = np.cumsum([0] + [len(window[0]) for window in windows])
    shares = []
    for (_, target, weight, _, _), first, last in zip(windows, ends, ends[1:], strict=False):
        height = target.max() - target.min()
        off = float(np.quantile(np.abs(residuals[first:last]) / weight, 0.9))
        noise = 1.6 * float(np.median(1 / weight))
        shares.append(np.sqrt(max(off**2 - noise**2, 0.0)) / height)
    return float(1.5 * np.median(shares))


def _lower_envelope(angles: Floats, widths: Floats, shape: Floats) -> tuple[float, float]:
    """Return u and v of the squared width u + v tan^2(theta), near the narrower of the lines.

    Blends are wider than lines, and nothing is narrower.
    """
    square = np.tan(np.radians(angles) / 2) ** 2
    if len(widths) < 5 or np.ptp(angles) < 25:
        return float(np.quantile(widths, 0.3)) ** 2, 0.0
    best = (np.inf, float(shape[0]), 0.0)
    for i in range(len(widths)):
        for j in range(i):
            if abs(square[i] - square[j]) < 0.05:
                continue
            slope = (widths[i] ** 2 - widths[j] ** 2) / (square[i] - square[j])
            u = widths[i] ** 2 - slope * square[i]
            at = u + slope * square
            if not (u > 0 and _SLOPES[0] <= slope / u <= _SLOPES[1] and at.min() > 0):
                continue
            off = np.log(widths) - np.log(at) / 2
            # The loss of the 0.3 quantile, and a little against a slope.
            loss = float(np.sum(np.where(off > 0, 0.3 * off, -0.7 * off)) + 0.3 * abs(slope) / u)
            best = min(best, (loss, float(u), float(slope)))
    return best[1], best[2]
