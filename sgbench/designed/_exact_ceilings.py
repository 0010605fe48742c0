"""The highest accuracy that a designed dataset allows, as it was generated.

The law ceiling takes it for granted that every extinction class can be told from every other. That
needs a line in the window that one class shows and the other does not, and labels whose chances do
not depend on the cell. Here both are looked up: a noise-free pattern gives away at which angles its
lines are and, at most, how many fall on each, since intensities are random. So the best guess ranks
the labels by how often they occur with that list of angles (Bayes' rule).
"""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sgbench.designed._dataset import Ulbd
from sgbench.designed._recipes import Split
from sgbench.designed._union import UlbdUnion
from sgbench.diffraction import metric
from sgbench.symmetry import TOP_K, class_labels, relabellings, top_k_ceiling

Level = Literal["law", "data", "resolution"]
LEVELS: tuple[Level, ...] = ("law", "data", "resolution")

# Lines closer than this are at one angle, in degrees; that is far below what cells of a mesh that
# do not agree can come to, and far above rounding.
_COINCIDENT = 1e-7

# Off-mesh cells and those of a sequence are sampled, so many of them.
_SAMPLED_CELLS = 4000


@dataclass(frozen=True)
class ExactCeiling:
    """A ceiling of one designed test set.

    Attributes
    ----------
    dataset, split, class_scheme : str
    level : {'law', 'data', 'resolution'}
        ``law``: classes can all be told apart, and the cell says nothing. ``data``: Bayes' rule for
        the angles of the lines in the window; how many lines share an angle is taken as known,
        which makes this a bound. ``resolution``: the same where lines closer than two standard
        deviations of the profile, at which the sum of two equal Gaussians has a single maximum,
        count as one.
    top : tuple of float
        Highest possible top-1 to top-5 accuracy, as fractions.
    n_cells : int
        Cells that were looked at.
    complete : bool
        Whether those are all cells of the set, or a sample of them.
    """

    dataset: str
    split: Split
    class_scheme: str
    level: Level
    top: tuple[float, ...]
    n_cells: int
    complete: bool


def exact_ceilings(dataset: Ulbd | UlbdUnion, split: Split = "in-mesh") -> tuple[ExactCeiling, ...]:
    """Compute the three ceilings of a designed dataset, for both class schemes.

    Parameters
    ----------
    dataset : Ulbd or UlbdUnion
        Of a union, families are taken to be told apart, which their cells by themselves allow
        unless one happens to have a higher symmetry.
    split : {'in-mesh', 'off-mesh'}

    Returns
    -------
    tuple of ExactCeiling
        One a class scheme and level. A mesh is looked at as a whole; other cells are sampled, and
        then only space groups at the same cell are compared.
    """
    if isinstance(dataset, UlbdUnion):
        return _of_union(dataset, split)
    weights = dict(zip(dataset.spacegroups, dataset.n_cells.tolist(), strict=True))
    cells, shown = _cells(dataset, split)
    signatures = {
        "data": distinct_angles(dataset, cells),
        "resolution": line_signatures(dataset, cells, 2 * dataset.protocol.sigma, counted=False),
    }
    complete = split == "in-mesh" and dataset.domain is None
    return tuple(
        ExactCeiling(
            dataset.name,
            split,
            scheme,
            level,
            top_k_ceiling(weights, scheme)
            if level == "law"
            else _best_guesses(dataset, signatures[level], shown, scheme),
            len(cells),
            complete,
        )
        for scheme in ("spacegroup", "extinction")
        for level in LEVELS
    )


def data_ceiling(dataset: Ulbd, split: Split = "in-mesh") -> tuple[float, ...]:
    """Return the ``data`` ceiling over space groups, top-1 to top-5."""
    cells, shown = _cells(dataset, split)
    return _best_guesses(dataset, distinct_angles(dataset, cells), shown, "spacegroup")


