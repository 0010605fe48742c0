"""A measured pattern, and the door that everything which is read comes through."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sgbench.checked import printed
from sgbench.errors import SgbenchError
from sgbench.measured._wavelengths import Wavelength, given

#: More points than any pattern has.
MOST_POINTS = 1_000_000
#: Fewer than this are no pattern.
_FEWEST_POINTS = 20
# Behind the beam on the other side, as far as goniometers go.
_LEAST_ANGLE, _LARGEST_ANGLE = -60.0, 180.0
# No detector counts so much; single precision holds it.
_TOO_LARGE = 1e30
# Lines are narrower than this, so a pattern in such steps shows none.
_COARSEST = 0.5
# Points of a profile are nearly equidistant, those of a list of lines are not.
_FINE, _EVEN = 0.05, 0.6
_MOST_ZEROS, _MANY_ZEROS = 0.98, 0.5
_SHORT_RANGE = 10.0
# A curve of total reflection falls by more than this below ten degrees.
_REFLECTIVITY = 300.0
_MOST_ENTRIES = 60


class NotReadable(ValueError):
    """Why a file, or a scan of it, is not a powder pattern that can be read; inside only."""


@dataclass
class Scan:
    """What a reader found, before it comes through the door.

    ``two_theta`` may be unsorted and anything may be NaN. ``refused`` is the reason why this scan
    is no powder pattern, where the format says so itself; ``exact`` is False where a file has not
    as many points as its head says.
    """

    two_theta: Any = ()
    intensity: Any = ()
    sigma: Any = None
    wavelengths: tuple[Wavelength, ...] = ()
    metadata: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    format: str = ""
    refused: str = ""
    exact: bool = True


@dataclass(frozen=True, eq=False)
class MeasuredPattern:
    """Intensities that were measured over 2θ.

    Attributes
    ----------
    two_theta : ndarray of float64, shape (n,)
        In degrees, ascending, each angle once.
    intensity : ndarray of float64, shape (n,)
        Counts, rates or any other scale, as in the file.
    sigma : ndarray of float64, shape (n,), or None
        Standard uncertainties where they are given, NaN at points that have none.
    wavelengths : tuple of Wavelength
        The strongest first; empty where neither the file nor the caller states one.
    metadata : mapping of str to str
        What the file says beside the pattern, in its own words, made safe to print.
    notes : tuple of str
        What was done to the pattern on reading, and what looks odd about it.
    format : str
        Name of the format, one of `FORMATS`.
    scan : int
        Which of the file's scans this is, from 1.
    """

    two_theta: NDArray[np.float64]
    intensity: NDArray[np.float64]
    sigma: NDArray[np.float64] | None
    wavelengths: tuple[Wavelength, ...]
    metadata: dict[str, str]
    notes: tuple[str, ...]
    format: str
    scan: int = 1

    def __len__(self) -> int:
        """Return the number of points."""
        return len(self.two_theta)

    @property
    def wavelength(self) -> float:
        """The wavelength of the strongest line, in ångström.

        Raises
        ------
        SgbenchError
            If neither the file nor the caller states one.
        """
        if not self.wavelengths:
            raise SgbenchError(
                "the wavelength of this pattern is not known: its file states none; expected one "
                "from you. Give it, as in wavelength=1.5406 or --wavelength CuKa."
            )
        return self.wavelengths[0].value

    @cached_property
    def step(self) -> float:
        """The median step, in degrees."""
        return float(np.median(np.diff(self.two_theta)))


def measured_pattern(
    two_theta: ArrayLike,
    intensity: ArrayLike,
    sigma: ArrayLike | None = None,
    wavelength: float | str | Iterable[float] | None = None,
) -> MeasuredPattern:
    """Return arrays as a measured pattern, checked and sorted as those of a file are.

    Parameters
    ----------
    two_theta : array_like, shape (n,)
        In degrees.
    intensity : array_like, shape (n,)
    sigma : array_like, shape (n,), optional
    wavelength : float, str or iterable of float, optional
        In ångström, two for a doublet, or a name such as ``CuKa``.

    Raises
    ------
    SgbenchError
        If the arrays hold no powder pattern.
    """
    scan = Scan(two_theta, intensity, sigma, format="arrays")
    if wavelength is not None:
        scan.wavelengths = given(wavelength)
    try:
        return admitted(scan)
    except NotReadable as error:
        raise SgbenchError(
            f"these arrays are no powder pattern ({error}); expected intensities over 2θ in "
            "degrees. Check what they hold."
        ) from None


def admitted(scan: Scan, number: int = 1) -> MeasuredPattern:
    """Return a scan as a pattern, put in order and found plausible.

    Raises
    ------
    NotReadable
        If it cannot be one.
    """
    if scan.refused:
        raise NotReadable(scan.refused)
    # A file may hold numbers beyond all bounds, which is found out here and needs no warning.
    with np.errstate(all="ignore"):
        return _admitted(scan, number)


def _admitted(scan: Scan, number: int) -> MeasuredPattern:
    x, y, sigma = _arrays(scan)
    notes = list(scan.notes)
    x, y, sigma = _finite(x, y, sigma, notes)
    _check_angles(x)
    x, y, sigma = _ascending(x, y, sigma, notes)
    if len(x) < _FEWEST_POINTS:
        raise NotReadable(f"it has {len(x)} points, of which a pattern has {_FEWEST_POINTS}")
    _check_plausible(x, y, notes)
    strongest_first = tuple(sorted(scan.wavelengths, key=lambda one: -one.weight))
    return MeasuredPattern(
        x, y, sigma, strongest_first, printable(scan.metadata), tuple(notes), scan.format, number
    )


def printable(metadata: dict[str, str]) -> dict[str, str]:
    """Return texts of a file as a terminal can show them, and not more than a few."""
    pairs = ((printed(str(key).strip()), printed(str(value).strip()))
             for key, value in list(metadata.items())[:_MOST_ENTRIES])  # fmt: skip
    return {key: value for key, value in pairs if key and value}


def with_wavelength(
    pattern: MeasuredPattern, wanted: float | str | Iterable[float]
) -> MeasuredPattern:
    """Return a pattern with a caller's wavelength; where the file has another, that is told."""
    mine = given(wanted)
    notes = pattern.notes
    if pattern.wavelengths and abs(pattern.wavelength / mine[0].value - 1) > 1e-3:
        notes += (
            f"the file states {pattern.wavelength:g} Å ({pattern.wavelengths[0].source}), which "
            "the wavelength that was given replaces",
        )
    return replace(pattern, wavelengths=mine, notes=notes)


