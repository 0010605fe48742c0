"""Reference weights that come with sgbench: trained networks, ready to predict.

Each is a file of weights in half precision and a description beside it, in `weights/`, whose path
is the name: ``TRAINING_SET/MODEL``.
"""

from sgbench.pretrained._export import export_weights
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

__all__ = [
    "HOME",
    "MOST_BYTES",
    "Figures",
    "Pretrained",
    "Rounding",
    "export_weights",
    "load_pretrained",
    "pretrained_names",
    "read_pretrained",
]