def line_signatures(
    dataset: Ulbd, cells: NDArray[np.float64], separation: float, *, counted: bool
) -> NDArray[np.uint64]:
    """Return a number for each list of line positions.

    Parameters
    ----------
    dataset : Ulbd
    cells : ndarray, shape (n_cells, p)
        Free parameters.
    separation : float
        Degrees. From low angles up, lines that follow the first of a bundle by no more than this
        belong to it, whichever space group they are of; a bundle has one position.
    counted : bool
        Whether the number of lines in a bundle matters.

    Returns
    -------
    ndarray of uint64, shape (n_cells, n_settings)
        Equal where the positions are, but for a collision of 64-bit hashes. Settings are the rows
        of the dataset's table of lines.
    """
    from sgbench.designed._kernels import signatures

    table, protocol = dataset.table, dataset.protocol
    return np.asarray(
        signatures(
            metric(dataset.family, cells), table.coefficients.astype(np.float64), table.present,
            protocol.wavelength, *protocol.q_range, separation, counted,
        )
    )  # fmt: skip


def distinct_angles(dataset: Ulbd, cells: NDArray[np.float64]) -> NDArray[np.uint64]:
    """Return the `line_signatures` of the ``data`` ceiling."""
    return line_signatures(dataset, cells, _COINCIDENT, counted=True)


def _cells(dataset: Ulbd, split: Split) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return cells, and which space groups have each, shape (n_cells, n_spacegroups)."""
    n_groups = len(dataset.spacegroups)
    if split == "in-mesh" and dataset.domain is None:
        cells = dataset.mesh
        place = np.arange(len(cells))[:, None]
        last = dataset.first_cell + dataset.n_cells
        return cells, (place >= dataset.first_cell) & (place < last)
    if split == "off-mesh":
        recipes = dataset.held_out_recipes("off-mesh", _SAMPLED_CELLS)
        cells = recipes.cells[recipes.spacegroup == dataset.spacegroups[0]]
    else:
        cells = dataset.mesh[:_SAMPLED_CELLS]
    return cells, np.ones((len(cells), n_groups), dtype=bool)


def _best_guesses(
    dataset: Ulbd, signature: NDArray[np.uint64], shown: NDArray[np.bool_], class_scheme: str
) -> tuple[float, ...]:
    """Return the share of samples that the k most frequent labels of their signature hold."""
    classes = class_labels(dataset.spacegroups)
    label_of = classes if class_scheme == "extinction" else np.arange(len(classes))
    n_relabellings = len(relabellings(dataset.family))
    by_class = signature.reshape(len(signature), -1, n_relabellings)
    cell, group = np.nonzero(shown)
    found = by_class[cell, classes[group]].ravel()
    label = np.repeat(label_of[group], n_relabellings)
    # All samples weigh the same: a dataset draws its groups in proportion to their cells.
    order = np.lexsort((label, found))
    found, label = found[order], label[order]
    first = np.flatnonzero(
        np.concatenate([[True], (found[1:] != found[:-1]) | (label[1:] != label[:-1])])
    )
    weight = np.diff(np.append(first, len(found)))
    of_set = found[first]
    order = np.lexsort((-weight, of_set))
    weight, of_set = weight[order], of_set[order]
    starts = np.flatnonzero(np.concatenate([[True], of_set[1:] != of_set[:-1]]))
    rank = np.arange(len(weight)) - np.repeat(starts, np.diff(np.append(starts, len(weight))))
    return tuple(float(weight[rank < k].sum() / len(found)) for k in range(1, TOP_K + 1))


def _of_union(dataset: UlbdUnion, split: Split) -> tuple[ExactCeiling, ...]:
    """Average the parts, each in proportion to its space groups."""
    parts = [exact_ceilings(part, split) for part in dataset.parts]
    share = [len(part.spacegroups) / len(dataset.spacegroups) for part in dataset.parts]
    return tuple(
        replace(
            same[0],
            dataset=dataset.name,
            top=tuple(np.average([one.top for one in same], axis=0, weights=share).tolist()),
            n_cells=sum(one.n_cells for one in same),
            complete=all(one.complete for one in same),
        )
        for same in zip(*parts, strict=True)
    )
