"""Whether a lattice that derives from a fitted one has lines where that one leaves some."""

import numpy as np

from sgbench.decoder._lattice_lines import lattice_lines
from sgbench.decoder._lattices import CandidateLattice
from sgbench.decoder._pattern_fit import WholePatternFit
from sgbench.diffraction import free_parameters, metric, two_theta_of

# A line is a lattice's if it lies within this share of its width.
_OWN_WIDTHS = 0.45
# Lines of a lattice are counted over so many degrees to each side.
_AROUND = 4.0
# As many lines as by chance, and so many standard deviations more, are more.
_DEVIATIONS = 2.5


def explains_more(fit: WholePatternFit, lattice: CandidateLattice, wavelength: float) -> bool:
    """Tell whether a lattice has lines where a fit has lines of other phases.

    Any lattice with many lines has some there by chance.

    Parameters
    ----------
    fit : WholePatternFit
        Of another lattice.
    lattice : CandidateLattice
    wavelength : float
        In ångström.
    """
    other = fit.lattice_line < 0
    if not other.any():
        return False
    free = free_parameters(lattice.family, np.asarray(lattice.cell), tolerance=0.01)
    largest_q = (2 * np.sin(np.radians(min(fit.angles[-1] + 1.0, 179.0) / 2)) / wavelength) ** 2
    lines = lattice_lines(lattice.family, free, float(largest_q))
    of_metric = metric(lattice.family, free[None, :])[0]
    place = np.sort(two_theta_of(lines.coefficients @ of_metric, wavelength) + lattice.zero)
    if not len(place):
        return False
    left, within = fit.two_theta[other], _OWN_WIDTHS * fit.width[other]
    there = np.abs(left[:, None] - place).min(axis=1) <= within
    around = np.searchsorted(place, left + _AROUND) - np.searchsorted(place, left - _AROUND)
    chance = 1.0 - np.exp(-around / (2 * _AROUND) * 2 * within)
    more = there.sum() - chance.sum()
    return bool(more > _DEVIATIONS * np.sqrt(np.sum(chance * (1 - chance))))
