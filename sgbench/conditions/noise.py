"""Noise: of counting, and of a detector's electronics.

Each comes twice. Its level refers to the strongest point, as people state it; or to
`sgbench.diffraction.reference_height`, which does not depend on the lines that a pattern has, so
that a pattern's probability under a class can be computed.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sgbench.conditions._draws import add_normal, count
from sgbench.conditions._on_patterns import Doing, on_patterns, tops
from sgbench.diffraction import reference_height
from sgbench.errors import SgbenchError

Heights = Callable[[Any, Doing], NDArray[np.float64]]


def strongest(patterns: Any, doing: Doing) -> NDArray[np.float64]:
    """Return the height of the strongest point of each pattern, shape (n,); above 0."""
    return np.maximum(np.asarray(tops(patterns).tolist(), dtype=np.float64)[:, 0], 1e-30)


def first_line(patterns: Any, doing: Doing) -> NDArray[np.float64]:
    """Return the `reference_height` of each sample, shape (n,).

    Raises
    ------
    SgbenchError
        If a cell is not known, or shows no line in the window.
    """
    samples = doing.samples
    if samples.lines is None or samples.cell is None:
        raise SgbenchError(
            "a level of noise by the lattice's first line needs lines and cells, and these samples "
            "have none; expected those of a designed set. Use 'counts' or 'noise'."
        )
    heights = reference_height(samples.cell, samples.protocol)
    if np.isnan(heights).any():
        raise SgbenchError(
            f"{int(np.isnan(heights).sum())} of {len(samples)} cells have no line in the window; "
            "expected one each, which levels of noise refer to. Use 'counts' or 'noise'."
        )
    return heights


def count_points(heights: Heights, patterns: Any, doing: Doing) -> Any:
    """Replace each point by a Poisson number; a point of the height expects N counts."""
    per_unit = doing.amount / heights(patterns, doing)
    return count(patterns, per_unit, doing.samples.ids, doing.stream)


def disturb_points(heights: Heights, patterns: Any, doing: Doing) -> Any:
    """Add to each point a normal number whose standard deviation is a share of the height."""
    sigma = doing.amount * heights(patterns, doing)
    return add_normal(patterns, sigma, doing.samples.ids, doing.stream)


_FIRST = "half the Lorentz factor of the lattice's first line in the window, whatever the lines"
_LAW_OF_COUNTS = "Knoll, Radiation Detection and Measurement (2010), chapter 3"
_ELECTRONICS = "Knoll, Radiation Detection and Measurement (2010), chapter 17"
_N, _SIGMA = (1e5, 3e4, 1e4, 3e3, 1e3), (0.001, 0.003, 0.01, 0.03, 0.1)
# Without a background, it takes so few counts to hide a line.
_FEW = (1e3, 1e2, 30.0, 10.0, 3.0)

COUNTS = on_patterns(
    "counts", "counts",
    "counting noise (Poisson), with so many counts expected in the strongest point",
    _LAW_OF_COUNTS, _N, (9.0, 1e9), partial(count_points, strongest),
)  # fmt: skip
EXPOSURE = on_patterns(
    "exposure", "counts",
    f"counting noise (Poisson), with so many counts expected at the reference height: {_FIRST}",
    _LAW_OF_COUNTS, _FEW, (0.0, 1e9), partial(count_points, first_line), designed_only=True,
)  # fmt: skip
NOISE = on_patterns(
    "noise", "of the strongest point",
    "normal noise, with this standard deviation at every point",
    _ELECTRONICS, _SIGMA, (0.0, 1.0), partial(disturb_points, strongest),
)  # fmt: skip
READOUT = on_patterns(
    "readout", "of the reference height",
    f"normal noise, with this standard deviation at every point; the reference height is {_FIRST}",
    _ELECTRONICS, _SIGMA, (0.0, 10.0), partial(disturb_points, first_line), designed_only=True,
)  # fmt: skip
