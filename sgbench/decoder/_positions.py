"""A lattice's metric and zero shift, from the places of the lines that were found."""

import numpy as np
from numpy.typing import NDArray

from sgbench.decoder._found_lines import FoundLines
from sgbench.decoder._lattice_lines import LatticeLines, lattice_lines
from sgbench.decoder._lattices import CandidateLattice
from sgbench.diffraction import free_parameters, metric, two_theta_of

#: A line that was found is one of a lattice's if it lies within this share of its width.
OWN_WIDTHS = 0.45


def lines_in_place(
    lattice: CandidateLattice, found: FoundLines, wavelength: float, last: float
) -> tuple[LatticeLines, NDArray[np.float64], float]:
    """Return the lines of a candidate, with the metric and zero shift that suit the found lines.

    Parameters
    ----------
    lattice : CandidateLattice
    found : FoundLines
    wavelength : float
        In ångström.
    last : float
        The last angle of the pattern in degrees; lines reach one degree beyond it.

    Returns
    -------
    LatticeLines
    ndarray of float64, shape (p,)
        Reciprocal metric in 1/ångström^2.
    float
        Degrees.
    """
    free = free_parameters(lattice.family, np.asarray(lattice.cell), tolerance=0.01)
    largest_q = (2 * np.sin(np.radians(min(last + 1.0, 179.0) / 2)) / wavelength) ** 2
    lines = lattice_lines(lattice.family, free, float(largest_q))
    start = metric(lattice.family, free[None, :])[0]
    return lines, *from_positions(lines, start, lattice, found, wavelength)


def from_positions(
    lines: LatticeLines,
    of_metric: NDArray[np.float64],
    lattice: CandidateLattice,
    found: FoundLines,
    wavelength: float,
) -> tuple[NDArray[np.float64], float]:
    """Return metric and zero shift that suit the found lines, from low angles upwards."""
    zero = lattice.zero
    if len(found.two_theta) < len(of_metric) + 2:
        return of_metric, zero
    for reach in (0.4, 0.6, 0.8, 1.0):
        limit = found.two_theta[0] + reach * (found.two_theta[-1] - found.two_theta[0])
        place = two_theta_of(lines.coefficients @ of_metric, wavelength) + zero
        use = (found.two_theta <= limit) & np.isfinite(found.two_theta)
        if use.sum() < len(of_metric) + 2:
            continue
        near = np.abs(found.two_theta[use][:, None] - np.nan_to_num(place, nan=1e9)[None, :])
        line, off = near.argmin(axis=1), near.min(axis=1)
        tolerance = np.maximum(0.5 * found.fwhm[use], 3 * found.uncertainty[use])
        own = off < tolerance
        if own.sum() < len(of_metric) + 2:
            continue
        row, at = lines.coefficients[line[own]], found.two_theta[use][own]
        slope = wavelength**2 / (2 * np.sin(np.radians(at))) * np.degrees(1.0)
        design = np.column_stack([row * of_metric * slope[:, None], np.ones(own.sum())])
        spread = np.maximum(found.uncertainty[use][own], 0.1 * found.fwhm[use][own])
        # Not more than the candidate may be off by.
        prior = np.diag(1.0 / np.append(np.full(len(of_metric), 2e-3), 0.05))
        system = np.vstack([design / spread[:, None], prior])
        target = np.append((at - place[line[own]]) / spread, np.zeros(len(of_metric) + 1))
        step = np.linalg.lstsq(system, target, rcond=None)[0]
        of_metric = of_metric * (1 + step[:-1])
        zero = zero + float(step[-1])
    return of_metric, zero
