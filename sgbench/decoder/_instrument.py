"""Widths and shapes of lines by angle, from the instrument's parameters of the fit."""

import numpy as np
from numpy.typing import NDArray

# Bounds of the squared width, in units of that of the lines that were found.
_WIDTH_SQUARED = (0.06, 16.0)


def widths(
    instrument: NDArray[np.float64], tangent: NDArray[np.float64], fwhm: float
) -> NDArray[np.float64]:
    """Return full widths in degrees: three terms of the squared width, in units of fwhm squared."""
    square = instrument[2] + tangent * (instrument[3] + tangent * instrument[4])
    return np.asarray(fwhm * np.sqrt(np.clip(square, *_WIDTH_SQUARED)))


def share_of(instrument: NDArray[np.float64], centre: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the Lorentzian share at some angles in degrees."""
    return np.asarray(np.clip(instrument[5] + instrument[6] * (centre - 45.0) / 90.0, 0.0, 1.0))
