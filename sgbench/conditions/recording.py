"""What a measurement leaves out or blurs: its range, its steps, its detector.

Nobody keeps a measurement that shows nothing, so a pattern without a line in what would be left of
it is not cut.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sgbench.conditions._condition import by_line
from sgbench.conditions._on_patterns import Doing, like, on_patterns, tops
from sgbench.diffraction import Samples


def _keep(patterns: Any, kept: NDArray[np.bool_], samples: Samples) -> Any:
    patterns *= like(patterns, (kept | ~_shown(kept, samples)[:, None]).astype(np.float32))
    return patterns


def _shown(kept: NDArray[np.bool_], samples: Samples) -> NDArray[np.bool_]:
    """Return which samples have a line among the points that are kept; patterns show theirs."""
    lines, protocol = samples.lines, samples.protocol
    if lines is None:
        return np.ones(len(samples), dtype=np.bool_)
    row = by_line(lines, np.arange(len(samples)))
    place = np.rint((lines.two_theta - protocol.two_theta_min) / protocol.step).astype(np.int64)
    inside = (place >= 0) & (place < protocol.n_points) & (lines.intensity > 0)
    inside[inside] = kept[row[inside], place[inside]]
    return np.bincount(row[inside], minlength=len(samples)) > 0


def begin(patterns: Any, doing: Doing) -> Any:
    """Set points below an angle in degrees to 0."""
    return _keep(patterns, doing.protocol.two_theta >= doing.amount[:, None], doing.samples)


def finish(patterns: Any, doing: Doing) -> Any:
    """Set points above an angle in degrees to 0, where the angle is not 0."""
    kept = doing.protocol.two_theta <= doing.amount[:, None]
    return _keep(patterns, kept | (doing.amount[:, None] == 0), doing.samples)


def leave_gap(patterns: Any, doing: Doing) -> Any:
    """Set the points of a gap of a width in degrees to 0, at a place that is drawn."""
    protocol, width = doing.protocol, doing.amount[:, None]
    room = protocol.two_theta_max - protocol.two_theta_min - width
    first = protocol.two_theta_min + room * doing.drawn(1)
    inside = (protocol.two_theta >= first) & (protocol.two_theta < first + width)
    return _keep(patterns, ~inside, doing.samples)


def coarsen(patterns: Any, doing: Doing) -> Any:
    """Measure with steps in degrees, and interpolate between these points on straight lines."""
    protocol = doing.protocol
    place = np.arange(protocol.n_points, dtype=np.float64)[None, :]
    # No step is finer than the grid's.
    step = np.maximum(doing.amount[:, None] / protocol.step, 1.0)
    last = np.floor((protocol.n_points - 1) / step)
    lower = np.minimum(np.floor(place / step), last)
    upper = np.minimum(lower + 1, last)
    weight = like(patterns, place / step - lower)
    return _at(patterns, lower * step) * (1 - weight) + _at(patterns, upper * step) * weight


def _at(patterns: Any, place: NDArray[np.float64]) -> Any:
    """Return patterns at places between points of the grid, shape (n, n_points)."""
    n_points = patterns.shape[1]
    below = np.clip(np.floor(place).astype(np.int64), 0, n_points - 2)
    row = like(patterns, np.arange(len(place))[:, None])
    weight, left = like(patterns, place - below), like(patterns, below)
    return patterns[row, left] * (1 - weight) + patterns[row, left + 1] * weight


def saturate(patterns: Any, doing: Doing) -> Any:
    """Lose counts in a dead time that is not prolonged: m = n / (1 + n τ)."""
    rate = like(patterns, (doing.amount / (1 - doing.amount))[:, None]) / tops(patterns)
    return patterns / (1 + rate * patterns)


START = on_patterns(
    "start",
    "°",
    "a pattern that begins at this 2θ; points before are 0, where a line is left",
    "a cut, which needs no formula",
    (7.5, 10.0, 12.5, 15.0, 20.0),
    (5.0, 60.0),
    begin,
)
END = on_patterns(
    "end",
    "°",
    "a pattern that ends at this 2θ; points behind are 0, where a line is left",
    "a cut, which needs no formula",
    (85.0, 80.0, 75.0, 70.0, 60.0),
    (30.0, 90.0),
    finish,
)
GAP = on_patterns(
    "gap",
    "°",
    "a gap of this width between parts of the detector, at a drawn place; points in it are 0, "
    "where a line is left",
    "Bergamaschi et al. (2010), J. Synchrotron Rad. 17, 653",
    (0.2, 0.5, 1.0, 2.0, 5.0),
    (0.0, 20.0),
    leave_gap,
)
COARSE = on_patterns(
    "coarse",
    "°",
    "points at steps of this size, with straight lines between them",
    "Hill & Madsen (1984), J. Appl. Cryst. 17, 297",
    (0.02, 0.05, 0.1, 0.15, 0.2),
    (0.0, 1.0),
    coarsen,
)
SATURATION = on_patterns(
    "saturation",
    "of the counts",
    "a dead time that loses this share of the counts in the strongest point: n / (1 + n τ)",
    "Knoll, Radiation Detection and Measurement (2010), section 4.VII",
    (0.01, 0.03, 0.1, 0.2, 0.4),
    (0.0, 0.9),
    saturate,
)
