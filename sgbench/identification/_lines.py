"""The evidence line by line: what a class forbids and allows, and what the pattern has there."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sgbench.decoder import WholePatternFit
from sgbench.diffraction import full_cell
from sgbench.identification._answer import Against, Evidence, Line
from sgbench.symmetry import absences, relabellings

# A line is there if its intensity is this many times its uncertainty.
_SIGNIFICANT = 4.0
#: Lines closer than this part of their width are one for the eye and for any fit.
RESOLVED = 0.5
# An intensity known no better than this part of the median one that is there says nothing where it
# is low.
_VAGUE = 0.5
# What a single line counts for at most when namings of the axes are compared.
_MOST = 30.0
# Added to normal equations of diagonal 1.
_RIDGE = 1e-8
# Area of a line by height and full width, between those of a Gaussian and a Lorentzian.
_AREA = 1.2
# Turns a monoclinic cell about b, so that β becomes obtuse.
_TURNED = np.diag([-1, -1, 1])


@dataclass(frozen=True, eq=False)
class FittedLines:
    """Every line of a cell with what the fit of the whole pattern found there.

    Attributes
    ----------
    family : str
    cell : tuple of float
        a, b, c in ångström and α, β, γ in degrees.
    hkl : ndarray of int, shape (n, 3)
        One reflection of each line.
    reflections : ndarray of int, shape (m, 3)
        Reflections of all lines, of those that are absent together one.
    line : ndarray of int, shape (m,)
        The line of each of these.
    two_theta, intensity, uncertainty : ndarray of float64, shape (n,)
        Degrees, ascending; integrated intensity and its standard uncertainty.
    fwhm : ndarray of float64, shape (n,)
        Full width at half maximum at each line, in degrees.
    """

    family: str
    cell: tuple[float, ...]
    hkl: NDArray[np.int64]
    reflections: NDArray[np.int64]
    line: NDArray[np.int64]
    two_theta: NDArray[np.float64]
    intensity: NDArray[np.float64]
    uncertainty: NDArray[np.float64]
    fwhm: NDArray[np.float64]

    @classmethod
    def of(cls, fit: WholePatternFit) -> "FittedLines":
        """Return the lines of the cell that was fitted, without those of other phases."""
        own = np.flatnonzero(fit.lattice_line >= 0)
        own = own[np.argsort(fit.two_theta[own], kind="stable")]
        lines = fit.lines.take(fit.lattice_line[own])
        return cls(
            fit.family, tuple(full_cell(fit.family, fit.free).tolist()), lines.hkl,
            lines.representatives, lines.line, fit.two_theta[own], fit.intensity[own],
            _uncertainties(fit)[own], fit.width[own],
        )  # fmt: skip

    def allowed(self, spacegroup: int, naming: NDArray[np.int32]) -> NDArray[np.bool_]:
        """Tell which lines have a reflection that a space group allows, on axes named so."""
        found = np.zeros(len(self.hkl), dtype=bool)
        found[self.line[~absences(spacegroup, self.reflections @ naming)]] = True
        return found

    def hidden(self, allowed: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Tell which lines lie under one that is allowed, or are too weak to be known."""
        places = self.two_theta[allowed]
        if not len(places):
            return np.zeros(len(self.hkl), dtype=bool)
        distance = np.abs(self.two_theta[:, None] - places[None, :])
        # A line does not hide itself.
        distance[np.flatnonzero(allowed), np.arange(len(places))] = np.inf
        # A strong line is less well known than weak ones, and seen all the same.
        there = self.ratio >= _SIGNIFICANT
        # Those that are not there do not say how strong a line is.
        usual = allowed & there if np.any(allowed & there) else allowed
        vague = ~there & (self.uncertainty > _VAGUE * np.median(np.abs(self.intensity[usual])))
        return np.asarray((distance.min(axis=1) < RESOLVED * self.fwhm) | vague)

    @property
    def ratio(self) -> NDArray[np.float64]:
        """Intensities by their uncertainties."""
        least = 1e-12 * np.abs(self.intensity).max()
        return np.asarray(self.intensity / np.maximum(self.uncertainty, least))

    def naming(self, spacegroup: int) -> NDArray[np.int32]:
        """Return the naming of the axes that suits a space group best, as a matrix on hkl.

        A forbidden line that is clear of others speaks for a naming by ½ ln(1 + s²) − ½ z², where
        z is its intensity in σ and s how many σ an allowed line is worth: the logarithm of the odds
        of nothing there against a line of the usual intensity there.
        """
        choices = relabellings(self.family)
        if len(choices) == 1:
            return choices[0]
        usual = max(float(np.median(np.abs(self.intensity))), 1e-30)
        worth = 0.5 * np.log1p((usual / np.maximum(self.uncertainty, 1e-9 * usual)) ** 2)
        for_absence = np.clip(worth - 0.5 * self.ratio**2, -_MOST, _MOST)
        scores = []
        for one in choices:
            allowed = self.allowed(spacegroup, one)
            scores.append(for_absence[~allowed & ~self.hidden(allowed)].sum())
        return choices[int(np.argmax(scores))]


