import numpy as np
import pytest
import torch

from sgbench.diffraction import CANONICAL
from sgbench.models import get_model
from sgbench.models.transformer_sin2theta2026 import PatchTransformer


@pytest.mark.parametrize("n_outputs", [36, 99])
def test_parameters(n_outputs):
    width, n_patches = 128, 328
    embedding = (2 * 25 + 1) * width + (n_patches + 1) * width + width
    code = 2 * width + (width + 1) * width
    attention = (width + 1) * 3 * width + (width + 1) * width
    dense = (width + 1) * 4 * width + (4 * width + 1) * width
    layer = attention + dense + 2 * 2 * width
    expected = embedding + code + 4 * layer + 2 * width + (width + 1) * n_outputs
    assert get_model("transformer-sin2theta2026").n_parameters(n_outputs) == expected


def test_the_codes_are_sin_squared_theta_of_the_benchmarks_grid():
    network = PatchTransformer(3)
    theta = np.radians(CANONICAL.two_theta / 2)
    coordinate = np.asarray(network.sin2[0, 0, : CANONICAL.n_points])
    # a straight line of sin²θ, from -1 to (eight points short of) 1
    slope, offset = np.polyfit(np.sin(theta) ** 2, coordinate, 1)
    np.testing.assert_allclose(coordinate, slope * np.sin(theta) ** 2 + offset, atol=1e-6)
    assert coordinate[0] == -1
    assert 0.997 < coordinate[-1] < 1 == network.sin2.max()
    centres = theta[12 : 25 * 327 : 25]
    np.testing.assert_allclose(
        network.patch_sin2[: len(centres), 0], 100 * np.sin(centres) ** 2, rtol=1e-5
    )


def test_the_position_code_moves_the_output():
    network = PatchTransformer(3).eval()
    patterns = torch.rand(1, 1, 8192)
    with torch.no_grad():
        before = network(patterns)
        network.patch_sin2 = network.patch_sin2.flip(0)
        code_flipped = network(patterns)
        network.patch_sin2 = network.patch_sin2.flip(0)
        network.sin2 = network.sin2.flip(2)
        channel_flipped = network(patterns)
    assert not torch.allclose(before, code_flipped)
    assert not torch.allclose(before, channel_flipped)


def test_the_grid_is_no_weight():
    assert not any("sin2" in name for name in PatchTransformer(3).state_dict())


def test_published_hyper_parameters():
    expected = {"batch_size": 128, "peak_rate": 1e-4, "warmup": 80_000}
    assert dict(get_model("transformer-sin2theta2026").defaults) == expected
