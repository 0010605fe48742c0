"""Lines: where reflections fall, which of them a class keeps, and how strong they are."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sgbench.diffraction._cells import coefficients, metric
from sgbench.diffraction._protocol import PatternProtocol
from sgbench.errors import SgbenchError
from sgbench.symmetry import (
    absences,
    extinction_classes,
    family_of,
    family_spacegroups,
    relabellings,
)


@dataclass(frozen=True)
class Profile:
    """Widths of lines, where they are not those of the protocol.

    A line is a pseudo-Voigt function whose Gaussian and Lorentzian parts have these full widths at
    half maximum (Thompson, Cox & Hastings 1987).

    Attributes
    ----------
    gaussian, lorentzian : ndarray of float32, shape (n_lines,)
        Degrees.
    """

    gaussian: NDArray[np.float32]
    lorentzian: NDArray[np.float32]

    def take(self, lines: NDArray[np.int64]) -> "Profile":
        """Return those of some lines, in the order asked for."""
        return Profile(self.gaussian[lines], self.lorentzian[lines])


@dataclass(frozen=True)
class LineList:
    """Lines of many patterns in compressed-row layout.

    Attributes
    ----------
    offsets : ndarray of int64, shape (n + 1,)
        Lines of pattern i are ``offsets[i]:offsets[i + 1]``.
    two_theta : ndarray of float64, shape (n_lines,)
        Positions in degrees.
    intensity : ndarray of float32, shape (n_lines,)
        Integrated intensities, corrections applied, in arbitrary units.
    profile : Profile or None
        None where all lines have the protocol's.
    """

    offsets: NDArray[np.int64]
    two_theta: NDArray[np.float64]
    intensity: NDArray[np.float32]
    profile: Profile | None = None

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def take(self, indices: ArrayLike) -> "LineList":
        """Return the lines of some patterns, in the order asked for."""
        chosen = np.asarray(indices, dtype=np.int64)
        counts = np.diff(self.offsets)[chosen]
        offsets = np.concatenate([[0], np.cumsum(counts)])
        source = np.arange(offsets[-1]) + np.repeat(self.offsets[chosen] - offsets[:-1], counts)
        profile = None if self.profile is None else self.profile.take(source)
        return LineList(offsets, self.two_theta[source], self.intensity[source], profile)

    @classmethod
    def concatenate(cls, lists: "Sequence[LineList]") -> "LineList":
        """Return the lines of all patterns of some lists, one list after the other."""
        starts = np.cumsum([0, *(one.offsets[-1] for one in lists)])
        offsets = [one.offsets[1:] + start for one, start in zip(lists, starts, strict=False)]
        profiles = [one.profile for one in lists if one.profile is not None]
        if len(profiles) not in (0, len(lists)):
            raise SgbenchError(
                "some of the line lists have a profile of their own; expected all of them to have "
                "one, or none. Give each a profile."
            )
        return cls(
            np.concatenate([[0], *offsets]).astype(np.int64),
            np.concatenate([one.two_theta for one in lists]),
            np.concatenate([one.intensity for one in lists]),
            Profile(
                np.concatenate([one.gaussian for one in profiles]),
                np.concatenate([one.lorentzian for one in profiles]),
            )
            if profiles
            else None,
        )

    def portable_bytes(self) -> bytes:
        """Return bytes to hash, the same on every machine that computes the same lines.

        Positions enter rounded to 1e-6 degrees and intensities to four digits of their logarithm,
        so that the last bit of a libm does not matter.
        """
        logarithm = np.log(np.maximum(self.intensity.astype(np.float64), 1e-30))
        rounded = [self.offsets, np.rint(self.two_theta * 1e6), np.rint(logarithm * 1e4)]
        if self.profile is not None:
            widths = (self.profile.gaussian, self.profile.lorentzian)
            rounded += [np.rint(width.astype(np.float64) * 1e6) for width in widths]
        return b"".join(values.astype("<i8").tobytes() for values in rounded)


@dataclass(frozen=True)
class ReflectionTable:
    """Every line that cells of a family can show, and which extinction class keeps it.

    Attributes
    ----------
    family : str
    coefficients : ndarray of int64, shape (n_lines, p)
        Integers whose product with the metric is 1/d^2.
    key : ndarray of uint32, shape (n_lines,)
        A number that names the line, whatever the size of the table.
    present : ndarray of bool, shape (n_classes * n_relabellings, n_lines)
        Whether any reflection of the line is present in the class, for each relabelling of the axes
        that the family has; relabellings vary fastest.
    """

    family: str
    coefficients: NDArray[np.int64]
    key: NDArray[np.uint32]
    present: NDArray[np.bool_]

    @cached_property
    def kept(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Where the lines of each row of `present` begin, and those that are set in it."""
        offsets = np.concatenate([[0], np.cumsum(self.present.sum(axis=1))])
        return offsets, np.nonzero(self.present)[1]


@lru_cache(maxsize=32)
def reflection_table(
    family: str, largest_cell: tuple[float, ...], protocol: PatternProtocol
) -> ReflectionTable:
    """List the lines that cells up to a given size can show in a protocol's window.

    Parameters
    ----------
    family : str
    largest_cell : tuple of float
        Upper bounds of the free parameters in ångström.
    protocol : PatternProtocol

    Returns
    -------
    ReflectionTable
        Rows ascend by their coefficients.
    """
    hkl = reflections(largest_cell, protocol)
    rows, line = lines_of(family, hkl)
    classes = extinction_classes(family_spacegroups(family))
    settings = [(cls.spacegroups[0], matrix) for cls in classes for matrix in relabellings(family)]
    present = np.zeros((len(settings), len(rows)), dtype=bool)
    for index, (spacegroup, matrix) in enumerate(settings):
        allowed = ~absences(spacegroup, hkl @ matrix)
        present[index, line[allowed]] = True
    return ReflectionTable(family, rows, line_keys(rows), present)


