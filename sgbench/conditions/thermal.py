"""Thermal motion: lines at high angles lose intensity."""

from dataclasses import replace

import numpy as np

from sgbench.conditions._condition import ConditionKind, lines_of
from sgbench.diffraction import Samples


def decay(samples: Samples, b: float) -> Samples:
    """Multiply intensities by exp(-2 B (sin theta / wavelength)^2), with B in square ångström."""
    lines = lines_of(samples, "thermal")
    s = np.sin(np.radians(lines.two_theta) / 2) / samples.protocol.wavelength
    intensity = (lines.intensity * np.exp(-2 * b * s**2)).astype(np.float32)
    return replace(samples, lines=replace(lines, intensity=intensity))


THERMAL = ConditionKind(
    "thermal",
    "Å²",
    "atoms that move, all alike: intensities fall off as exp(-2 B (sin θ / λ)²)",
    "Debye and Waller; International Tables C, section 6.1.1",
    10.0,
    decay,
)
