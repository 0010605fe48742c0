"""Designed patterns: cells, intensity laws, recipes and exact ceilings; nothing of files or models.

`sgbench.sets.ULBD` lists the datasets themselves.
"""

from sgbench.designed._dataset import Ulbd
from sgbench.designed._exact_ceilings import (
    LEVELS,
    ExactCeiling,
    data_ceiling,
    exact_ceilings,
    line_signatures,
)
from sgbench.designed._laws import LAWS, PHYSICAL, UNIFORM, IntensityLaw
from sgbench.designed._log_uniform_cells import LogUniformCells
from sgbench.designed._mesh import MeshAxis
from sgbench.designed._noise import (
    CountingNoise,
    GaussianNoise,
    Posterior,
    noise_posterior,
)
from sgbench.designed._posterior import exact_posterior
from sgbench.designed._recipes import SPLITS, Recipes, Split
from sgbench.designed._reduced_cells import ReducedCells
from sgbench.designed._union import UlbdUnion

#: A dataset of designed patterns, of one family or of all.
Designed = Ulbd | UlbdUnion

__all__ = [
    "LAWS",
    "LEVELS",
    "PHYSICAL",
    "SPLITS",
    "UNIFORM",
    "CountingNoise",
    "Designed",
    "ExactCeiling",
    "GaussianNoise",
    "IntensityLaw",
    "LogUniformCells",
    "MeshAxis",
    "Posterior",
    "Recipes",
    "ReducedCells",
    "Split",
    "Ulbd",
    "UlbdUnion",
    "data_ceiling",
    "exact_ceilings",
    "exact_posterior",
    "line_signatures",
    "noise_posterior",
]
