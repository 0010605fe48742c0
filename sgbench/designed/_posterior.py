"""The exact posterior of a designed sample: how likely each space group is, given its pattern."""

import numpy as np
from numpy.typing import NDArray

from sgbench.designed._dataset import Ulbd
from sgbench.designed._exact_ceilings import distinct_angles
from sgbench.designed._log_uniform_cells import LogUniformCells
from sgbench.designed._recipes import Recipes, Split
from sgbench.designed._union import UlbdUnion
from sgbench.symmetry import relabellings


def exact_posterior(
    dataset: Ulbd | UlbdUnion, split: Split, per_spacegroup: int
) -> NDArray[np.float64] | None:
    """Return Bayes' rule for held-out samples: the chance of each space group, given the pattern.

    A noise-free pattern gives away at which angles its lines are, and so the cell. Under a law of
    intensities that is the same for all groups it gives away nothing else. So a class has the
    weight of the settings of its axes, of which each is as likely, in which it shows those lines in
    this cell, and all its groups have the same chance. In almost every cell that is the sample's
    own class alone, and the posterior is even over its groups. A small cell may show no line that
    another class lacks; then the posterior is spread over both.

    Samples are looked at as the ``data`` ceiling looks at them. Cells off the mesh show no two
    lines at one angle, and there the posterior is exact. On a mesh lines may coincide, and how many
    do is taken as known: nobody can know more, so the mean of -ln p of the true groups is a lower
    bound. Only groups at the same cell are compared. With edges of 3 Å and more, lines tell the
    cell: a search for other cells that show the same lines in another class found one pattern in
    3,000 of trigonal and hexagonal ones, and none of cubic and tetragonal ones. Of a union,
    families are taken to be told apart.

    Parameters
    ----------
    dataset : Ulbd or UlbdUnion
    split : {'validation', 'in-mesh', 'off-mesh'}
    per_spacegroup : int
        As of `Ulbd.held_out_recipes`.

    Returns
    -------
    ndarray of float64, shape (n, n_spacegroups), or None
        Rows add up to 1. None where intensities or cells depend on the space group, since they tell
        more than lines do, and for `LogUniformCells`, of which small ones show a few lines that
        other cells show, too.
    """
    if isinstance(dataset, UlbdUnion):
        from scipy.linalg import block_diag  # takes a while to import

        parts = [exact_posterior(part, split, per_spacegroup) for part in dataset.parts]
        # Families follow each other in the numbers of space groups, and their samples do, too.
        return None if any(part is None for part in parts) else np.asarray(block_diag(*parts))
    unequal = dataset.ranges or dataset.law.tells_groups_apart
    if unequal or isinstance(dataset.domain, LogUniformCells):
        return None
    return _posterior(dataset, dataset.held_out_recipes(split, per_spacegroup))


def _posterior(dataset: Ulbd, recipes: Recipes) -> NDArray[np.float64]:
    cells, place = np.unique(recipes.cells, axis=0, return_inverse=True)
    lines = distinct_angles(dataset, cells)[place.ravel()]
    own = np.take_along_axis(lines, dataset.settings(recipes)[:, None], axis=1)
    same = (lines == own).reshape(len(lines), -1, len(relabellings(dataset.family)))
    weight = same.sum(axis=2)[:, dataset.labels].astype(np.float64)
    return np.asarray(weight / weight.sum(axis=1, keepdims=True))
