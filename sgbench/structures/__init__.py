"""Crystal structures: from the entries of a source to line lists at rest.

Names are looked up when they are asked for: the workers of this package import packages that end
the process when others were imported before them.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sgbench.structures._build import build_crystals
    from sgbench.structures._cleaning import Structure, clean
    from sgbench.structures._counts import FEW, covered_groups, group_counts
    from sgbench.structures._random import generate_gcdd
    from sgbench.structures._splits import grouped_split, stratified_split, stratified_validation
    from sgbench.structures._store import (
        CrystalSet,
        concatenate,
        find_crystals,
        open_crystals,
        read_crystals,
        read_metadata,
        write_crystals,
    )

_HOMES = {
    "_build": ("VERSION", "build_crystals"),
    "_cleaning": ("Structure", "clean"),
    "_counts": ("FEW", "covered_groups", "group_counts"),
    "_random": ("generate_gcdd",),
    "_splits": ("grouped_split", "stratified_split", "stratified_validation"),
    "_store": (
        "CrystalSet", "concatenate", "find_crystals", "open_crystals", "read_crystals",
        "read_metadata", "write_crystals",
    ),
}  # fmt: skip

__all__ = [
    "FEW",
    "VERSION",
    "CrystalSet",
    "Structure",
    "build_crystals",
    "clean",
    "concatenate",
    "covered_groups",
    "find_crystals",
    "generate_gcdd",
    "group_counts",
    "grouped_split",
    "open_crystals",
    "read_crystals",
    "read_metadata",
    "stratified_split",
    "stratified_validation",
    "write_crystals",
]


def __getattr__(name: str) -> Any:
    for module, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
