"""Axial divergence: rings meet the detector's slit in arcs, and lines get a tail at one side."""

from dataclasses import replace

import numpy as np

from sgbench.conditions._amount import Amount
from sgbench.conditions._condition import ConditionKind, by_line, lines_of, profile_of
from sgbench.diffraction import SIGMA_OF_WIDTH, LineList, Samples, pseudo_voigt

# Places that stand for a line, so many that their distance is below the standard deviation of a
# place's own profile by a safe factor.
_COUNTS = (2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64)
_PER_SIGMA = 1.4


def slant(samples: Samples, half_height: Amount) -> Samples:
    """Replace each line by lines along its arc, weighted as Finger, Cox & Jephcoat have them.

    Half-heights H of the slit and S of the sample are equal, in units of the radius. At the height
    h, from 0 to H + S, the ring of two_theta is met at the angle whose cosine is cos(two_theta)
    sqrt(1 + h^2), and of detector and sample a length of H + S - h sees it. In h, their profile
    function has no pole; its integral is taken by Gauss and Legendre's rule. The area stays.
    """
    lines = lines_of(samples, "asymmetry")
    profile = profile_of(samples, lines)
    width, _ = pseudo_voigt(profile.gaussian, profile.lorentzian)
    angle = np.radians(lines.two_theta)
    highest = 2 * by_line(lines, half_height.of(samples.ids))
    # A ring does not reach higher than its radius.
    reach = np.minimum(highest, 0.999 * np.abs(np.tan(angle)))
    spread = np.degrees(np.abs(angle - np.arccos(np.cos(angle) * np.sqrt(1 + reach**2))))
    wanted = 2 + _PER_SIGMA * spread / (SIGMA_OF_WIDTH * width)
    counts = np.array(_COUNTS)[np.minimum(np.searchsorted(_COUNTS, wanted), len(_COUNTS) - 1)]
    ends = np.concatenate([[0], np.cumsum(counts)])
    two_theta, weight = np.empty(ends[-1]), np.empty(ends[-1])
    for count in np.unique(counts):
        chosen = np.flatnonzero(counts == count)
        nodes, weights = np.polynomial.legendre.leggauss(count)
        height = reach[chosen, None] * (1 + nodes) / 2
        place = np.arccos(np.cos(angle[chosen, None]) * np.sqrt(1 + height**2))
        seen = weights * (highest[chosen, None] - height) / (np.sin(place) * (1 + height**2))
        target = ends[chosen, None] + np.arange(count)
        two_theta[target] = np.degrees(place)
        weight[target] = seen / seen.sum(axis=1, keepdims=True)
    every = np.repeat(np.arange(len(angle)), counts)
    found = LineList(
        ends[lines.offsets],
        two_theta,
        (lines.intensity[every] * weight).astype(np.float32),
        None if lines.profile is None else lines.profile.take(every),
    )
    return replace(samples, lines=found)


ASYMMETRY = ConditionKind(
    "asymmetry",
    "of the radius",
    "axial divergence of a slit and a sample of this half-height: lines with a tail to one side",
    "Finger, Cox & Jephcoat (1994), J. Appl. Cryst. 27, 892",
    (0.005, 0.01, 0.02, 0.03, 0.04),
    0.0,
    0.05,
    slant,
)
