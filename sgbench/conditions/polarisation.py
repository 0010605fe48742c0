"""Polarisation: what is scattered across the plane of the X-rays' oscillation is weaker."""

import numpy as np

from sgbench.conditions._amount import Amount
from sgbench.conditions._condition import ConditionKind, by_line, lines_of, times
from sgbench.diffraction import Samples


def polarise(samples: Samples, share: Amount) -> Samples:
    """Multiply intensities by (1 + A cos^2(two_theta)) / (1 + A).

    A is the intensity of the component in the plane of diffraction, beside that of the other: 1
    without a monochromator, cos^2 of its own two_theta with one (0.80 for graphite 002 and copper),
    and close to 0 at a synchrotron, which diffracts upwards.
    """
    lines = lines_of(samples, "polarisation")
    a = by_line(lines, share.of(samples.ids))
    return times(samples, lines, (1 + a * np.cos(np.radians(lines.two_theta)) ** 2) / (1 + a))


POLARISATION = ConditionKind(
    "polarisation",
    "in the plane of diffraction, beside 1 across it",
    "polarised X-rays: intensities times (1 + A cos² 2θ) / (1 + A)",
    "Azároff (1955), Acta Cryst. 8, 701; International Tables C, section 6.2.2",
    (0.2, 0.4, 0.6, 0.8, 1.0),
    0.0,
    1.0,
    polarise,
)
