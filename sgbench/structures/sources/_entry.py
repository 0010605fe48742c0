"""What every source of crystal structures yields: structures as published, before any cleaning."""

from dataclasses import dataclass

from sgbench.sourced import Excluded, Exclusion, Source

__all__ = [
    "NO_COORDINATES",
    "TOO_LARGE",
    "UNREADABLE",
    "UNREADABLE_SPECIES",
    "Entry",
    "Excluded",
    "Exclusion",
    "Source",
]


@dataclass(frozen=True)
class Entry:
    """A crystal structure as its source states it.

    Plain numbers in tuples, so that an entry is compared, hashed and sent to a worker as it is.

    Attributes
    ----------
    structure_id : str
        Unique within the source, e.g. ``amcsd-0001234``.
    name : str
        Mineral or compound; the formula where it has no name. Structures of one name are kept on
        one side of a grouped split.
    spacegroup : int or None
        Number of the space group that the source labels the structure with; None where it gives no
        label.
    cell : tuple of float, length 6
        a, b, c in ångström, alpha, beta, gamma in degrees.
    operators : tuple of str
        All symmetry operators of the setting that the coordinates are given in, centring included,
        e.g. ``-x,1/2+y,-z``; ``("x,y,z",)`` where all atoms of the cell are listed.
    elements : tuple of str, length n
        Element symbol of each scatterer; a mixed site is several scatterers at one position.
    positions : tuple of (float, float, float), length n
        Fractional coordinates.
    occupancies : tuple of float, length n
    citation : str
        Whom to cite for this structure.
    """

    structure_id: str
    name: str
    spacegroup: int | None
    cell: tuple[float, ...]
    operators: tuple[str, ...]
    elements: tuple[str, ...]
    positions: tuple[tuple[float, float, float], ...]
    occupancies: tuple[float, ...]
    citation: str = ""


#: Reasons that several sources share.
UNREADABLE = "unreadable"
NO_COORDINATES = "no coordinates"
UNREADABLE_SPECIES = "unreadable species"
TOO_LARGE = "too large"
