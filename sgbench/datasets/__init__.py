"""Datasets as specifications: what each sample is, never its pattern."""

from sgbench.datasets._ulbd import SPLITS, ULBD, MeshAxis, Recipes, Split, Ulbd

__all__ = ["SPLITS", "ULBD", "MeshAxis", "Recipes", "Split", "Ulbd"]
