"""Reference weights that come with sgbench: trained networks, ready to predict.

Each is a file of weights in half precision and a description beside it, in `weights/`, whose path
is the name: ``TRAINING_SET/MODEL``.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from sgbench.pretrained._weights import (
    HOME,
    MOST_BYTES,
    Figures,
    Pretrained,
    Rounding,
    load_pretrained,
    pretrained_names,
    read_pretrained,
)

if TYPE_CHECKING:
    from sgbench.pretrained._export import export_weights
    from sgbench.pretrained._onnx import export_onnx

__all__ = [
    "HOME",
    "MOST_BYTES",
    "Figures",
    "Pretrained",
    "Rounding",
    "export_onnx",
    "export_weights",
    "load_pretrained",
    "pretrained_names",
    "read_pretrained",
]


# These need torch, for which a listing does not wait.
_HOMES = {"export_onnx": "_onnx", "export_weights": "_export"}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
