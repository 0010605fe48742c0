"""What a fit of all lines of a lattice to a whole pattern says."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sgbench.decoder._lattice_lines import LatticeLines


@dataclass(frozen=True, eq=False)
class WholePatternFit:
    """A fit of all lines of a lattice, and the least-squares problem that is left.

    Lines of other phases are among the lines; they have no place in `lattice_line`.

    Attributes
    ----------
    family : str
    free : ndarray of float64, shape (p,)
        Refined free cell parameters.
    uncertainty : ndarray of float64, shape (p,)
        Standard uncertainties of these.
    zero, displacement : float
        Lines lie zero + displacement cos(theta) degrees above Bragg's angle.
    lines : LatticeLines
        Lines of the lattice in the range, ascending.
    lattice_line : ndarray of int64, shape (n,)
        Which of `lines` each line of the fit is; -1 for lines of other phases.
    two_theta, width : ndarray of float64, shape (n,)
        Position and full width of each, degrees.
    intensity : ndarray of float64, shape (n,)
        Areas, in units of the pattern times degrees; may be below zero.
    first, normal, right
        Banded normal equations of the intensities, as of `normal_equations`, weighted.
    border : ndarray of float64, shape (n, m)
        Products of lines with what else was refined: background, then parameters.
    border_square : ndarray of float64, shape (m, m)
        Products of the latter with each other, and with what is known of them.
    border_right : ndarray of float64, shape (m,)
    square : float
        Weighted sum of squares of the pattern.
    angles, calculated, background : ndarray of float64, shape (n_points,)
        The points of the pattern in degrees, what the fit says of them, and the background.
    goodness : float
        Square root of chi-squared by degrees of freedom.
    excess : float
        What noise does not explain, as a share of the lines (root mean squares).
    together : float
        Neighbouring points that what is left says the same of, see `points_together`.
    """

    family: str
    free: NDArray[np.float64]
    uncertainty: NDArray[np.float64]
    zero: float
    displacement: float
    lines: LatticeLines
    lattice_line: NDArray[np.int64]
    two_theta: NDArray[np.float64]
    width: NDArray[np.float64]
    intensity: NDArray[np.float64]
    first: NDArray[np.int64]
    normal: NDArray[np.float64]
    right: NDArray[np.float64]
    border: NDArray[np.float64]
    border_square: NDArray[np.float64]
    border_right: NDArray[np.float64]
    square: float
    angles: NDArray[np.float64]
    calculated: NDArray[np.float64]
    background: NDArray[np.float64]
    goodness: float
    excess: float
    together: float
