"""Datasets as specifications: what each sample is, never its pattern."""

from typing import TYPE_CHECKING, Any

from sgbench.datasets._evaluation_sets import (
    TEST_SETS,
    Designed,
    EvaluationSet,
    designed_dataset,
    evaluation_dataset,
    evaluation_set,
    family_dataset,
    mesh_of,
)
from sgbench.datasets._exact_ceilings import ExactCeiling, data_ceiling, exact_ceilings
from sgbench.datasets._training_sets import (
    TrainingSet,
    is_held_out,
    training_family,
    training_set,
    with_family,
)
from sgbench.datasets._ulbd import SPLITS, ULBD, MeshAxis, Recipes, Split, Ulbd
from sgbench.datasets._ulbd_union import ULBD_ALL, UlbdUnion

if TYPE_CHECKING:
    from sgbench.datasets._store import CrystalSet, read_crystals

__all__ = [
    "SPLITS",
    "TEST_SETS",
    "ULBD",
    "ULBD_ALL",
    "CrystalSet",
    "Designed",
    "EvaluationSet",
    "ExactCeiling",
    "MeshAxis",
    "Recipes",
    "Split",
    "TrainingSet",
    "Ulbd",
    "UlbdUnion",
    "data_ceiling",
    "designed_dataset",
    "evaluation_dataset",
    "evaluation_set",
    "exact_ceilings",
    "family_dataset",
    "is_held_out",
    "mesh_of",
    "read_crystals",
    "training_family",
    "training_set",
    "with_family",
]


def __getattr__(name: str) -> Any:
    # Files of crystals need pyarrow, which designed patterns and training do without.
    if name in ("CrystalSet", "read_crystals"):
        from sgbench.datasets import _store

        return getattr(_store, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
