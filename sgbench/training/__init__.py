"""The trainer around a model."""

from sgbench.training._device import (
    autocast,
    choose_device,
    hardware,
    keep_freed_memory,
    memory_in_words,
)
from sgbench.training._estimators import estimator_probabilities
from sgbench.training._model_file import (
    FittedEstimator,
    Trained,
    TrainedModel,
    load_model,
    restore_network,
    save_model,
    write_history,
)
from sgbench.training._progress import Progress
from sgbench.training._trainer import train

__all__ = [
    "FittedEstimator",
    "Progress",
    "Trained",
    "TrainedModel",
    "autocast",
    "choose_device",
    "estimator_probabilities",
    "hardware",
    "keep_freed_memory",
    "load_model",
    "memory_in_words",
    "restore_network",
    "save_model",
    "train",
    "write_history",
]
