"""Cells of reciprocal metrics: what `sgbench.diffraction.metric` does, undone."""

import numpy as np
from numpy.typing import NDArray

from sgbench.diffraction import FREE_PARAMETERS


def free_of_metric(family: str, of_metric: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the free parameters of a reciprocal metric."""
    g = of_metric
    if family in ("cubic", "tetragonal"):
        return np.asarray(1 / np.sqrt(g))
    if family == "trigonal-hexagonal":
        return np.asarray(np.sqrt(np.array([4 / 3, 1.0]) / g))
    reciprocal = np.zeros((3, 3))
    reciprocal[np.diag_indices(3)] = g[:3]
    if family == "monoclinic":
        reciprocal[0, 2] = reciprocal[2, 0] = g[3]
    elif family == "triclinic":
        for (i, j), value in zip(((1, 2), (0, 2), (0, 1)), g[3:], strict=True):
            reciprocal[i, j] = reciprocal[j, i] = value
    direct = np.linalg.inv(reciprocal)
    edges = np.sqrt(np.diag(direct))
    cosines = [direct[i, j] / (edges[i] * edges[j]) for i, j in ((1, 2), (0, 2), (0, 1))]
    cell = np.concatenate([edges, np.degrees(np.arccos(np.clip(cosines, -1, 1)))])
    names = ("a", "b", "c", "alpha", "beta", "gamma")
    return np.asarray(cell[[names.index(name) for name in FREE_PARAMETERS[family]]])


def free_uncertainty(
    family: str, of_metric: NDArray[np.float64], relative: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return standard uncertainties of the free parameters from those of the metric (relative)."""
    centre = free_of_metric(family, of_metric)
    slopes = np.empty((len(centre), len(of_metric)))
    for column in range(len(of_metric)):
        step = np.zeros(len(of_metric))
        step[column] = 1e-6
        slopes[:, column] = (free_of_metric(family, of_metric * (1 + step)) - centre) / 1e-6
    return np.asarray(np.sqrt(np.maximum(np.diag(slopes @ relative @ slopes.T), 0.0)))
