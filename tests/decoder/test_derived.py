"""Superlattices are asked for only where the pattern has their further lines."""

import numpy as np

from sgbench.decoder._derived import adds_nothing
from sgbench.decoder._found_lines import find_lines
from sgbench.decoder._lattices import CandidateLattice
from sgbench.decoder._whole_pattern import fit_whole_pattern

WAVELENGTH = 1.5406
GRID = np.arange(10.0, 90.0, 0.02)


def cubic(edge):
    cell = (edge, edge, edge, 90.0, 90.0, 90.0)
    return CandidateLattice("cubic", cell, 0.0, 10, 10, 100.0, 100.0, "P", 100.0)


def lines_of(edge):
    sums = sorted({h * h + k * k + m * m for h in range(9) for k in range(9) for m in range(9)})
    sine = np.sqrt(np.array(sums[1:])) * WAVELENGTH / 2 / edge
    return np.degrees(2 * np.arcsin(sine[sine < 0.7]))


def fitted(places, heights, tail=0.0, edge=4.0):
    """The lines found, and the fit of a cell, to lines with a shoulder that no fit has."""
    rng = np.random.default_rng(4)
    mean = np.full(len(GRID), 100.0)
    for place, height in zip(places, heights, strict=True):
        mean += height * np.exp(-4 * np.log(2) * ((GRID - place) / 0.15) ** 2)
        low = place > GRID
        mean[low] += tail * height / (1 + ((GRID[low] - place) / 0.3) ** 2)
    counts = rng.poisson(mean).astype(float)
    lines = find_lines(GRID, counts, None, WAVELENGTH)
    noise = np.sqrt(np.maximum(counts, 1.0))
    return fit_whole_pattern(GRID, counts, noise, lines, cubic(edge), WAVELENGTH), lines


def test_a_superlattice_whose_lines_are_there_adds_something():
    own = lines_of(4.0)
    more = [x for x in lines_of(8.0) if np.abs(own - x).min() > 0.3][:6]
    fit, lines = fitted([*own, *more], [5000.0] * len(own) + [400.0] * len(more))
    assert not adds_nothing(fit, cubic(8.0), lines, WAVELENGTH)
    # Nor does it matter that the candidate's edge is a little off.
    assert not adds_nothing(fit, cubic(8.008), lines, WAVELENGTH)


def test_one_whose_lines_are_not_adds_nothing_however_bad_the_fit_is():
    own = lines_of(4.0)
    fit, lines = fitted(own, [20_000.0] * len(own), tail=0.15)
    assert fit.goodness > 1.5
    assert adds_nothing(fit, cubic(8.0), lines, WAVELENGTH)
    impure, lines = fitted([*own, 25.1, 36.4, 52.3, 66.6], [5000.0] * len(own) + [300.0] * 4)
    assert (impure.lattice_line < 0).any()
    assert adds_nothing(impure, cubic(8.0), lines, WAVELENGTH)


def test_a_smaller_lattice_is_always_asked_for():
    own = lines_of(4.0)
    fit, lines = fitted(own, [20_000.0] * len(own), tail=0.15, edge=8.0)
    assert not adds_nothing(fit, cubic(4.0), lines, WAVELENGTH)
