"""Space groups, extinction classes, reflection conditions and the ceilings that follow."""

from sgbench.symmetry._ceilings import TOP_K, Ceiling, top_k_ceiling
from sgbench.symmetry._classes import (
    CLASS_MAP_VERSION,
    ExtinctionClass,
    class_labels,
    extinction_classes,
    relabellings,
)
from sgbench.symmetry._conditions import ReflectionCondition, reflection_conditions
from sgbench.symmetry._groups import (
    FAMILIES,
    PAPER_FAMILIES,
    absences,
    crystal_system,
    family_of,
    family_spacegroups,
    spacegroup_symbol,
)

__all__ = [
    "CLASS_MAP_VERSION",
    "FAMILIES",
    "PAPER_FAMILIES",
    "TOP_K",
    "Ceiling",
    "ExtinctionClass",
    "ReflectionCondition",
    "absences",
    "class_labels",
    "crystal_system",
    "extinction_classes",
    "family_of",
    "family_spacegroups",
    "reflection_conditions",
    "relabellings",
    "spacegroup_symbol",
    "top_k_ceiling",
]
