"""Other wavelengths from the tube: each line is repeated where it diffracts them.

A line at theta is repeated at sin(theta) times the ratio of the wavelengths, with the Lorentz
factor of its new place, and is as wide as the line was. Samples do not hold the lines beyond the
window's upper end that would be repeated inside of it: those of Kβ are missing above 80°, those of
tungsten above 85°.

Conditions of the tube add lines to all lines there are, so those of a second one are added to those
of a first one, too: the Kβ line of a doublet is a doublet.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from sgbench.conditions._amount import Amount
from sgbench.conditions._condition import ConditionKind, by_line, lines_of
from sgbench.diffraction import LineList, Samples, lorentz_factor

#: Peaks of copper's lines in ångström: Hölzer, Fritsch, Deutsch, Härtwig & Förster (1997), Phys.
#: Rev. A 56, 4554: 8047.8227, 8027.8416 and 8905.413 eV.
K_ALPHA_1, K_ALPHA_2, K_BETA = 1.540593, 1.544427, 1.392234
#: Tungsten's Lα1 and Lα2 in ångström: Bearden (1967), Rev. Mod. Phys. 39, 78; and how strong Lα2
#: is beside Lα1: X-ray Data Booklet (2009), table 1-3.
L_ALPHA_1, L_ALPHA_2, L_ALPHA_2_SHARE = 1.47639, 1.48743, 0.11


def repeated(
    lines: LineList, ratios: Sequence[float], shares: Sequence[NDArray[np.float64]]
) -> LineList:
    """Return lines, each followed by its repetitions that diffract.

    Parameters
    ----------
    lines : LineList
    ratios : sequence of float
        Of the wavelengths to that of the lines, one a repetition.
    shares : sequence of ndarray, shape (n,)
        Intensity of each repetition at the line's own Lorentz factor, in each pattern.
    """
    copies = 1 + len(ratios)
    sine = np.sin(np.radians(lines.two_theta) / 2)
    lorentz = lorentz_factor(lines.two_theta)
    two_theta = np.repeat(lines.two_theta[:, None], copies, axis=1)
    intensity = np.repeat(lines.intensity[:, None], copies, axis=1)
    for k, (ratio, share) in enumerate(zip(ratios, shares, strict=True), start=1):
        diffracts = sine * ratio < 1
        place = np.degrees(2 * np.arcsin(np.where(diffracts, sine * ratio, sine)))
        two_theta[:, k] = place
        factor = np.where(diffracts, lorentz_factor(place) / lorentz, 0.0)
        intensity[:, k] *= (by_line(lines, share) * factor).astype(np.float32)
    every = np.repeat(np.arange(len(sine)), copies)
    return LineList(
        lines.offsets * copies,
        two_theta.ravel(),
        intensity.ravel(),
        None if lines.profile is None else lines.profile.take(every),
    )


def split(samples: Samples, ratio: Amount) -> Samples:
    """Add to each line that of K alpha 2, so many times as intense."""
    lines = lines_of(samples, "doublet")
    found = repeated(lines, [K_ALPHA_2 / K_ALPHA_1], [ratio.of(samples.ids)])
    return replace(samples, lines=found)


def strip(samples: Samples, residue: Amount) -> Samples:
    """Leave of K alpha 2 what a removal with a wrong ratio leaves.

    Rachinger's removal takes the result, moved to K alpha 2 and times the assumed ratio, from the
    pattern. With the true ratio 0.5 and a ratio that is too small by the residue r, it leaves r at
    K alpha 2 and, alternating, smaller lines at further multiples of the distance:
    r (1 - (0.5 - r) shift + (0.5 - r)^2 shift^2 - ...). Three of them are kept.
    """
    lines = lines_of(samples, "stripped")
    left = residue.of(samples.ids)
    ratio = K_ALPHA_2 / K_ALPHA_1
    orders = range(3)
    shares = [left * (left - 0.5) ** k for k in orders]
    return replace(samples, lines=repeated(lines, [ratio ** (k + 1) for k in orders], shares))


def add_beta(samples: Samples, share: Amount) -> Samples:
    """Add to each line that of K beta, so many times as intense."""
    lines = lines_of(samples, "beta")
    found = repeated(lines, [K_BETA / K_ALPHA_1], [share.of(samples.ids)])
    return replace(samples, lines=found)


def add_tungsten(samples: Samples, share: Amount) -> Samples:
    """Add to each line those of tungsten's L alpha, the first so many times as intense."""
    lines = lines_of(samples, "tungsten")
    first = share.of(samples.ids)
    ratios = [L_ALPHA_1 / K_ALPHA_1, L_ALPHA_2 / K_ALPHA_1]
    return replace(samples, lines=repeated(lines, ratios, [first, L_ALPHA_2_SHARE * first]))


DOUBLET = ConditionKind(
    "doublet",
    "of Kα₁",
    "copper's Kα₂ beside Kα₁: each line again at the longer wavelength",
    "Hölzer et al. (1997), Phys. Rev. A 56, 4554",
    (0.1, 0.2, 0.3, 0.4, 0.5),
    0.0,
    1.0,
    split,
)
STRIPPED = ConditionKind(
    "stripped",
    "of Kα₁",
    "Kα₂ taken out of the pattern with a ratio that is too small by this much",
    "Rachinger (1948), J. Sci. Instrum. 25, 254",
    (0.01, 0.02, 0.05, 0.1, 0.2),
    0.0,
    0.4,
    strip,
)
BETA = ConditionKind(
    "beta",
    "of Kα₁",
    "copper's Kβ that a filter lets through: each line again at the shorter wavelength",
    "Hölzer et al. (1997), Phys. Rev. A 56, 4554",
    (0.002, 0.005, 0.01, 0.02, 0.05),
    0.0,
    0.3,
    add_beta,
)
TUNGSTEN = ConditionKind(
    "tungsten",
    "of Kα₁",
    "tungsten on the anode of an old tube: each line again at Lα₁ and, 0.11 as strong, Lα₂",
    "Bearden (1967), Rev. Mod. Phys. 39, 78",
    (0.002, 0.005, 0.01, 0.02, 0.05),
    0.0,
    0.3,
    add_tungsten,
)
