"""Candidate lattices: cells whose lines explain those that were found in a pattern."""

from collections.abc import Sequence
from dataclasses import dataclass

from sgbench.decoder._found_lines import FoundLines


@dataclass(frozen=True)
class CandidateLattice:
    """A lattice that explains the lines of a pattern.

    Attributes
    ----------
    family : str
    cell : tuple of float, length 6
        a, b, c in ångström, alpha, beta, gamma in degrees; the conventional cell of the family,
        rhombohedral lattices on hexagonal axes.
    zero : float
        Degrees that are to be taken off measured positions two_theta.
    n_explained : int
        How many of the lines that were found are lines of the lattice.
    n_calculated : int
        How many distinct lines the lattice has up to the last line that was found.
    m20, f_n : float
        Figures of merit: de Wolff (1968), J. Appl. Cryst. 1, 108; Smith & Snyder (1979), J. Appl.
        Cryst. 12, 60; of the first 20 lines, or of all where there are fewer.
    derived : bool
        Whether a lattice before it in the list explains the lines and is a sub- or superlattice of
        it, or has the same lines (Mighell & Santoro 1975, J. Appl. Cryst. 8, 372).
    """

    family: str
    cell: tuple[float, float, float, float, float, float]
    zero: float
    n_explained: int
    n_calculated: int
    m20: float
    f_n: float
    derived: bool = False


def candidate_lattices(
    lines: FoundLines,
    wavelength: float,
    families: Sequence[str],
    largest_volume: float,
    time_limit: float,
) -> tuple[CandidateLattice, ...]:
    """Find lattices whose lines explain those that were found, the best first.

    Parameters
    ----------
    lines : FoundLines
    wavelength : float
        In ångström, of the positions.
    families : sequence of str
        What to search, such as ``("cubic", "monoclinic")``.
    largest_volume : float
        Of the primitive cell, in cubic ångström.
    time_limit : float
        Seconds after which the search ends with what it has.

    Returns
    -------
    tuple of CandidateLattice
        Empty where nothing explains the lines.
    """
    raise NotImplementedError
