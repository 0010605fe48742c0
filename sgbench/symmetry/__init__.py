"""Space groups, extinction classes, reflection conditions and the ceilings that follow."""

from sgbench.symmetry._ceilings import TOP_K, Ceiling, top_k_ceiling
from sgbench.symmetry._classes import (
    CLASS_MAP_VERSION,
    ExtinctionClass,
    class_labels,
    extinction_classes,
    relabellings,
)
from sgbench.symmetry._conditions import (
    ZONES,
    Forms,
    ReflectionCondition,
    Zone,
    condition_words,
    reflection_conditions,
    zone_forms,
)
from sgbench.symmetry._groups import (
    FAMILIES,
    PAPER_FAMILIES,
    absences,
    crystal_system,
    family_of,
    family_spacegroups,
    operations,
    spacegroup_symbol,
    system_labels,
)

__all__ = [
    "CLASS_MAP_VERSION",
    "FAMILIES",
    "PAPER_FAMILIES",
    "TOP_K",
    "ZONES",
    "Ceiling",
    "ExtinctionClass",
    "Forms",
    "ReflectionCondition",
    "Zone",
    "absences",
    "class_labels",
    "condition_words",
    "crystal_system",
    "extinction_classes",
    "family_of",
    "family_spacegroups",
    "operations",
    "reflection_conditions",
    "relabellings",
    "spacegroup_symbol",
    "system_labels",
    "top_k_ceiling",
    "zone_forms",
]
