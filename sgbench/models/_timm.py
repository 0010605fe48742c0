"""Vision backbones of timm on the folded pattern.

Wightman, "PyTorch Image Models", doi:10.5281/zenodo.4414861 (2019); each backbone has a paper of
its own, which timm cites. A pattern of 8,192 points is folded into an image of one channel, 64 rows
of 128 points: a row follows where the one above it ends, so a kernel sees 1.3 degrees along a row
and lines one row apart that lie 1.3 degrees apart. Weights are fresh, not pretrained.
"""

import difflib
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from sgbench.errors import SgbenchError

PAPER = "Wightman, PyTorch Image Models, doi:10.5281/zenodo.4414861 (2019)"
_IMAGE = (64, 128)


class _Folded(nn.Module):
    """Maps patterns, shape (n, 1, 8192), by way of images, (n, 1, 64, 128), to logits."""

    def __init__(self, backbone: nn.Module) -> None:
        super().__init__()
        self.backbone = backbone

    def forward(self, patterns: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.backbone(patterns.view(len(patterns), 1, *_IMAGE))
        return logits


def timm_network(backbone: str) -> Callable[[int], nn.Module]:
    """Return a constructor of a backbone, to be called with the number of outputs.

    Parameters
    ----------
    backbone : str
        Any name of `timm.list_models()`.

    Raises
    ------
    SgbenchError
        If timm has no such model; from the constructor, if the model takes no 64 x 128 images.
    """
    import timm

    if not timm.is_model(backbone):
        close = difflib.get_close_matches(backbone, timm.list_models(), n=4) or ["resnet18"]
        raise SgbenchError(
            f"timm has no model '{backbone}'; expected a name such as {', '.join(close)}. "
            "`timm.list_models()` lists them."
        )

    def build(n_outputs: int) -> nn.Module:
        # Some need to be told the size of the image, and some do not take the argument.
        reasons = []
        for options in ({"img_size": _IMAGE}, {}):
            try:
                return _tried(backbone, n_outputs, options)
            except (TypeError, AssertionError, RuntimeError, ValueError) as error:
                reasons.append(str(error))
        raise SgbenchError(
            f"timm's '{backbone}' takes no images of 64 x 128 ({reasons[-1]}). "
            "Choose another backbone, e.g. timm:resnet18."
        )

    return build


def _tried(backbone: str, n_outputs: int, options: dict[str, Any]) -> nn.Module:
    import timm

    network = _Folded(
        timm.create_model(backbone, pretrained=False, in_chans=1, num_classes=n_outputs, **options)
    )
    with torch.inference_mode():
        network.eval()(torch.zeros(1, 1, _IMAGE[0] * _IMAGE[1]))
    return network.train()
