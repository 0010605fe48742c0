"""What is done to a measured pattern before a model of this benchmark sees it.

One chain, in one order, each step of which says in words what it did. Its numbers were chosen on
simulated patterns and on development data (docs/measured-sets.md), and a change of any of them
raises the version.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sgbench.diffraction import CANONICAL, SIGMA_OF_WIDTH, PatternProtocol, lorentz_factor
from sgbench.errors import SgbenchError
from sgbench.measured._pattern import MeasuredPattern
from sgbench.measured._wavelengths import ANODES, RATIO, Wavelength

# Where points lie farther apart, nothing was measured between them: as many steps, and at least
# this many degrees.
_GAP_STEPS, _GAP = 20.0, 0.2
# A wavelength that differs by less (relative) leaves the Lorentz factor as it is.
_SAME_WAVELENGTH = 5e-3
# Kα₂ is this much longer than Kα₁ (relative), whatever the anode.
_SHORTEST_SPLIT, _LONGEST_SPLIT = 1e-3, 1e-2
# Steps of the removal of Kα₂ are this much finer than those of the grid.
_FINER = 2.0
# Lines whose width counts stand out by this share of the strongest.
_PROMINENT = 0.05
# Fewer lines than this do not say how wide lines are.
_FEWEST_LINES = 3


@dataclass(frozen=True)
class Treatment:
    """What is done to measured patterns, as data.

    Attributes
    ----------
    name : str
    version : int
        Any change of what it does raises it.
    strips : bool
        Whether Kα₂ is taken off, where the pattern has it.
    broadens : bool
        Whether lines that are narrower than the protocol's are made as wide.
    background : float
        How far SNIP looks to either side for what is no line, in degrees of 2θ; 0 keeps the
        background. Its steps add up, so what it takes off is some three times as broad.
    """

    name: str
    version: int
    strips: bool = False
    broadens: bool = False
    background: float = 0.0

    def identity(self) -> str:
        """Return a text that changes with whatever changes what it does."""
        return f"{self.name} version {self.version}"


#: For models that were trained on ideal patterns: what they never saw is taken off.
TREATED = Treatment("treated", 1, strips=True, broadens=True, background=0.4)
#: For models that were trained under conditions of measurement: the protocol's axis, and no more.
UNTREATED = Treatment("untreated", 1)
TREATMENTS = {one.name: one for one in (TREATED, UNTREATED)}


@dataclass(frozen=True, eq=False)
class TreatedPattern:
    """A measured pattern on a protocol's grid.

    Attributes
    ----------
    intensity : ndarray of float32, shape (n_points,)
        Maximum 1; 0 where nothing was measured.
    known : ndarray of bool, shape (n_points,)
        Whether the point was measured.
    steps : tuple of str
        What was done, in this order.
    """

    intensity: NDArray[np.float32]
    known: NDArray[np.bool_]
    steps: tuple[str, ...]


def treat(
    pattern: MeasuredPattern,
    treatment: Treatment = TREATED,
    protocol: PatternProtocol = CANONICAL,
) -> TreatedPattern:
    """Bring a measured pattern onto a protocol's grid, as its wavelength would show it.

    Parameters
    ----------
    pattern : MeasuredPattern
        With a wavelength. The mean of Kα₁ and Kα₂ of an anode stands for both.
    treatment : Treatment
    protocol : PatternProtocol

    Raises
    ------
    SgbenchError
        If the pattern has no wavelength, nothing of it lies in the protocol's window, or nothing is
        left above the background.
    """
    steps: list[str] = []
    wavelengths = doublet_of(pattern) or pattern.wavelengths
    intensity, known = _on_grid(pattern, wavelengths, protocol, steps)
    if treatment.strips and len(wavelengths) > 1:
        intensity = _without_second(intensity, wavelengths, protocol, steps)
    if treatment.broadens:
        intensity = _broadened(intensity, protocol, steps)
    if treatment.background:
        width = max(round(treatment.background / protocol.step), 1)
        first, last = np.flatnonzero(known)[[0, -1]]
        measured = slice(first, last + 1)
        intensity[measured] -= background(intensity[measured], width)
        steps.append(f"background taken off (SNIP over {treatment.background:g}°)")
    intensity = np.where(known, intensity, 0.0)
    top = float(intensity.max())
    if not top > 0:
        raise SgbenchError(
            "nothing of this pattern is above zero in the window of the protocol "
            f"'{protocol.name}'; expected lines. Look at it with `sgbench pattern plot`."
        )
    steps.append("scaled to a maximum of 1")
    return TreatedPattern((intensity / top).astype(np.float32), known, tuple(steps))


def doublet_of(pattern: MeasuredPattern) -> tuple[Wavelength, ...]:
    """Return Kα₁ and Kα₂ of a pattern that has both; empty for one that has not.

    A file that states the mean of an anode's Kα, weighted 2 to 1, was measured with both.
    """
    lines = pattern.wavelengths
    if len(lines) > 1:
        split = lines[1].value / lines[0].value - 1
        return lines[:2] if _SHORTEST_SPLIT < split < _LONGEST_SPLIT else ()
    for first, second in ANODES.values():
        mean = (first + RATIO * second) / (1 + RATIO)
        if lines and abs(lines[0].value / mean - 1) < 1e-4:
            source = f"{lines[0].source}; the mean of Kα"
            return Wavelength(first, 1.0, source), Wavelength(second, RATIO, source)
    return ()


def anode_of(pattern: MeasuredPattern) -> tuple[str, tuple[float, float]] | None:
    """Return the anode whose Kα₁ is a pattern's only wavelength, with its Kα₁ and Kα₂ (ångström).

    Parameters
    ----------
    pattern : MeasuredPattern

    Returns
    -------
    (str, (float, float)) or None
        None where the pattern has several wavelengths, or one of something else.
    """
    if len(pattern.wavelengths) != 1 or doublet_of(pattern):
        return None
    for symbol, pair in ANODES.items():
        if abs(pattern.wavelengths[0].value / pair[0] - 1) < 1e-4:
            return symbol, pair
    return None


def _on_grid(
    pattern: MeasuredPattern,
    wavelengths: tuple[Wavelength, ...],
    protocol: PatternProtocol,
    steps: list[str],
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return intensities at the grid's points, and which of them were measured.

    A point of the grid has the mean over its step of straight lines between what was measured, so
    areas stay, however fine or coarse the steps of the measurement were.
    """
    wavelength = wavelengths[0].value if wavelengths else pattern.wavelength
    sine = np.sin(np.radians(pattern.two_theta) / 2) * protocol.wavelength / wavelength
    there = (pattern.two_theta > 0) & (np.abs(sine) < 1)
    angle = np.degrees(2 * np.arcsin(sine[there]))
    height = pattern.intensity[there]
    at = f"{wavelength:g} Å"
    if abs(wavelength / protocol.wavelength - 1) > _SAME_WAVELENGTH:
        height = height * lorentz_factor(angle) / lorentz_factor(pattern.two_theta[there])
        at += ", with the Lorentz factor of the new angles"
    grid = protocol.two_theta
    if len(angle) < 2 or angle[-1] < grid[0] or angle[0] > grid[-1]:
        raise SgbenchError(
            f"nothing of this pattern lies between {grid[0]:g} and {grid[-1]:g} degrees at "
            f"{protocol.wavelength:g} Å; expected a pattern that does. Check its wavelength."
        )
    edges = np.append(grid - protocol.step / 2, grid[-1] + protocol.step / 2)
    area = np.concatenate([[0], np.cumsum(np.diff(angle) * (height[1:] + height[:-1]) / 2)])
    inside = np.clip(edges, angle[0], angle[-1])
    width = np.diff(inside)
    # Within a segment a straight line has a quadratic area, which interpolation would miss.
    total = np.diff(_area_until(inside, angle, height, area))
    mean = np.divide(total, width, out=np.zeros_like(total), where=width > 0)
    # Where the measurement ends at a point, half a step of it is there, but for rounding.
    rounding = 1e-6 * protocol.step
    known = width > protocol.step / 2 - rounding
    gaps = np.flatnonzero(np.diff(angle) > max(_GAP_STEPS * float(np.median(np.diff(angle))), _GAP))
    for gap in gaps:
        known &= (grid <= angle[gap] + rounding) | (grid >= angle[gap + 1] - rounding)
    told = f"brought from {at} onto the grid"
    if not known.all():
        told += f"; {100 * (~known).mean():.1f} % of it was not measured"
    steps.append(told)
    place = np.flatnonzero(known)
    if not len(place):
        raise SgbenchError(
            f"the points of this pattern lie farther apart than {_GAP:g} degrees; expected a "
            "profile. Look at it with `sgbench pattern read`."
        )
    # What comes next takes the pattern to go on where it was not measured, so that no edge is a
    # line.
    return np.interp(grid, grid[place], mean[place]), known


