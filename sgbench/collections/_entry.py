"""What every source of measured patterns yields: patterns with labels, before any audit."""

from dataclasses import dataclass

from sgbench.measured import MeasuredPattern
from sgbench.structures.sources import Entry


@dataclass(frozen=True, eq=False)
class LabelledPattern:
    """A measured pattern with what its source says it is of.

    Attributes
    ----------
    pattern_id : str
        Unique within the source.
    substance : str
        Mineral or compound. Patterns of one substance are no independent tests. Empty where the
        source does not say.
    spacegroup : int or None
        None where the source gives no label.
    pattern : MeasuredPattern
    cell : tuple of float, length 6, or None
        In ångström and degrees, where it is known.
    phases : int
        How many the source declares.
    calculated : bool
        Whether the source says that nobody measured it.
    structure : Entry or None
        The crystal structure that the source gives with it.
    citation : str
    prototype : str
        Of the structure, as `sgbench.structures.CrystalSet` has it; empty where that is not known.
    """

    pattern_id: str
    substance: str
    spacegroup: int | None
    pattern: MeasuredPattern
    cell: tuple[float, ...] | None = None
    phases: int = 1
    calculated: bool = False
    structure: Entry | None = None
    citation: str = ""
    prototype: str = ""
