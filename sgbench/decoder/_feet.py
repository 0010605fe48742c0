"""Lines that are parts of others: what is found at the foot and on the flank of a strong line.

Lines of diffractometers are not symmetric, and no profile has their shape to the last percent. What
it leaves of a strong line is found as lines of its own, for which no cell has to answer.
"""

import numpy as np

from sgbench.decoder._found_lines import FoundLines

# The foot of a line: this part of its height, one full width from it, falling with the square of
# the distance.
_FOOT = 0.3
# Lines closer than this part of their width are taken for one.
_ONE = 0.75


def without_feet(lines: FoundLines) -> FoundLines:
    """Return lines without those that may be the foot or the flank of a stronger one.

    Of two lines on each other's flank one is left, at their common centre, and as uncertain as
    they are apart.

    Parameters
    ----------
    lines : FoundLines
    """
    lines = _flanks_joined(lines)
    if len(lines.two_theta) < 2:
        return lines
    apart = np.abs(lines.two_theta[:, None] - lines.two_theta[None, :]) / lines.fwhm[None, :]
    foot = _FOOT * lines.height[None, :] / np.maximum(apart, 1.0) ** 2
    np.fill_diagonal(foot, 0.0)
    kept = lines.height > foot.max(axis=1)
    return FoundLines(
        lines.two_theta[kept], lines.uncertainty[kept], lines.height[kept], lines.fwhm[kept]
    )


def _flanks_joined(lines: FoundLines) -> FoundLines:
    group = np.cumsum(np.diff(lines.two_theta, prepend=-np.inf) > _ONE * lines.fwhm) - 1
    if not len(group) or group[-1] + 1 == len(group):
        return lines
    total = np.bincount(group, lines.height)
    centre = np.bincount(group, lines.height * lines.two_theta) / total
    spread = np.bincount(group, lines.height * (lines.two_theta - centre[group]) ** 2) / total
    known = np.bincount(group, lines.height * lines.uncertainty) / total
    return FoundLines(
        centre,
        np.sqrt(known**2 + spread),
        np.asarray([lines.height[group == i].max() for i in range(group[-1] + 1)]),
        np.bincount(group, lines.height * lines.fwhm) / total,
    )
