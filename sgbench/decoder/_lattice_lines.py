"""The lines of one lattice, and which of them each extinction class keeps."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sgbench.diffraction import coefficients, full_cell, metric
from sgbench.symmetry import (
    absences,
    class_labels,
    extinction_classes,
    family_spacegroups,
    relabellings,
)


@dataclass(frozen=True, eq=False)
class LatticeLines:
    """Lines of a lattice without extinctions, by ascending 1/d^2.

    Attributes
    ----------
    family : str
    coefficients : ndarray of int64, shape (n, p)
        Integers whose product with the reciprocal metric is 1/d^2.
    hkl : ndarray of int64, shape (n, 3)
        One reflection of each line.
    multiplicity : ndarray of int64, shape (n,)
        Reflections of each line.
    """

    family: str
    coefficients: NDArray[np.int64]
    hkl: NDArray[np.int64]
    multiplicity: NDArray[np.int64]
    representatives: NDArray[np.int64]
    line: NDArray[np.int64]

    def take(self, kept: NDArray[np.int64]) -> "LatticeLines":
        """Return some of the lines, in the order asked for; each at most once."""
        place = np.full(len(self.hkl), -1)
        place[kept] = np.arange(len(kept))
        held = place[self.line] >= 0
        return LatticeLines(
            self.family, self.coefficients[kept], self.hkl[kept], self.multiplicity[kept],
            self.representatives[held], place[self.line][held],
        )  # fmt: skip


@dataclass(frozen=True, eq=False)
class ClassSettings:
    """The distinct sets of lines that classes of a family keep, over all namings of the axes.

    Attributes
    ----------
    present : ndarray of bool, shape (n_settings, n_lines)
    weight : ndarray of float64, shape (n_classes, n_settings)
        The share of a class's namings that keep these lines.
    prior : ndarray of float64, shape (n_classes,)
        The share of the family's space groups that are of the class.
    """

    present: NDArray[np.bool_]
    weight: NDArray[np.float64]
    prior: NDArray[np.float64]


def lattice_lines(family: str, free: NDArray[np.float64], largest_q: float) -> LatticeLines:
    """List the lines of a lattice.

    Parameters
    ----------
    family : str
    free : ndarray, shape (p,)
        Free cell parameters.
    largest_q : float
        Largest 1/d^2 in 1/ångström^2.
    """
    hkl, multiplicity = _representatives(family, full_cell(family, free)[:3], largest_q)
    of_metric = metric(family, free[None, :])[0]
    every = coefficients(family, hkl)
    kept = every @ of_metric <= largest_q
    hkl, multiplicity, every = hkl[kept], multiplicity[kept], every[kept]
    rows, where, line = np.unique(every, axis=0, return_index=True, return_inverse=True)
    order = np.argsort(rows @ of_metric, kind="stable")
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    line = place[line.ravel()]
    total = np.bincount(line, weights=multiplicity, minlength=len(rows)).astype(np.int64)
    return LatticeLines(family, rows[order], hkl[where[order]], total, hkl, line)


def _representatives(
    family: str, edges: NDArray[np.float64], largest_q: float
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return reflections that stand for all, and how many each stands for.

    Those that it stands for are absent where it is: they are its Friedel mate, and its images
    under mirrors (orthogonal axes), the twofold axis along b (monoclinic) or the threefold one and
    Friedel's law (hexagonal axes), which hold for the absences of all groups of the family.
    """
    limits = np.floor(edges * np.sqrt(largest_q)).astype(np.int64)
    hexagonal, low = family == "trigonal-hexagonal", family in ("monoclinic", "triclinic")
    below = (
        limits * [1, family == "triclinic", 1] if low else limits * [0, 0, 1] if hexagonal else 0
    )
    axes = [
        np.arange(-b, limit + 1) for b, limit in zip(below * np.ones(3, int), limits, strict=True)
    ]
    hkl = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
    h, k, l = hkl.T  # noqa: E741
    if family == "triclinic":
        half = (h > 0) | ((h == 0) & ((k > 0) | ((k == 0) & (l > 0))))
        count = np.full(len(hkl), 2)
    elif family == "monoclinic":
        # (h k l) and (-h k -l) are equivalent, and so are (h -k l) and (-h -k -l).
        half = (h > 0) | ((h == 0) & ((l > 0) | ((l == 0) & (k > 0))))
        count = np.where(k > 0, 4, 2)
        count[(h == 0) & (l == 0)] = 2
    elif hexagonal:
        half = (h > 0) | ((h == 0) & (k == 0) & (l != 0))
        count = np.where(h > 0, 6, 1)
    else:
        half = np.any(hkl != 0, axis=1)
        count = 2 ** np.count_nonzero(hkl, axis=1)
    return hkl[half], count[half]


def class_settings(lines: LatticeLines) -> ClassSettings:
    """Tell which lines each extinction class of the family keeps, over all namings of the axes."""
    groups = family_spacegroups(lines.family)
    classes, changes = extinction_classes(groups), relabellings(lines.family)
    rows = np.zeros((len(classes) * len(changes), len(lines.hkl)), dtype=bool)
    for index, one in enumerate(classes):
        for number, matrix in enumerate(changes):
            allowed = ~absences(one.spacegroups[0], lines.representatives @ matrix)
            rows[index * len(changes) + number, lines.line[allowed]] = True
    present, setting = np.unique(rows, axis=0, return_inverse=True)
    weight = np.zeros((len(classes), len(present)))
    np.add.at(weight, (np.arange(len(rows)) // len(changes), setting.ravel()), 1.0 / len(changes))
    members = np.bincount(class_labels(groups))
    return ClassSettings(present, weight, members / members.sum())
