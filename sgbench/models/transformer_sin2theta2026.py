"""The patch transformer that knows sin²θ.

Baggett, Friedman, Shetty, Chan-Sew, Acha, Dwarcherla, Kienzle & Ratcliff, "Attention Is Not All You
Need for Diffraction", arXiv:2604.23811 (2026); hyper-parameters from the first stage of training in
their code (github.com/scattering/paper-ai-diffraction). In sin²θ the lines of a cubic crystal are
multiples of one step and those of any crystal sums of multiples of a few, so the network is given
it twice: as a second channel beside the intensity, and as a position code of each patch, computed
by two dense layers and added to a learned one.

What differs: one head instead of their two (37 extinction rules and 99 extinction groups), plain
cross-entropy, no second and third stage of training. The 2θ grid is the benchmark's
(`sgbench.diffraction.CANONICAL`), continued by eight zeros so that patches of 25 fit; they stretch
the window's grid over such zeros.
"""

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from sgbench.diffraction import CANONICAL
from sgbench.models._registry import register_model

_PAPER = "Baggett et al., arXiv:2604.23811 (2026)"
_PATCH = 25
_WIDTH = 128
_DEPTH = 4
_HEADS = 4
_CODE_SCALE = 100.0


class PatchTransformer(nn.Module):
    """Patches of 25 points, a class token, and four encoder layers.

    Maps patterns, shape (n, 1, 8192), to logits, shape (n, n_outputs). With 36 outputs it has
    863,524 weights.
    """

    sin2: torch.Tensor  # (1, 1, 8200), from -1 to 1
    patch_sin2: torch.Tensor  # (328, 1), at the patches' centres, 0 to 50

    def __init__(self, n_outputs: int) -> None:
        super().__init__()
        n_patches = -(-CANONICAL.n_points // _PATCH)
        two_theta = CANONICAL.two_theta_min + CANONICAL.step * np.arange(n_patches * _PATCH)
        sin2 = _sin2(two_theta)
        scaled = 2 * (sin2 - sin2[0]) / (sin2[-1] - sin2[0]) - 1
        centres = two_theta.reshape(n_patches, _PATCH).mean(axis=1)
        codes = _CODE_SCALE * _sin2(centres)[:, None]
        for name, values in (("sin2", scaled[None, None]), ("patch_sin2", codes)):
            self.register_buffer(
                name, torch.as_tensor(values, dtype=torch.float32), persistent=False
            )
        self.embed = nn.Conv1d(2, _WIDTH, _PATCH, stride=_PATCH)
        self.class_token = nn.Parameter(torch.empty(1, 1, _WIDTH))
        self.position = nn.Parameter(torch.empty(1, n_patches + 1, _WIDTH))
        self.code = nn.Sequential(nn.Linear(1, _WIDTH), nn.GELU(), nn.Linear(_WIDTH, _WIDTH))
        layers = (
            nn.TransformerEncoderLayer(
                _WIDTH, _HEADS, 4 * _WIDTH, dropout=0.0, activation="gelu", layer_norm_eps=1e-6,
                batch_first=True, norm_first=True,
            )
            for _ in range(_DEPTH)
        )  # fmt: skip
        self.encoder = nn.Sequential(*layers)
        self.norm = nn.LayerNorm(_WIDTH, eps=1e-6)
        self.head = nn.Linear(_WIDTH, n_outputs)
        self._initialise()

    def _initialise(self) -> None:
        """Set the published initial state; the convolution and the head keep PyTorch's own."""
        for token in (self.class_token, self.position):
            nn.init.trunc_normal_(token, std=0.02)
        for module in (*self.code.modules(), *self.encoder.modules()):
            if isinstance(module, nn.Linear):
                nn.init.trunc_normal_(module.weight, std=0.01)
                nn.init.zeros_(module.bias)
            elif isinstance(module, nn.MultiheadAttention):
                nn.init.trunc_normal_(module.in_proj_weight, std=0.01)
                nn.init.zeros_(module.in_proj_bias)

    def forward(self, patterns: torch.Tensor) -> torch.Tensor:
        """Return logits, shape (n, n_outputs)."""
        n = len(patterns)
        padded = F.pad(patterns, (0, self.sin2.shape[2] - patterns.shape[2]))
        channels = torch.cat([padded, self.sin2.expand(n, -1, -1)], dim=1)
        patches = self.embed(channels).transpose(1, 2) + self.code(self.patch_sin2)
        tokens = torch.cat([self.class_token.expand(n, -1, -1), patches], dim=1)
        encoded = self.encoder(tokens + self.position)
        logits: torch.Tensor = self.head(self.norm(encoded[:, 0]))
        return logits


def _sin2(two_theta: np.ndarray) -> np.ndarray:
    """Return sin²θ of angles 2θ in degrees."""
    return np.sin(np.radians(two_theta / 2)) ** 2


@register_model(
    "transformer-sin2theta2026",
    paper=_PAPER,
    # Their warm-up is 4 % of the steps: so many patterns at scale full.
    defaults={"batch_size": 128, "peak_rate": 1e-4, "warmup": 80_000},
)
def transformer(n_outputs: int) -> nn.Module:
    """Build the network with one head."""
    return PatchTransformer(n_outputs)
