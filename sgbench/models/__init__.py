"""Networks and controls, behind one registry."""

from sgbench.models import fcn_wang2024 as _fcn_wang2024  # noqa: F401  (registers itself)
from sgbench.models._controls import CONTROLS, control_probabilities
from sgbench.models._registry import ModelSpec, get_model, model_names, register_model

__all__ = [
    "CONTROLS",
    "ModelSpec",
    "control_probabilities",
    "get_model",
    "model_names",
    "register_model",
]