def _arrays(scan: Scan) -> tuple[Any, Any, Any]:
    try:
        x, y = (np.array(one, dtype=float) for one in (scan.two_theta, scan.intensity))
        sigma = None if scan.sigma is None else np.array(scan.sigma, dtype=float)
    except (TypeError, ValueError):
        raise NotReadable("it holds something that is no number") from None
    if x.ndim != 1 or x.shape != y.shape or (sigma is not None and sigma.shape != x.shape):
        raise NotReadable("its columns differ in length")
    if len(x) > MOST_POINTS:
        raise NotReadable(f"it has {len(x)} points, more than {MOST_POINTS}")
    return x, y, sigma


def _finite(x: Any, y: Any, sigma: Any, notes: list[str]) -> tuple[Any, Any, Any]:
    known = np.isfinite(x) & np.isfinite(y) & (np.abs(y) < _TOO_LARGE)
    lost = len(x) - int(known.sum())
    if lost and lost >= len(x) / 2:
        raise NotReadable(
            f"{lost} of its {len(x)} points are no numbers, or not below {_TOO_LARGE:g}"
        )
    if lost:
        notes.append(f"points without a number were left out ({lost})")
        x, y, sigma = x[known], y[known], None if sigma is None else sigma[known]
    if sigma is not None:
        sigma = np.where(np.isfinite(sigma) & (sigma > 0) & (sigma < _TOO_LARGE), sigma, np.nan)
        if np.isnan(sigma).all():
            sigma = None
            notes.append("no σ of the file is a positive number, so none is kept")
        elif unknown := int(np.isnan(sigma).sum()):
            notes.append(f"points without σ: {unknown}")
    return x, y, sigma


