"""Absorption: rough surfaces, thin plates and capillaries. A thick smooth plate changes nothing."""

import numpy as np

from sgbench.conditions._amount import Amount
from sgbench.conditions._condition import ConditionKind, by_line, lines_of, times
from sgbench.diffraction import Samples

#: Share of a rough surface's reflection that does not depend on the angle.
EVEN_SHARE = 0.5


def roughen(samples: Samples, depth: Amount) -> Samples:
    """Multiply intensities by p + (1 - p) exp(-q / sin(theta)), with p 0.5: Suortti's function."""
    lines = lines_of(samples, "roughness")
    sine = np.sin(np.radians(lines.two_theta) / 2)
    hidden = np.exp(-by_line(lines, depth.of(samples.ids)) / sine)
    return times(samples, lines, EVEN_SHARE + (1 - EVEN_SHARE) * hidden)


def thin(samples: Samples, thickness: Amount) -> Samples:
    """Multiply intensities by 1 - exp(-2 mu t / sin(theta)): what the plate lets through is lost.

    They are divided by what a plate of no thickness would lose at 90 degrees, and stay in scale.
    """
    lines = lines_of(samples, "plate")
    path = 2 * by_line(lines, thickness.of(samples.ids))
    sine = np.sin(np.radians(lines.two_theta) / 2)
    return times(samples, lines, np.expm1(-path / sine) / np.expm1(-path))


def enclose(samples: Samples, radius: Amount) -> Samples:
    """Multiply intensities by the transmission of a cylinder of radius R, mu R at most 3.

    The approximation of Lobanov & Alte da Veiga is within 1 % of the integral over the cylinder.
    """
    lines = lines_of(samples, "capillary")
    r = by_line(lines, radius.of(samples.ids))
    s = np.sin(np.radians(lines.two_theta) / 2) ** 2
    first = 16 / (3 * np.pi)
    second = (25.99978 - 0.01911 * s**0.25) * np.exp(-0.024551 * s) + 0.109561 * s**0.5 - 26.04556
    third = (
        -0.02489 - 0.39499 * s + 1.219077 * s**1.5 - 1.31268 * s**2 + 0.871081 * s**2.5
        - 0.2327 * s**3
    )  # fmt: skip
    fourth = 0.003045 + 0.018167 * s - 0.03305 * s**2
    exponent = -r * (first + r * (second + r * (third + r * fourth)))
    return times(samples, lines, np.exp(exponent))


ROUGHNESS = ConditionKind(
    "roughness",
    "of q",
    "a rough surface: intensities times 0.5 + 0.5 exp(-q / sin θ)",
    "Suortti (1972), J. Appl. Cryst. 5, 325",
    (0.005, 0.01, 0.02, 0.05, 0.1),
    0.0,
    1.0,
    roughen,
)
PLATE = ConditionKind(
    "plate",
    "of μt",
    "a plate so thin that X-rays pass: intensities times 1 - exp(-2 μt / sin θ)",
    "Klug & Alexander, X-ray Diffraction Procedures (1974), chapter 5",
    (1.0, 0.5, 0.2, 0.1, 0.05),
    0.0,
    2.0,
    thin,
)
CAPILLARY = ConditionKind(
    "capillary",
    "of μR",
    "a capillary that absorbs",
    "Lobanov & Alte da Veiga (1998), 6th European Powder Diffraction Conference, abstract P12-16",
    (0.2, 0.5, 1.0, 2.0, 3.0),
    0.0,
    3.0,
    enclose,
)