def evidence(fitted: FittedLines, spacegroup: int, first: Evidence | None = None) -> Evidence:
    """Return the lines as the class of a space group has them.

    Parameters
    ----------
    fitted : FittedLines
    spacegroup : int
        The one of the class in whose standard setting the lines are named.
    first : Evidence, optional
        Of the most probable class, where it is of the same cell.
    """
    naming = fitted.naming(spacegroup)
    if fitted.family == "monoclinic" and _renamed(fitted.cell, naming)[4] < 90:
        naming = naming @ _TURNED
    allowed = fitted.allowed(spacegroup, naming)
    hidden = fitted.hidden(allowed)
    there = fitted.ratio > _SIGNIFICANT
    d = 1 / np.sqrt(_inverse_squares(fitted.cell, fitted.hkl))
    scale = 100 / max(float(np.abs(fitted.intensity).max()), 1e-30)
    lines = tuple(
        Line(
            (int(h), int(k), int(low)), float(fitted.two_theta[i]), float(d[i]), bool(allowed[i]),
            "hidden" if hidden[i] else "there" if there[i] else "absent",
            float(fitted.intensity[i] * scale), float(fitted.uncertainty[i] * scale),
        )
        for i, (h, k, low) in enumerate(_shown(fitted, spacegroup, naming, allowed))
    )  # fmt: skip
    against = None if first is None else _against(lines, first.lines)
    return Evidence(_renamed(fitted.cell, naming), lines, against)


def _uncertainties(fit: WholePatternFit) -> NDArray[np.float64]:
    """Return standard uncertainties of the intensities of all lines of a fit, shape (n,).

    They are those of least squares with all that was refined, scaled by the goodness of the fit,
    and beside these what the profile of neighbours is off by.
    """
    n = len(fit.right)
    normal = np.zeros((n, n))
    for i, (first, row) in enumerate(zip(fit.first, fit.normal, strict=True)):
        normal[i, first : i + 1] = normal[first : i + 1, i] = row[: i + 1 - first]
    whole = np.block([[normal, fit.border], [fit.border.T, fit.border_square]])
    # Lines at one place leave their sum known and nothing else.
    scale = np.sqrt(np.maximum(np.diag(whole), 1e-300))
    inverse = np.linalg.inv(whole / np.outer(scale, scale) + _RIDGE * np.eye(len(whole)))
    variance = np.maximum(np.diag(inverse)[:n], 0.0) / scale[:n] ** 2
    peak = np.maximum(fit.intensity, 0.0) / (_AREA * fit.width)
    lines = np.interp(fit.two_theta, fit.angles, fit.calculated - fit.background)
    others = np.maximum(lines - peak, 0.0) * _AREA * fit.width
    return np.asarray(np.sqrt(variance * max(fit.goodness, 1.0) ** 2 + (fit.excess * others) ** 2))


def _against(lines: Sequence[Line], others: Sequence[Line]) -> Against:
    """Count the lines that one class allows and another forbids, both of the same cell."""
    differ = [i for i, one in enumerate(lines) if one.allowed != others[i].allowed]
    # What either has under a line of its own tells nothing.
    hidden = [i for i in differ if "hidden" in (lines[i].state, others[i].state)]
    missing = (i for i in differ if lines[i].allowed and lines[i].state == "absent")
    return Against(len(differ), len(hidden), tuple(i for i in missing if i not in hidden))


def _shown(
    fitted: FittedLines,
    spacegroup: int,
    naming: NDArray[np.int32],
    allowed: NDArray[np.bool_],
) -> NDArray[np.int64]:
    """Return the reflection that stands for each line, in the setting of the class.

    One that is present if there is one, and of these one without negative indices and with the
    largest h, then k, then l.
    """
    named, line = fitted.reflections @ naming, fitted.line
    present = ~absences(spacegroup, named) | ~allowed[line]
    order = np.lexsort((*named.T[::-1], (named >= 0).all(axis=1), present))
    found = np.zeros((len(fitted.hkl), 3), dtype=np.int64)
    found[line[order]] = named[order]  # the last one wins
    return found


def _renamed(cell: Sequence[float], naming: NDArray[np.int32]) -> tuple[float, ...]:
    """Return the cell on other axes; indices change as the basis does."""
    tensor = naming.T @ _tensor(cell) @ naming
    edges = np.sqrt(np.diag(tensor))
    cosines = [tensor[i, j] / (edges[i] * edges[j]) for i, j in ((1, 2), (0, 2), (0, 1))]
    angles = np.degrees(np.arccos(np.clip(cosines, -1, 1)))
    return tuple(float(value) for value in (*edges, *angles))


def _tensor(cell: Sequence[float]) -> NDArray[np.float64]:
    """Return the products of the basis vectors, shape (3, 3)."""
    a, b, c = cell[:3]
    alpha, beta, gamma = np.cos(np.radians(cell[3:]))
    return np.array(
        [
            [a * a, a * b * gamma, a * c * beta],
            [a * b * gamma, b * b, b * c * alpha],
            [a * c * beta, b * c * alpha, c * c],
        ]
    )


def _inverse_squares(cell: Sequence[float], hkl: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return 1/d² of reflections, shape (n,)."""
    inverse = np.linalg.inv(_tensor(cell))
    return np.asarray(np.einsum("ni,ij,nj->n", hkl, inverse, hkl.astype(np.float64)))
