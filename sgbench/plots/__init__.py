"""Figures, in one style: what datasets look like, and what models made of them.

Each function goes from a value to a `matplotlib.figure.Figure`; `save` writes it. No state is
shared with `matplotlib.pyplot`, and neither the reader's own style nor the day changes a file.
"""

from sgbench.plots._accuracy import (
    mesh_dependence,
    models_compared,
    top_k_accuracies,
    top_k_by_scheme,
    training_curves,
)
from sgbench.plots._conditions import condition_curves, line_name
from sgbench.plots._confusion import confusion_matrices, relabelling_scheme
from sgbench.plots._datasets import (
    PATTERNS_OF,
    cell_histograms,
    patterns_of_one_group,
    portrait_group,
    portrait_groups,
    samples_per_group,
)
from sgbench.plots._generalization import (
    designed_sets,
    generalization_bars,
    generalization_matrix,
)
from sgbench.plots._history import read_history
from sgbench.plots._learning import LearningCurve, learning_curves, learning_figure
from sgbench.plots._measured import draw_pattern
from sgbench.plots._overview import extinction_overview
from sgbench.plots._paper import CONDITION_CURVES, PaperFigure, paper_figures
from sgbench.plots._rows import of_one_data, on_meshes
from sgbench.plots._style import save

__all__ = [
    "CONDITION_CURVES",
    "PATTERNS_OF",
    "LearningCurve",
    "PaperFigure",
    "cell_histograms",
    "condition_curves",
    "confusion_matrices",
    "designed_sets",
    "draw_pattern",
    "extinction_overview",
    "generalization_bars",
    "generalization_matrix",
    "learning_curves",
    "learning_figure",
    "line_name",
    "mesh_dependence",
    "models_compared",
    "of_one_data",
    "on_meshes",
    "paper_figures",
    "patterns_of_one_group",
    "portrait_group",
    "portrait_groups",
    "read_history",
    "relabelling_scheme",
    "samples_per_group",
    "save",
    "top_k_accuracies",
    "top_k_by_scheme",
    "training_curves",
]
