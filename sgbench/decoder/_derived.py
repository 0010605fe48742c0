"""Whether a lattice adds lines to a fitted one's that the pattern does not have."""

import numpy as np
from numpy.typing import NDArray

from sgbench.decoder._found_lines import FoundLines
from sgbench.decoder._lattices import CandidateLattice
from sgbench.decoder._pattern_fit import WholePatternFit
from sgbench.decoder._positions import OWN_WIDTHS, lines_in_place
from sgbench.diffraction import two_theta_of

# A superlattice has this share of a lattice's lines, the others being off by refinement.
_HELD = 0.95
# Lines of a lattice are counted over so many degrees to each side.
_AROUND = 4.0
# Lines of others must be at least so many, and more than by chance by so many standard deviations.
_FEWEST, _DEVIATIONS = 2, 2.5


def adds_nothing(
    fit: WholePatternFit, lattice: CandidateLattice, found: FoundLines, wavelength: float
) -> bool:
    """Tell whether a lattice is a superlattice of a fitted one whose further lines are not there.

    It has no more lines than by chance where the fit needed lines of other phases; any lattice of
    many lines has some.

    Parameters
    ----------
    fit : WholePatternFit
        Of another lattice.
    lattice : CandidateLattice
    found : FoundLines
        Lines of the pattern.
    wavelength : float
        In ångström.
    """
    lines, of_metric, zero = lines_in_place(lattice, found, wavelength, float(fit.angles[-1]))
    place = two_theta_of(lines.coefficients @ of_metric, wavelength) + zero
    place = np.sort(place[np.isfinite(place)])
    own = fit.lattice_line >= 0
    within = OWN_WIDTHS * fit.width
    if not len(place) or not own.any():
        return False
    there = _distance(fit.two_theta, place) <= within
    inside = (place >= fit.angles[0]) & (place <= fit.angles[-1])
    if np.mean(there[own]) < _HELD or inside.sum() <= own.sum():
        return False
    left = fit.two_theta[~own]
    low, high = np.maximum(left - _AROUND, place[0]), np.minimum(left + _AROUND, place[-1])
    around = np.searchsorted(place, high, side="right") - np.searchsorted(place, low)
    density = around / np.maximum(high - low, 1e-9)
    chance = 1.0 - np.exp(-np.minimum(density, 1e6) * 2 * within[~own])
    more = there[~own].sum() - chance.sum()
    enough = _DEVIATIONS * np.sqrt(np.sum(chance * (1 - chance)))
    return bool(there[~own].sum() < _FEWEST or more <= enough)


def _distance(at: NDArray[np.float64], place: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how far angles are from the nearest of some ascending ones."""
    after = np.searchsorted(place, at)
    below = np.abs(at - place[np.maximum(after - 1, 0)])
    return np.asarray(np.minimum(below, np.abs(at - place[np.minimum(after, len(place) - 1)])))
