"""Datasets as specifications: what each sample is, never its pattern."""

from sgbench.datasets._evaluation_sets import (
    TEST_SETS,
    EvaluationSet,
    designed_dataset,
    evaluation_set,
    family_dataset,
)
from sgbench.datasets._ulbd import SPLITS, ULBD, MeshAxis, Recipes, Split, Ulbd

__all__ = [
    "SPLITS",
    "TEST_SETS",
    "ULBD",
    "EvaluationSet",
    "MeshAxis",
    "Recipes",
    "Split",
    "Ulbd",
    "designed_dataset",
    "evaluation_set",
    "family_dataset",
]
