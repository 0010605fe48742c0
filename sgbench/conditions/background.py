"""Backgrounds: smooth heights that are added to a pattern.

Each is as high at its highest as a share of the strongest point.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sgbench.conditions._on_patterns import Doing, like, on_patterns, tops
from sgbench.diffraction import PatternProtocol

#: Distances of neighbours in an amorphous solid, in ångström; its first hump is at 2θ from 18 to
#: 32 degrees with Cu Kα.
NEIGHBOURS = 3.5, 6.0
#: Full widths at half maximum of the humps, in 1/ångström (4π sin θ / λ).
HUMP_WIDTHS = 0.3, 0.9
#: Where sin(x)/x has its first two maxima beyond 0, and how high they are.
MAXIMA = (7.725252, 0.128375), (14.066194, 0.070913)


def _add(patterns: Any, doing: Doing, shapes: NDArray[np.float64]) -> Any:
    """Add shapes of maximum 1, of shape (n or 1, n_points)."""
    heights = like(patterns, doing.amount[:, None]) * tops(patterns)
    patterns += heights * like(patterns, shapes)
    return patterns


def add_constant(patterns: Any, doing: Doing) -> Any:
    """Add the same height at every point."""
    return _add(patterns, doing, np.ones((1, 1)))


def add_slope(patterns: Any, doing: Doing) -> Any:
    """Add a straight line: 1 at one end of the window, and from 0 to 1 at the other, as drawn."""
    protocol = doing.protocol
    place = np.linspace(-1, 1, protocol.n_points)
    tilt = 2 * doing.drawn(1) - 1
    return _add(patterns, doing, (1 + tilt * place) / (1 + np.abs(tilt)))


def add_scatter(patterns: Any, doing: Doing) -> Any:
    """Add scattering by air, which falls as 1/2θ from the beginning of the window."""
    protocol = doing.protocol
    return _add(patterns, doing, (protocol.two_theta_min / protocol.two_theta)[None, :])


def add_hump(patterns: Any, doing: Doing) -> Any:
    """Add one hump of something amorphous, or two, where Debye's sin(Qr)/(Qr) has its maxima."""
    return _add(patterns, doing, humps(doing.protocol, doing.drawn(3)))


def humps(protocol: PatternProtocol, drawn: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return shapes of maximum 1, shape (n, n_points).

    Parameters
    ----------
    protocol : PatternProtocol
    drawn : ndarray, shape (n, 3)
        From 0 to 1: for the distance of neighbours, for the width, and whether there is a second
        hump (above a half).
    """
    q = 4 * np.pi * np.sin(np.radians(protocol.two_theta) / 2) / protocol.wavelength
    distance = NEIGHBOURS[0] + (NEIGHBOURS[1] - NEIGHBOURS[0]) * drawn[:, :1]
    width = HUMP_WIDTHS[0] + (HUMP_WIDTHS[1] - HUMP_WIDTHS[0]) * drawn[:, 1:2]
    (first, high), (second, low) = MAXIMA
    rate = 4 * np.log(2) / width**2
    shapes = np.exp(-rate * (q - first / distance) ** 2)
    shapes += (drawn[:, 2:] > 0.5) * (low / high) * np.exp(-rate * (q - second / distance) ** 2)
    return np.asarray(shapes / shapes.max(axis=1, keepdims=True))


_UNIT = "of the strongest point"
_SEVERITIES = 0.01, 0.02, 0.05, 0.1, 0.2
_BOUNDS = 0.0, 10.0

BACKGROUND = on_patterns(
    "background",
    _UNIT,
    "a constant background",
    "Wiles & Young (1981), J. Appl. Cryst. 14, 149: the first term of the polynomial",
    _SEVERITIES,
    _BOUNDS,
    add_constant,
)
SLOPE = on_patterns(
    "slope",
    _UNIT,
    "a background along a straight line, which rises or falls as drawn, and is as high as this at "
    "its higher end",
    "Wiles & Young (1981), J. Appl. Cryst. 14, 149: the first two terms of the polynomial",
    _SEVERITIES,
    _BOUNDS,
    add_slope,
)
SCATTER = on_patterns(
    "scatter",
    _UNIT,
    "scattering by air: a background that falls as 1/2θ from this height at the beginning",
    "One_on_X of TOPAS: Coelho (2018), J. Appl. Cryst. 51, 210",
    _SEVERITIES,
    _BOUNDS,
    add_scatter,
)
HUMP = on_patterns(
    "hump",
    _UNIT,
    "something amorphous: one broad hump or two, where sin(Qr)/(Qr) has its maxima for neighbours "
    "at a drawn distance of 3.5 to 6 Å",
    "Debye (1915), Ann. Phys. 351, 809; Ehrenfest's relation in Klug & Alexander, X-Ray "
    "Diffraction Procedures (1974), chapter 12",
    _SEVERITIES,
    _BOUNDS,
    add_hump,
)
