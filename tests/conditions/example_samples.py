"""Samples of a few lines, to hold conditions against formulas."""

import numpy as np

from sgbench.diffraction import CANONICAL, LineList, Samples


def lines_at(two_theta, intensity=None, cell=None, names=None, protocol=CANONICAL):
    """Return samples that all have these lines."""
    names = ("a",) if names is None else tuple(names)
    n, angles = len(names), np.asarray(two_theta, dtype=np.float64)
    heights = np.ones(len(angles)) if intensity is None else np.asarray(intensity)
    lines = LineList(
        np.arange(n + 1) * len(angles), np.tile(angles, n), np.tile(heights, n).astype(np.float32)
    )
    cells = None if cell is None else np.tile(np.asarray(cell, dtype=np.float64), (n, 1))
    return Samples(names, np.full(n, 225), protocol, lines, cell=cells)
