"""The trainer around a network."""

from sgbench.training._trainer import (
    Progress,
    TrainedModel,
    TrainingPlan,
    choose_device,
    hardware,
    load_model,
    save_model,
    train,
)

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