def lines_of(family: str, hkl: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the coefficients of the lines of reflections, ascending, and the line of each."""
    rows, line = np.unique(coefficients(family, hkl), axis=0, return_inverse=True)
    return rows, line.ravel()


def reflections(largest_cell: tuple[float, ...], protocol: PatternProtocol) -> NDArray[np.int64]:
    """Return Miller indices, shape (n, 3), that hold all a cell of this size shows in the window.

    |h| <= a/d for every lattice, so a box of indices does.
    """
    d_star = np.sqrt(protocol.q_range[1])
    # Families of one or two free parameters have a = b.
    edges = (
        largest_cell[:3]
        if len(largest_cell) > 2
        else (largest_cell[0], largest_cell[0], largest_cell[-1])
    )
    limits = [int(np.floor(edge * d_star)) for edge in edges]
    if protocol.hkl_limit is not None:
        limits = [min(limit, protocol.hkl_limit) for limit in limits]
    indices = (np.arange(-limit, limit + 1) for limit in limits)
    hkl = np.stack(np.meshgrid(*indices, indexing="ij"), axis=-1).reshape(-1, 3)
    return np.asarray(hkl[np.any(hkl != 0, axis=1)])


@dataclass(frozen=True)
class AllowedLine:
    """A line that a space group allows.

    Attributes
    ----------
    hkl : tuple of int
        One present reflection of the line, with non-negative indices if there is one.
    multiplicity : int
        Present reflections of the line.
    d : float
        Ångström.
    two_theta : float
        Degrees.
    """

    hkl: tuple[int, int, int]
    multiplicity: int
    d: float
    two_theta: float


def allowed_lines(
    spacegroup: int, free: ArrayLike, protocol: PatternProtocol
) -> tuple[AllowedLine, ...]:
    """Return the lines between the ends of the window that a space group allows, by angle.

    Parameters
    ----------
    spacegroup : int
    free : array_like, shape (p,)
        Free cell parameters in ångström.
    protocol : PatternProtocol
    """
    family = family_of(spacegroup)
    cell = np.asarray(free, dtype=np.float64)
    hkl = reflections(tuple(cell.tolist()), protocol)
    hkl = hkl[~absences(spacegroup, hkl)]
    rows, line, counts = np.unique(
        coefficients(family, hkl), axis=0, return_inverse=True, return_counts=True
    )
    q = rows @ metric(family, cell[None, :])[0]
    two_theta = two_theta_of(q, protocol.wavelength)
    # Last wins: ascending indices, those without a negative one after all others.
    order = np.lexsort((*hkl.T[::-1], np.all(hkl >= 0, axis=1)))
    shown = np.zeros((len(rows), 3), dtype=np.int64)
    shown[line.ravel()[order]] = hkl[order]
    found = [
        AllowedLine((int(h), int(k), int(low)), int(n), float(1 / np.sqrt(value)), float(angle))
        for (h, k, low), n, value, angle in zip(shown, counts, q, two_theta, strict=True)
        if protocol.two_theta_min <= angle <= protocol.two_theta_max
    ]
    return tuple(sorted(found, key=lambda entry: entry.two_theta))


def line_keys(rows: NDArray[np.int64]) -> NDArray[np.uint32]:
    """Pack the coefficients of lines, shape (n, p), into one number each; none is 0.

    With up to two of them, they are packed as they are. Three squares are packed as |h|, |k| and
    |l|, at most 1023, with the signs of the cross terms where there are any.
    """
    n, p = rows.shape
    packed = np.zeros(n, dtype=np.uint32)
    if p <= 2:
        for column in rows.T:
            packed = (packed << np.uint32(16)) | column.astype(np.uint32)
        return packed
    for column in rows[:, :3].T:
        packed = (packed << np.uint32(10)) | np.rint(np.sqrt(column)).astype(np.uint32)
    # Of kl, hl and hk, two signs say all: where h = 0, that of kl, else those of hl and hk.
    kl, hl, hk = rows[:, 3:].T if p == 6 else (0 * rows[:, 0], rows[:, -1] * (p > 3), 0)
    signs = 2 * (np.where(rows[:, 0] == 0, kl, hl) < 0) + (hk < np.zeros(n))
    return np.asarray(packed | (signs.astype(np.uint32) << np.uint32(30)))


def two_theta_of(q: ArrayLike, wavelength: float) -> NDArray[np.float64]:
    """Return Bragg angles in degrees for 1/d^2 in 1/ångström^2; NaN where none diffracts."""
    sine = wavelength / 2 * np.sqrt(np.asarray(q, dtype=np.float64))
    return np.asarray(np.degrees(2 * np.arcsin(np.where(sine <= 1, sine, np.nan))))


def lorentz_factor(two_theta: ArrayLike) -> NDArray[np.float64]:
    """Return the powder Lorentz factor 1 / (sin 2theta . sin theta); angles in degrees."""
    angle = np.radians(np.asarray(two_theta, dtype=np.float64))
    return np.asarray(1.0 / (np.sin(angle) * np.sin(angle / 2)))
