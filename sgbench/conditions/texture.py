"""Preferred orientation: crystallites lie as their shape makes them lie.

March (1932), Z. Kristallogr. 81, 285, and Dollase (1986), J. Appl. Cryst. 19, 267: a reflection at
the angle alpha from the texture's axis is (r^2 cos^2 alpha + sin^2 alpha / r)^(-3/2) times as
strong; r below 1 is for plates, above 1 for needles, 1 for none.

A line is as strong as the average over all reflections that the bare lattice has at its place,
whether the structure has them or not. An average over those that are there, or over those that the
Laue class makes equivalent, would tell groups apart that have the same extinctions.

The axis is c, and b in a cell where b alone is perpendicular to the two others (monoclinic). In a
cube it makes no difference which edge it is: the reflections of a line are those of all three.
"""

import numpy as np

from sgbench.conditions._amount import Amount
from sgbench.conditions._condition import ConditionKind, lines_of, times
from sgbench.diffraction import Samples, metric
from sgbench.errors import SgbenchError


def orient(samples: Samples, march: Amount) -> Samples:
    """Multiply intensities by March and Dollase's factor, averaged over the lattice's reflections.

    Samples with a parameter of 0 have no texture.
    """
    from sgbench.conditions._texture_numba import average_factors

    lines = lines_of(samples, "texture")
    if samples.cell is None:
        raise SgbenchError(
            "the condition 'texture' needs the cell of each sample, and these have none; expected "
            "a designed set or structures. Leave the condition out."
        )
    r = march.of(samples.ids)
    q = np.square(2 * np.sin(np.radians(lines.two_theta) / 2) / samples.protocol.wavelength)
    cells = np.ascontiguousarray(samples.cell)
    metrics = np.ascontiguousarray(metric("triclinic", cells))
    factor = np.empty(len(q))
    average_factors(lines.offsets, q, metrics, cells, np.where(r > 0, r, 1.0), factor)
    if np.isnan(factor).any():
        raise SgbenchError(
            f"the condition 'texture' found no reflection of the cell at {np.isnan(factor).sum()} "
            "lines; expected them where the cell has them. Write the conditions that move or add "
            "lines behind it."
        )
    return times(samples, lines, factor)


TEXTURE = ConditionKind(
    "texture",
    "of March's r",
    "crystallites that lie along c (b if monoclinic), as plates with r < 1 and needles with r > 1",
    "March (1932), Z. Kristallogr. 81, 285; Dollase (1986), J. Appl. Cryst. 19, 267",
    (0.9, 0.8, 0.7, 0.6, 0.5),
    0.0,
    2.0,
    orient,
)
