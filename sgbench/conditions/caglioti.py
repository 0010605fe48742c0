"""Width by angle, as the divergences of beams make it: Caglioti, Paoletti and Ricci's function."""

import numpy as np

from sgbench.conditions._amount import Amount
from sgbench.conditions._condition import ConditionKind, by_line, lines_of
from sgbench.conditions.width import as_wide_as
from sgbench.diffraction import Samples

#: Full width at half maximum where lines are narrowest, in degrees, and tan(theta) there: 33.4
#: degrees of two_theta.
NARROWEST, FOCUS = 0.08, 0.3


def diverge(samples: Samples, u: Amount) -> Samples:
    """Give lines a full width at half maximum of sqrt(U tan^2 + V tan + W) of theta, in degrees.

    V is -2 * 0.3 U and W 0.08^2 + 0.3^2 U, so that lines are narrowest, 0.08 degrees, where
    tan(theta) is 0.3. Their Lorentzian share stays.
    """
    lines = lines_of(samples, "caglioti")
    from_focus = np.tan(np.radians(lines.two_theta) / 2) - FOCUS
    square = NARROWEST**2 + by_line(lines, u.of(samples.ids)) * from_focus**2
    return as_wide_as(samples, lines, np.sqrt(square))


CAGLIOTI = ConditionKind(
    "caglioti",
    "°² of U",
    "lines 0.08° wide at 33°, wider elsewhere: width² = U tan² θ + V tan θ + W",
    "Caglioti, Paoletti & Ricci (1958), Nucl. Instrum. 3, 223",
    (0.01, 0.02, 0.05, 0.1, 0.2),
    0.0,
    1.0,
    diverge,
)
