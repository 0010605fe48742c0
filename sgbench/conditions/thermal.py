"""Thermal motion: lines at high angles lose intensity."""

import numpy as np

from sgbench.conditions._amount import Amount
from sgbench.conditions._condition import ConditionKind, by_line, lines_of, times
from sgbench.diffraction import Samples


def decay(samples: Samples, b: Amount) -> Samples:
    """Multiply intensities by exp(-2 B (sin theta / wavelength)^2), with B in square ångström."""
    lines = lines_of(samples, "thermal")
    s = np.sin(np.radians(lines.two_theta) / 2) / samples.protocol.wavelength
    return times(samples, lines, np.exp(-2 * by_line(lines, b.of(samples.ids)) * s**2))


THERMAL = ConditionKind(
    "thermal",
    "Å²",
    "atoms that move, all alike: intensities fall off as exp(-2 B (sin θ / λ)²)",
    "Debye and Waller; International Tables C, section 6.1.1",
    (0.5, 1.0, 2.0, 4.0, 8.0),
    0.0,
    10.0,
    decay,
)
