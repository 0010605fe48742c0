"""Size and strain: crystallites that are small, and cells that are not all alike."""

from dataclasses import replace

import numpy as np

from sgbench.conditions._amount import Amount
from sgbench.conditions._condition import ConditionKind, by_line, lines_of, profile_of
from sgbench.diffraction import Profile, Samples

#: Scherrer's constant for the full width at half maximum and the edge of a cube.
SCHERRER = 0.9
# Full width at half maximum of a Gaussian by its integral breadth.
_WIDTH_OF_BREADTH = 2 * np.sqrt(np.log(2) / np.pi)


def shrink(samples: Samples, nanometres: Amount) -> Samples:
    """Widen the Lorentzian part by 0.9 wavelength / (size cos(theta)) (radians at half maximum)."""
    lines = lines_of(samples, "size")
    profile = profile_of(samples, lines)
    size = by_line(lines, 10 * nanometres.of(samples.ids))
    cosine = np.cos(np.radians(lines.two_theta) / 2)
    added = np.degrees(SCHERRER * samples.protocol.wavelength / (size * cosine))
    changed = Profile(profile.gaussian, (profile.lorentzian + added).astype(np.float32))
    return replace(samples, lines=replace(lines, profile=changed))


def strain(samples: Samples, percent: Amount) -> Samples:
    """Widen the Gaussian part by an integral breadth of 4 e tan(theta) (radians), in squares."""
    lines = lines_of(samples, "strain")
    profile = profile_of(samples, lines)
    tangent = np.tan(np.radians(lines.two_theta) / 2)
    breadth = np.degrees(4 * by_line(lines, percent.of(samples.ids) / 100) * tangent)
    gaussian = np.hypot(profile.gaussian, _WIDTH_OF_BREADTH * breadth).astype(np.float32)
    return replace(samples, lines=replace(lines, profile=replace(profile, gaussian=gaussian)))


SIZE = ConditionKind(
    "size",
    "nm",
    "crystallites of this size: lines wider by 0.9 λ / (size cos θ), Lorentzian",
    "Scherrer (1918); Klug & Alexander, X-ray Diffraction Procedures (1974), chapter 9",
    (200.0, 100.0, 50.0, 20.0, 10.0),
    0.0,
    1000.0,
    shrink,
)
STRAIN = ConditionKind(
    "strain",
    "%",
    "strained crystallites: lines wider by 4 ε tan θ (integral breadth), Gaussian",
    "Stokes & Wilson (1944), Proc. Phys. Soc. 56, 174",
    (0.02, 0.05, 0.1, 0.2, 0.5),
    0.0,
    2.0,
    strain,
)
