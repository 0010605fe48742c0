"""Networks, estimators and models that need no training, behind one registry.

Every public module of this package is a model that enters itself in the registry when it is
imported, which happens when a model is first asked for: torch takes seconds to import.
"""

from sgbench.models._plan import TrainingPlan
from sgbench.models._registry import (
    REFERENCE,
    REFERENCE_MODELS,
    base_name,
    current_name,
    get_model,
    get_trained_model,
    is_reserved,
    list_models,
    model_names,
    register_estimator,
    register_model,
    register_untrained,
)
from sgbench.models._specs import (
    Answer,
    EstimatorSpec,
    ModelSpec,
    NetworkSpec,
    TrainedSpec,
    UntrainedSpec,
)
from sgbench.models.controls import CONTROLS, ORACLE, control_probabilities

__all__ = [
    "CONTROLS",
    "ORACLE",
    "REFERENCE",
    "REFERENCE_MODELS",
    "Answer",
    "EstimatorSpec",
    "ModelSpec",
    "NetworkSpec",
    "TrainedSpec",
    "TrainingPlan",
    "UntrainedSpec",
    "base_name",
    "control_probabilities",
    "current_name",
    "get_model",
    "get_trained_model",
    "is_reserved",
    "list_models",
    "model_names",
    "register_estimator",
    "register_model",
    "register_untrained",
]
