"""The vision backbones that `sgbench models` lists; any other of timm's is made when asked for."""

from functools import partial

from torch import nn

from sgbench.models._registry import register_model
from sgbench.models._timm import PAPER, timm_network


def _build(backbone: str, n_outputs: int) -> nn.Module:
    # timm takes seconds to import, so it is left until a network is built.
    return timm_network(backbone)(n_outputs)


for _backbone in ("convnext_atto", "resnet18"):
    # The scaling that `get_model` gives to the other backbones.
    register_model(f"timm:{_backbone}", paper=PAPER, input_scaling="sqrt")(
        partial(_build, _backbone)
    )