def _check_angles(x: Any) -> None:
    if not len(x):
        raise NotReadable("it has no points")
    low, high = x.min(), x.max()
    if high > _LARGEST_ANGLE and high - low > 0 and low >= 0:
        raise NotReadable(
            f"its axis runs from {low:g} to {high:g}, which is no 2θ; it may be a time of flight, "
            "an energy or a channel, and only patterns over 2θ at one wavelength are read"
        )
    if low < _LEAST_ANGLE or high > _LARGEST_ANGLE:
        raise NotReadable(f"its axis runs from {low:g} to {high:g}, which is no 2θ in degrees")


def _ascending(x: Any, y: Any, sigma: Any, notes: list[str]) -> tuple[Any, Any, Any]:
    steps = np.diff(x)
    if len(steps) and (steps < 0).all():
        notes.append("angles descend in the file; they were turned round")
    elif (steps < 0).any():
        places = int((steps < 0).sum())
        notes.append(f"angles were out of order and were sorted (places: {places})")
    if (steps < 0).any():
        order = np.argsort(x, kind="stable")
        x, y, sigma = x[order], y[order], None if sigma is None else sigma[order]
    angles, place, count = np.unique(x, return_inverse=True, return_counts=True)
    if len(angles) < len(x):
        notes.append(
            f"angles that repeat were made one, with the mean (points: {len(x) - len(angles)})"
        )
        y = np.bincount(place, y) / count
        if sigma is not None:
            sigma = np.sqrt(np.bincount(place, sigma**2)) / count
    return angles, y, sigma


def _check_plausible(x: Any, y: Any, notes: list[str]) -> None:
    if y.max() == y.min():
        raise NotReadable(f"every intensity is {y.max():g}")
    zeros = float((y == 0).mean())
    if zeros > _MOST_ZEROS:
        raise NotReadable(
            f"{100 * zeros:.1f} % of its intensities are zero: a list of lines, or a calculated "
            "pattern"
        )
    steps = np.diff(x)
    step = float(np.median(steps))
    if step > _COARSEST:
        raise NotReadable(
            f"its points are {step:g} apart, so that no line can show; the first column may be no "
            "2θ in degrees"
        )
    if step > _FINE and (np.abs(steps - step) < step / 2).mean() < _EVEN:
        raise NotReadable("its points lie at uneven distances: a list of lines, no profile")
    if x[-1] <= _SHORT_RANGE and x[0] < 1.0 and _falls(y):
        raise NotReadable(
            f"its intensity falls by a factor of {_falls(y):.0f} from {x[0]:g} to {x[-1]:g} "
            "degrees: a reflectivity curve or small-angle scattering, no powder pattern"
        )
    if zeros > _MANY_ZEROS:
        notes.append(f"{100 * zeros:.0f} % of the intensities are zero")
    if x[-1] - x[0] < _SHORT_RANGE:
        notes.append(f"it covers {x[-1] - x[0]:.2g} degrees only")
    if x[0] < 0:
        notes.append(f"it begins at {x[0]:g} degrees, on the other side of the beam")
    if negative := int((y < 0).sum()):
        notes.append(f"negative intensities: {negative}")
    if len(wide := np.flatnonzero(steps > max(20 * step, 0.2))):
        notes.append(
            f"between {x[wide[0]]:g} and {x[wide[0] + 1]:g} degrees nothing was measured"
            + (f", and in {len(wide) - 1} other places" if len(wide) > 1 else "")
        )


def _falls(y: Any) -> float:
    """Return how much a curve falls from its beginning to its end, where that is very much."""
    part = max(len(y) // 10, 1)
    first, last = float(np.max(y[:part])), float(np.mean(np.abs(y[-part:])))
    ratio = first / max(last, 1e-3 * abs(first) / 1e3, 1e-30)
    return ratio if first > 0 and ratio > _REFLECTIVITY else 0.0
