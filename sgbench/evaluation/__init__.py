"""From predictions to scores."""

from sgbench.evaluation._answers import ANSWERS_ENDING, Answers
from sgbench.evaluation._confusions import Confusion, confusions
from sgbench.evaluation._predict import DECODER, predict_control, predict_decoder, predict_set
from sgbench.evaluation._predictions import (
    CLASS_SCHEMES,
    Predictions,
    read_predictions,
    write_predictions,
)
from sgbench.evaluation._scores import LabelScore, Score, read_score, score, top_k_hits, write_score

__all__ = [
    "ANSWERS_ENDING",
    "CLASS_SCHEMES",
    "DECODER",
    "Answers",
    "Confusion",
    "LabelScore",
    "Predictions",
    "Score",
    "confusions",
    "predict_control",
    "predict_decoder",
    "predict_set",
    "read_predictions",
    "read_score",
    "score",
    "top_k_hits",
    "write_predictions",
    "write_score",
]
