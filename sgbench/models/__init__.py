"""Networks and controls, behind one registry.

Every public module of this package is a network that enters itself in the registry when it is
imported, which happens when a network is first asked for: torch takes seconds to import.
"""

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
