"""Transparency: X-rays go into the sample, and come back from below its surface on average."""

from dataclasses import replace

import numpy as np

from sgbench.conditions._amount import Amount
from sgbench.conditions._condition import ConditionKind, by_line, lines_of
from sgbench.conditions.displacement import RADIUS
from sgbench.diffraction import Samples


def penetrate(samples: Samples, millimetres: Amount) -> Samples:
    """Move lines by -sin(two_theta) / (2 mu R) (radians), with 1/mu in mm and R 200 mm.

    This is where the centre of gravity of a line goes when the sample is thick; the line keeps its
    shape.
    """
    lines = lines_of(samples, "transparency")
    per_line = by_line(lines, np.degrees(-millimetres.of(samples.ids) / (2 * RADIUS)))
    two_theta = lines.two_theta + per_line * np.sin(np.radians(lines.two_theta))
    return replace(samples, lines=replace(lines, two_theta=two_theta))


TRANSPARENCY = ConditionKind(
    "transparency",
    "mm",
    "a thick sample that X-rays enter to this depth 1/μ, R 200 mm: lines at 2θ - sin 2θ / (2 μ R)",
    "Wilson, Mathematical Theory of X-ray Powder Diffractometry (1963)",
    (0.05, 0.1, 0.2, 0.5, 1.0),
    0.0,
    2.0,
    penetrate,
)
