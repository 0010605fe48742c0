"""Another wavelength: patterns measured with it, brought over to the protocol's by Bragg's law.

Lines stay where they are. What is brought over with them: the Lorentz factor of the angle they were
measured at, a width that is the protocol's at that angle, and the window, whose ends lie elsewhere.
"""

from dataclasses import replace

import numpy as np

from sgbench.conditions._amount import Amount
from sgbench.conditions._condition import ConditionKind, by_line, lines_of, profile_of
from sgbench.diffraction import LineList, Profile, Samples, lorentz_factor


def bring_over(samples: Samples, angstrom: Amount) -> Samples:
    """Measure lines at sin(theta) times the ratio of wavelengths, and bring the pattern back.

    Points keep their heights, so a line is as much wider, and its area as much larger, as degrees
    there are more of here: cos(theta there) / (ratio cos(theta here)). Lines that would lie outside
    of the protocol's window at the other wavelength are not measured.
    """
    lines, protocol = lines_of(samples, "wavelength"), samples.protocol
    ratio = by_line(lines, angstrom.of(samples.ids) / protocol.wavelength)
    sine = ratio * np.sin(np.radians(lines.two_theta) / 2)
    there = np.degrees(2 * np.arcsin(np.minimum(sine, 1.0)))
    measured = (protocol.two_theta_min <= there) & (there <= protocol.two_theta_max)
    ends = np.concatenate([[0], np.cumsum(measured)])
    here, there, ratio = lines.two_theta[measured], there[measured], ratio[measured]
    profile = profile_of(samples, lines).take(np.flatnonzero(measured))
    stretch = np.cos(np.radians(there) / 2) / (ratio * np.cos(np.radians(here) / 2))
    factor = stretch * lorentz_factor(there) / lorentz_factor(here)
    found = LineList(
        ends[lines.offsets],
        here,
        (lines.intensity[measured] * factor).astype(np.float32),
        Profile(
            (profile.gaussian * stretch).astype(np.float32),
            (profile.lorentzian * stretch).astype(np.float32),
        ),
    )
    return replace(samples, lines=found)


WAVELENGTH = ConditionKind(
    "wavelength",
    "Å",
    "a pattern of this wavelength (Co, Fe, Cr, Mo, Ag Kα₁) on the axis of the protocol's",
    "Bragg's law; wavelengths: International Tables C, section 4.2.2",
    (1.789, 1.936, 2.2897, 0.7093, 0.5594),
    0.3,
    2.5,
    bring_over,
)
