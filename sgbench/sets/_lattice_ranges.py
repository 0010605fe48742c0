"""Ranges of cells that real structures of each space group have."""

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from sgbench.structures import CrystalSet

#: Space group, smallest and largest cubic a in ångström, on multiples of 0.05 Å, of ``cddd``
#: version 2 from the AMCSD (`lattice_ranges`); groups that are not named have no structure there.
CUBIC_RANGES = (
    (195, 9.00, 9.00), (197, 8.40, 10.25), (198, 4.40, 10.45), (199, 7.75, 11.00),
    (200, 4.55, 5.45), (201, 7.70, 10.00), (202, 10.30, 14.25), (203, 13.90, 14.05),
    (204, 7.25, 9.35), (205, 3.90, 12.95), (206, 4.25, 14.55), (207, 10.60, 10.60),
    (208, 6.30, 6.40), (212, 8.15, 8.30), (213, 6.30, 9.70), (214, 9.95, 12.60),
    (215, 3.75, 10.60), (216, 3.60, 11.55), (217, 8.80, 10.60), (218, 5.95, 10.65),
    (219, 12.05, 17.25), (220, 5.95, 15.45), (221, 2.60, 10.60), (223, 4.55, 6.75),
    (224, 3.30, 12.50), (225, 2.90, 13.75), (226, 10.25, 10.25), (227, 3.55, 24.95),
    (229, 2.75, 10.75), (230, 11.25, 16.00),
)  # fmt: skip


def lattice_ranges(
    crystals: "CrystalSet", family: str = "cubic", step: float = 0.05
) -> tuple[tuple[int, float, float], ...]:
    """Return the range of the cell edge a that the structures of each space group span.

    Parameters
    ----------
    crystals : CrystalSet
    family : str
    step : float
        Both ends are rounded down to a multiple of this, in ångström.

    Returns
    -------
    tuple of (int, float, float)
        Space group, lowest and highest a in ångström, for each space group that has a structure.
    """
    chosen = np.array(crystals.family) == family
    ranges = []
    for spacegroup in np.unique(crystals.spacegroup[chosen]):
        edge = crystals.cell[chosen & (crystals.spacegroup == spacegroup), 0]
        # A hair above each multiple, which cells on the multiple itself do not always reach.
        low, high = (np.floor(x / step + 1e-6) * step for x in (edge.min(), edge.max()))
        ranges.append((int(spacegroup), round(float(low), 6), round(float(high), 6)))
    return tuple(ranges)
