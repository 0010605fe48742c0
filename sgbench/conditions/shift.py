"""Zero shift: the diffractometer's zero of two_theta is off."""

from dataclasses import replace

from sgbench.conditions._amount import Amount
from sgbench.conditions._condition import ConditionKind, by_line, lines_of
from sgbench.diffraction import Samples


def move(samples: Samples, degrees: Amount) -> Samples:
    """Add the same angle in degrees to the positions of all lines of a sample."""
    lines = lines_of(samples, "shift")
    two_theta = lines.two_theta + by_line(lines, degrees.of(samples.ids))
    return replace(samples, lines=replace(lines, two_theta=two_theta))


SHIFT = ConditionKind(
    "shift",
    "°",
    "a zero of 2θ that is off: all lines at 2θ plus this angle",
    "Young, The Rietveld Method (1993), section 1.5",
    (0.005, 0.01, 0.02, 0.05, 0.1),
    0.0,
    0.5,
    move,
)
