"""From predictions to scores."""

from sgbench.evaluation._answers import ANSWERS_ENDING, Answers
from sgbench.evaluation._confusions import Confusion, condition_differences, confusions
from sgbench.evaluation._hits import top_k_chances, top_k_hits, wilson_interval
from sgbench.evaluation._names import current_name_of, current_names, earlier_source
from sgbench.evaluation._predict import predict_set, predict_sets, predict_untrained
from sgbench.evaluation._predictions import (
    CLASS_SCHEMES,
    SCHEME_NAMES,
    SPEED_ENDING,
    Predictions,
    read_predictions,
    write_predictions,
)
from sgbench.evaluation._regret import bayes_top
from sgbench.evaluation._scores import (
    LabelScore,
    PartScore,
    Score,
    read_score,
    score,
    write_score,
)

__all__ = [
    "ANSWERS_ENDING",
    "CLASS_SCHEMES",
    "SCHEME_NAMES",
    "SPEED_ENDING",
    "Answers",
    "Confusion",
    "LabelScore",
    "PartScore",
    "Predictions",
    "Score",
    "bayes_top",
    "condition_differences",
    "confusions",
    "current_name_of",
    "current_names",
    "earlier_source",
    "predict_set",
    "predict_sets",
    "predict_untrained",
    "read_predictions",
    "read_score",
    "score",
    "top_k_chances",
    "top_k_hits",
    "wilson_interval",
    "write_predictions",
    "write_score",
]
