"""The height that levels of noise refer to where they must not depend on a pattern's lines."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sgbench.diffraction._cells import metric
from sgbench.diffraction._lines import lorentz_factor, two_theta_of
from sgbench.diffraction._protocol import PatternProtocol


def reference_height(cell: ArrayLike, protocol: PatternProtocol) -> NDArray[np.float64]:
    """Return the height that a cell's first line in the window has at its mean intensity.

    It is half of the Lorentz factor at the position of the largest d of the primitive lattice
    whose line falls in the window, since uniform intensities are 0.5 in the mean, and an unscaled
    pattern is as high at a line as its intensity. It follows from the cell alone: neither from
    the extinction class nor from what was drawn for a pattern.

    Parameters
    ----------
    cell : array_like, shape (n, 6)
        a, b, c (ångström), alpha, beta, gamma (degrees).
    protocol : PatternProtocol

    Returns
    -------
    ndarray, shape (n,)
        In the units of unscaled patterns; NaN where no line falls in the window.
    """
    edges = np.array([protocol.two_theta_min, protocol.two_theta_max])
    lowest, highest = (2 * np.sin(np.radians(edges) / 2) / protocol.wavelength) ** 2
    cells = np.asarray(cell, dtype=np.float64)
    # The rounding of a line at the very edge must not decide.
    from sgbench.diffraction._reference_numba import smallest

    q = smallest(cells[:, :3], metric("triclinic", cells), lowest * (1 - 1e-12))
    q[q > highest] = np.nan
    return 0.5 * lorentz_factor(two_theta_of(q, protocol.wavelength))
