"""Networks, estimators and controls, behind one registry.

Every public module of this package is a model that enters itself in the registry when it is
imported, which happens when a model is first asked for: torch takes seconds to import.
"""

from sgbench.models._controls import CONTROLS, control_probabilities
from sgbench.models._registry import (
    EstimatorSpec,
    ModelSpec,
    NetworkSpec,
    get_model,
    model_names,
    register_estimator,
    register_model,
)

__all__ = [
    "CONTROLS",
    "EstimatorSpec",
    "ModelSpec",
    "NetworkSpec",
    "control_probabilities",
    "get_model",
    "model_names",
    "register_estimator",
    "register_model",
]