def _area_until(
    place: NDArray[np.float64],
    angle: NDArray[np.float64],
    height: NDArray[np.float64],
    area: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return the area below straight lines between points, from the first one to some places."""
    i = np.clip(np.searchsorted(angle, place, side="right") - 1, 0, len(angle) - 2)
    part = place - angle[i]
    slope = (height[i + 1] - height[i]) / (angle[i + 1] - angle[i])
    return np.asarray(area[i] + part * (height[i] + slope * part / 2))


def _without_second(
    intensity: NDArray[np.float64],
    wavelengths: tuple[Wavelength, ...],
    protocol: PatternProtocol,
    steps: list[str],
) -> NDArray[np.float64]:
    """Take Kα₂ off (Rachinger 1948, J. Sci. Instrum. 25, 254).

    On an axis of ln sin θ the second line lies at the same distance from the first everywhere, so
    what is left is the pattern less so many times what is left that distance before it.
    """
    from scipy.signal import lfilter, lfilter_zi  # takes a while to import

    first, second = wavelengths[:2]
    distance = np.log(second.value / first.value)
    axis = np.log(np.sin(np.radians(protocol.two_theta) / 2))
    points = int(np.ceil(distance / (axis[-1] - axis[-2]) * _FINER))
    fine = np.arange(axis[0], axis[-1], distance / points)
    recursion = np.zeros(points + 1)
    recursion[0], recursion[-1] = 1.0, second.weight / first.weight
    before = lfilter_zi([1.0], recursion) * intensity[0]
    left, _ = lfilter([1.0], recursion, np.interp(fine, axis, intensity), zi=before)
    steps.append(f"Kα₂ taken off, {recursion[-1]:.2g} times Kα₁ (Rachinger)")
    return np.asarray(np.interp(axis, fine, left))


def _broadened(
    intensity: NDArray[np.float64], protocol: PatternProtocol, steps: list[str]
) -> NDArray[np.float64]:
    """Make lines as wide as the protocol's, where they are narrower."""
    from scipy.ndimage import gaussian_filter1d

    width = line_width(intensity, protocol)
    if width is None:
        steps.append("width of lines kept, as too few stand out to tell it")
        return intensity
    wanted = protocol.sigma / SIGMA_OF_WIDTH
    if width >= wanted:
        steps.append(f"width of lines kept at {width:.3f}°, the protocol's being {wanted:.3f}°")
        return intensity
    missing = SIGMA_OF_WIDTH * np.sqrt(wanted**2 - width**2) / protocol.step
    steps.append(f"lines broadened from {width:.3f}° to {wanted:.3f}° (full width)")
    return np.asarray(gaussian_filter1d(intensity, missing, mode="nearest"))


def line_width(intensity: NDArray[np.float64], protocol: PatternProtocol) -> float | None:
    """Return the median full width at half maximum in degrees of the lines that stand out.

    None where fewer than three do.
    """
    from scipy.signal import find_peaks, peak_widths

    least = _PROMINENT * (intensity.max() - np.median(intensity))
    if least <= 0:  # half of all points are as high as the highest
        return None
    found, known = find_peaks(intensity, prominence=least)
    if len(found) < _FEWEST_LINES:
        return None
    prominences = tuple(known[key] for key in ("prominences", "left_bases", "right_bases"))
    widths = peak_widths(intensity, found, prominence_data=prominences)[0]
    return float(np.median(widths)) * protocol.step


def background(intensity: NDArray[np.float64], width: int) -> NDArray[np.float64]:
    """Return what is smooth over so many points to either side.

    SNIP, with a window that shrinks: Ryan et al. (1988), Nucl. Instrum. Methods B 34, 396; Morháč
    et al. (1997), Nucl. Instrum. Methods A 401, 113.
    """
    low = intensity
    for reach in range(min(width, len(low) - 1), 0, -1):
        # Beyond the ends the pattern is taken to go on with the same slope.
        padded = np.pad(low, reach, mode="reflect", reflect_type="odd")
        low = np.minimum(low, (padded[: -2 * reach] + padded[2 * reach :]) / 2)
    return low
