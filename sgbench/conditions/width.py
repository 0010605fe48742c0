"""Width and shape of lines that are the same at all angles: sigma, and the Lorentzian share."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from sgbench.conditions._amount import Amount
from sgbench.conditions._condition import ConditionKind, by_line, lines_of, profile_of
from sgbench.diffraction import (
    SIGMA_OF_WIDTH,
    LineList,
    Profile,
    Samples,
    part_widths,
    pseudo_voigt,
)


def as_wide_as(samples: Samples, lines: LineList, width: NDArray[np.float64]) -> Samples:
    """Return samples whose lines have this full width at half maximum, and the share they had."""
    profile = profile_of(samples, lines)
    factor = width / pseudo_voigt(profile.gaussian, profile.lorentzian)[0]
    changed = Profile(
        (profile.gaussian * factor).astype(np.float32),
        (profile.lorentzian * factor).astype(np.float32),
    )
    return replace(samples, lines=replace(lines, profile=changed))


def widen(samples: Samples, sigma: Amount) -> Samples:
    """Make all lines as wide as a Gaussian of this sigma (degrees): 2.3548 sigma at half height.

    Their Lorentzian share stays.
    """
    lines = lines_of(samples, "width")
    return as_wide_as(samples, lines, by_line(lines, sigma.of(samples.ids) / SIGMA_OF_WIDTH))


def mix(samples: Samples, eta: Amount) -> Samples:
    """Make all lines eta Lorentzian and 1 - eta Gaussian, as wide as they were."""
    lines = lines_of(samples, "voigt")
    profile = profile_of(samples, lines)
    width, _ = pseudo_voigt(profile.gaussian, profile.lorentzian)
    shares = eta.of(samples.ids)
    gaussian, lorentzian = part_widths(np.ones_like(shares), shares)
    changed = Profile(
        (width * by_line(lines, gaussian)).astype(np.float32),
        (width * by_line(lines, lorentzian)).astype(np.float32),
    )
    return replace(samples, lines=replace(lines, profile=changed))


def mix_by_angle(samples: Samples, eta: Amount) -> Samples:
    """Make lines eta two_theta / 90 degrees Lorentzian, at most 1, as wide as they were."""
    lines = lines_of(samples, "mixing")
    profile = profile_of(samples, lines)
    width, _ = pseudo_voigt(profile.gaussian, profile.lorentzian)
    shares = np.minimum(by_line(lines, eta.of(samples.ids)) * lines.two_theta / 90, 1.0)
    gaussian, lorentzian = part_widths(width, shares)
    changed = Profile(gaussian.astype(np.float32), lorentzian.astype(np.float32))
    return replace(samples, lines=replace(lines, profile=changed))


WIDTH = ConditionKind(
    "width",
    "° of σ",
    "lines as wide as a Gaussian of this σ",
    "Young, The Rietveld Method (1993), table 1.2",
    (0.03, 0.05, 0.08, 0.12, 0.2),
    0.01,
    0.25,
    widen,
)
VOIGT = ConditionKind(
    "voigt",
    "Lorentzian",
    "pseudo-Voigt lines of this share η, as wide as they were",
    "Thompson, Cox & Hastings (1987), J. Appl. Cryst. 20, 79",
    (0.1, 0.2, 0.4, 0.6, 0.8),
    0.0,
    1.0,
    mix,
)
MIXING = ConditionKind(
    "mixing",
    "Lorentzian at 90°",
    "pseudo-Voigt lines whose share η grows in proportion to 2θ, as wide as they were",
    "Young, The Rietveld Method (1993), table 1.2",
    (0.1, 0.2, 0.4, 0.6, 0.8),
    0.0,
    1.0,
    mix_by_angle,
)
