"""Sample displacement: the sample's surface lies behind the axis of the diffractometer."""

from dataclasses import replace

import numpy as np

from sgbench.conditions._amount import Amount
from sgbench.conditions._condition import ConditionKind, by_line, lines_of
from sgbench.diffraction import Samples

#: Distance from the sample to the detector's slit in mm.
RADIUS = 200.0


def sink(samples: Samples, millimetres: Amount) -> Samples:
    """Move lines by -2 s cos(theta) / R (radians of two_theta), R 200 mm.

    The surface lies s behind the axis as source and detector see it, or before it where s < 0.
    """
    lines = lines_of(samples, "displacement")
    per_line = by_line(lines, np.degrees(-2 * millimetres.of(samples.ids) / RADIUS))
    two_theta = lines.two_theta + per_line * np.cos(np.radians(lines.two_theta) / 2)
    return replace(samples, lines=replace(lines, two_theta=two_theta))


DISPLACEMENT = ConditionKind(
    "displacement",
    "mm",
    "a sample behind the axis of a diffractometer, R 200 mm: lines at 2θ - 2 s cos θ / R",
    "Klug & Alexander, X-ray Diffraction Procedures (1974), chapter 5",
    (0.01, 0.02, 0.05, 0.1, 0.2),
    0.0,
    1.0,
    sink,
)
