"""The trainer around a network."""

from sgbench.training._device import choose_device, hardware
from sgbench.training._model_file import TrainedModel, load_model, save_model
from sgbench.training._plan import Progress, TrainingPlan
from sgbench.training._trainer import train

__all__ = [
    "Progress",
    "TrainedModel",
    "TrainingPlan",
    "choose_device",
    "hardware",
    "load_model",
    "save_model",
    "train",
]
