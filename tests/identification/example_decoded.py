"""Simulated patterns of known cells and groups, decoded from their cells."""

from functools import cache
from unittest.mock import patch

import numpy as np

from sgbench.decoder import CandidateLattice, decode_pattern
from sgbench.decoder._lattices import LatticeSearch
from sgbench.diffraction import PatternProtocol, allowed_lines, free_parameters, full_cell
from sgbench.identification._identify import answer_of
from sgbench.measured import measured_pattern
from sgbench.symmetry import family_of

WIDTH = 0.1
CU = 1.5405929
#: Anglesite, PbSO4, of group 62.
ANGLESITE = (8.478, 5.397, 6.958, 90.0, 90.0, 90.0)
#: Of group 205.
PYRITE = (5.418,) * 3 + (90.0,) * 3


def pattern(spacegroup, cell, extra=(), last=90.0, seed=0, counts=3000.0, noise=0):
    """Return a pattern with intensities by Wilson's law, and lines of others where asked for."""
    free = free_parameters(family_of(spacegroup), cell)
    lines = allowed_lines(spacegroup, free, PatternProtocol("test", CU, 5.0, last))
    rng = np.random.default_rng(seed)
    heights = [(one.two_theta, rng.exponential(counts) + 0.02 * counts) for one in lines]
    x = np.arange(5.0, last + 0.01, 0.02)
    y = np.full(len(x), 100.0)
    for place, height in [*heights, *extra]:
        y += height * np.exp(-4 * np.log(2) * ((x - place) / WIDTH) ** 2)
    return measured_pattern(
        x, np.random.default_rng([noise, 9]).poisson(y).astype(float), wavelength=CU
    )


def decoded(measured, family, cell, order=(0, 1, 2)):
    """Return what is found where the search for cells answers with this one, on reordered axes."""
    axes = [cell[i] for i in order] + list(cell[3:])
    own = tuple(full_cell(family, free_parameters(family, axes)).tolist())
    lattice = CandidateLattice(family, own, 0.0, 30, 40, 42.0, 61.0, "P", 100.0)
    place = "sgbench.decoder._decode_pattern.candidate_lattices"
    with patch(place, lambda _, __, families, *___: LatticeSearch((lattice,), families)):
        return decode_pattern(
            measured.two_theta, measured.intensity, wavelength=CU, families=(family,)
        )


@cache
def answered(spacegroup, cell, name="", **options):
    measured = pattern(spacegroup, cell, **options)
    return answer_of(decoded(measured, family_of(spacegroup), cell), measured, name)
