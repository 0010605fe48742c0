"""How many structures each space group has."""

from collections import Counter
from typing import Any

from sgbench.structures._store import CrystalSet
from sgbench.symmetry import (
    crystal_system,
    extinction_classes,
    family_of,
    family_spacegroups,
    spacegroup_symbol,
)

#: Fewer structures than this say little about a space group, and are the paper's limit for testing.
FEW = 20


def covered_groups(crystals: CrystalSet) -> tuple[int, ...]:
    """Return the space groups that the dataset's families have, present or not."""
    return tuple(
        sorted(n for family in crystals.metadata["families"] for n in family_spacegroups(family))
    )


def group_counts(crystals: CrystalSet) -> list[dict[str, Any]]:
    """Count the structures of every space group of the dataset's families, present or not.

    Returns
    -------
    list of dict
        With ``spacegroup``, ``symbol``, ``system``, ``family``, ``extinction_class`` and ``n``, by
        ascending number.
    """
    n = Counter(crystals.spacegroup.tolist())
    return [
        {
            "spacegroup": number,
            "symbol": spacegroup_symbol(number),
            "system": crystal_system(number),
            "family": family_of(number),
            "extinction_class": cls.symbol,
            "n": n[number],
        }
        for number, cls in sorted(
            (number, cls)
            for cls in extinction_classes(covered_groups(crystals))
            for number in cls.spacegroups
        )
    ]
