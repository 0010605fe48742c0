import itertools

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from sgbench.models import _cpu_blocks, fcn_wang2024, get_model
from sgbench.models._cpu_blocks import pooled_blocks
from sgbench.models.fcn_wang2024 import Fcn

CHANNELS = [16, 16, 32, 32, 64, 64, 128, 128, 256, 256, 512, 512, 256]
KEY = np.array([1, 2], dtype=np.uint32)


NO_DROPOUT = (0.0,) * 13


def network(n_outputs=36, seed=0, **settings) -> Fcn:
    """A network whose biases are not zero, so that a bias left out would show."""
    torch.manual_seed(seed)
    built = Fcn(n_outputs, **settings)
    with torch.no_grad():
        for layer in (*built.convolutions, built.head):
            layer.bias.uniform_(-0.1, 0.1)
    return built


def patterns(n=3, seed=1) -> torch.Tensor:
    return torch.rand(n, 1, 8192, generator=torch.Generator().manual_seed(seed))


def plain_block(x, weight, bias, slope):
    """The published order: activation before pooling."""
    return F.max_pool1d(F.leaky_relu(F.conv1d(x, weight, bias, padding=1), slope), 2)


def fast_block(x, weight, bias, slope, dtype=torch.float32, dropout=0.0, key=KEY):
    if weight.shape[1] == 1:
        out = _cpu_blocks._FirstBlock.apply(x, weight, bias, slope, dropout, key, dtype)
    else:
        wide = x.unsqueeze(2).to(dtype, memory_format=torch.channels_last)
        out = _cpu_blocks._Block.apply(wide, weight, bias, slope, dropout, key, dtype)
    return out.squeeze(2)


def closed_form_count(n_outputs: int) -> int:
    pairs = itertools.pairwise([1, *CHANNELS])
    return sum((3 * a + 1) * b for a, b in pairs) + (CHANNELS[-1] + 1) * n_outputs


@pytest.mark.parametrize("n_outputs", [36, 52, 68])
def test_the_number_of_weights(n_outputs):
    assert closed_form_count(36) == 1_976_884  # what the authors' network has
    for name in ("fcn-wang2024", "fcn-wang2024.sqrt"):
        assert get_model(name).n_parameters(n_outputs) == closed_form_count(n_outputs)


def test_shapes_of_the_layers():
    built = Fcn(36)
    shapes = [tuple(layer.weight.shape) for layer in built.convolutions]
    assert shapes == [(b, a, 3) for a, b in itertools.pairwise([1, *CHANNELS])]
    assert built.head.weight.shape == (36, 256, 1)
    x = patterns(2)
    for layer, channels, length in zip(
        built.convolutions, CHANNELS, (2**n for n in range(12, -1, -1)), strict=True
    ):
        x = F.max_pool1d(layer(x), 2)
        assert x.shape == (2, channels, length)
    assert built.eval()(patterns(2)).shape == (2, 36)


def test_fresh_weights_are_glorot_uniform_and_biases_zero():
    torch.manual_seed(0)
    built = Fcn(36)
    for layer in (*built.convolutions, built.head):
        out, into, width = layer.weight.shape
        bound = (6 / ((into + out) * width)) ** 0.5
        assert layer.weight.abs().max() <= bound
        if layer.weight.numel() > 5000:
            assert layer.weight.abs().max() > 0.99 * bound
            assert layer.weight.std().item() == pytest.approx(bound / 3**0.5, rel=0.03)
        assert not layer.bias.any()


def test_scores_are_those_of_plain_operations():
    built = network().eval()
    x = patterns()
    with torch.inference_mode():
        expected = x
        for i, layer in enumerate(built.convolutions):
            expected = plain_block(expected, layer.weight, layer.bias, 0.3 if i < 12 else 1.0)
        expected = F.conv1d(expected, built.head.weight, built.head.bias).flatten(1)
        torch.testing.assert_close(built(x), expected, rtol=1e-5, atol=1e-5)
        plain = built.head(built.plain_features(x)).flatten(1)
        torch.testing.assert_close(plain, expected, rtol=1e-5, atol=1e-5)


def test_training_without_dropout_gives_the_same_scores(monkeypatch):
    monkeypatch.setattr(fcn_wang2024, "training_dtype", lambda: torch.float32)
    built, x = network(dropouts=NO_DROPOUT), patterns()
    trained = built.train()(x).detach()
    torch.testing.assert_close(trained, built.eval()(x).detach(), rtol=1e-5, atol=1e-5)


# Gradients flip where the two values of a pair are nearly equal, so blocks are compared one at a
# time, on data where none are: drawn at random, or small integers whose ties are exact.


@pytest.mark.parametrize(("c_in", "c_out"), [(1, 16), (16, 8), (64, 32), (128, 24), (160, 8)])
@pytest.mark.parametrize("slope", [0.3, 1.0])
def test_gradients_of_a_block(c_in, c_out, slope):
    generator = torch.Generator().manual_seed(c_in)
    x, weight, bias, upstream = (
        torch.randn(*shape, generator=generator)
        for shape in ((3, c_in, 24), (c_out, c_in, 3), (c_out,), (3, c_out, 12))
    )
    results = []
    for block in (plain_block, fast_block):
        inputs = [t.clone().requires_grad_() for t in (x, weight, bias)]
        out = block(*inputs, slope)
        out.backward(upstream)
        gradients = [t.grad for t in inputs]
        results.append([out.detach(), *(gradients[1:] if c_in == 1 else gradients)])
    for mine, theirs in zip(*results, strict=True):
        scale = mine.abs().max().item()
        torch.testing.assert_close(theirs, mine, rtol=1e-5, atol=1e-5 * scale)


@pytest.mark.parametrize(("c_in", "c_out"), [(1, 4), (3, 4), (128, 4)])
def test_ties_go_to_the_first_of_the_pair_as_in_torch(c_in, c_out):
    generator = torch.Generator().manual_seed(3)
    x = torch.randint(-1, 2, (2, c_in, 32), generator=generator).float()
    x *= torch.rand(x.shape, generator=generator) < 2 / c_in
    weight = torch.randint(-1, 2, (c_out, c_in, 3), generator=generator).float()
    bias = torch.full((c_out,), 0.5)  # no value is 0, where the slope would be a convention
    convolved = F.conv1d(x, weight, bias, padding=1)
    assert (convolved[..., ::2] == convolved[..., 1::2]).sum() > 5
    upstream = torch.randint(-3, 4, (2, c_out, 16), generator=generator).float()
    results = []
    for block in (plain_block, fast_block):
        inputs = [t.clone().requires_grad_() for t in (x, weight, bias)]
        block(*inputs, 0.5).backward(upstream)
        results.append([t.grad for t in (inputs[1:] if c_in == 1 else inputs)])
    for mine, theirs in zip(*results, strict=True):
        torch.testing.assert_close(theirs, mine, rtol=0, atol=0)


@pytest.mark.parametrize("c_in", [1, 16, 128])
def test_bfloat16_within_its_rounding(c_in):
    generator = torch.Generator().manual_seed(5)
    x, weight, bias = (
        torch.randn(*shape, generator=generator) for shape in ((2, c_in, 64), (8, c_in, 3), (8,))
    )
    exact = plain_block(x, weight, bias, 0.3)
    rounded = fast_block(x, weight, bias, 0.3, torch.bfloat16)
    assert rounded.dtype == torch.bfloat16
    # input, weight, product and result are each rounded to 8 bits
    size = F.conv1d(x.abs(), weight.abs(), bias.abs(), padding=1)
    bound = 4 * 2.0**-8 * F.max_pool1d(size, 2)
    assert ((rounded.float() - exact).abs() <= bound).all()
    assert rounded.float().equal(exact) is False


def test_activations_are_rounded_to_the_nearest_bfloat16():
    values = torch.tensor(
        [0.0, 1.0, -1.0, 1 + 2**-8, 1 + 3 * 2**-8, 3e38, 1e-30, 1e-40, 0.1, -0.3, float("inf")]
    )
    generator = torch.Generator().manual_seed(7)
    values = torch.cat([values, torch.randn(501, generator=generator)])
    pairs = values.repeat_interleave(2)[None, None]
    weight = torch.tensor([[[0.0, 1.0, 0.0]]])
    # infinity times the zero of a neighbour's weight would not be a number
    finite = pairs.where(pairs.isfinite(), torch.tensor(1.0))
    out = fast_block(finite, weight, torch.zeros(1), 1.0, torch.bfloat16)
    assert out.flatten().equal(finite.flatten()[::2].to(torch.bfloat16))


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("place", [0, 1, 4000, 8191])
def test_a_value_that_is_no_number_stays_visible(training, place):
    x = patterns(2)
    x[1, 0, place] = float("nan")
    torch.manual_seed(0)
    built = network().train(training)
    if training:  # dropout must not be what hides it
        for layer in built.convolutions:
            layer.weight.data.abs_()
    with torch.no_grad():
        out = pooled_blocks(x, list(built.convolutions), (0.3,) * 13, (0.0,) * 13, torch.float32)
    assert not out[1].isfinite().all()
    assert out[0].isfinite().all()


def dropped(rate, key=KEY, shape=(4, 8, 4096)):
    """What dropout keeps of ones, shape (n, channels, length / 2)."""
    n, channels, length = shape
    weight = torch.zeros(channels, 1, 3)
    weight[:, 0, 1] = 1.0
    ones = torch.ones(n, 1, length)
    return fast_block(ones, weight, torch.zeros(channels), 0.3, dropout=rate, key=key)


@pytest.mark.parametrize("rate", [0.2, 0.4])
def test_dropout_rates(rate):
    out = dropped(rate)
    kept = out != 0
    assert torch.unique(out[kept]).tolist() == pytest.approx([1 / (1 - rate)])
    spread = (rate * (1 - rate) / kept.numel()) ** 0.5
    assert abs(kept.double().mean().item() - (1 - rate)) < 5 * spread
    for axes in ((0, 2), (0, 1), (1, 2)):  # no channel, position or pattern is favoured
        share = kept.double().mean(axes)
        tolerance = 5.5 * spread * share.numel() ** 0.5
        assert (share - (1 - rate)).abs().max() < tolerance


@pytest.mark.parametrize("shift", [(0, 0, 1), (0, 1, 0), (1, 0, 0), (0, 0, 2), (0, 1, 1)])
def test_neighbours_are_dropped_independently(shift):
    kept = (dropped(0.4) != 0).double() - 0.6
    a, b, c = (slice(s, None) for s in shift)
    x, y, z = (slice(None, n - s) for n, s in zip(kept.shape, shift, strict=True))
    product = kept[a, b, c] * kept[x, y, z]
    assert abs(product.mean().item()) < 5 * 0.24 / product.numel() ** 0.5


@pytest.mark.parametrize("seed", range(10))
def test_steps_and_blocks_are_dropped_independently(seed):
    """Each has a key of its own, drawn from torch's generator."""
    keys = np.random.default_rng(seed).integers(0, 2**32, (2, 2), dtype=np.uint32)
    mine, theirs = ((dropped(0.4, key) != 0).double() - 0.6 for key in keys)
    assert abs((mine * theirs).mean().item()) < 5 * 0.24 / mine.numel() ** 0.5


@pytest.mark.parametrize("c_in", [1, 16])
def test_what_is_dropped_has_no_gradient(c_in):
    generator = torch.Generator().manual_seed(9)
    x = torch.randn(2, c_in, 64, generator=generator)
    weight = torch.randn(8, c_in, 3, generator=generator)
    bias = torch.zeros(8, requires_grad=True)
    out = fast_block(x, weight.requires_grad_(), bias, 0.3, dropout=0.4)
    factor = torch.where(out > 0, 1 / 0.6, torch.where(out < 0, 0.3 / 0.6, 0.0))
    out.sum().backward()
    torch.testing.assert_close(bias.grad, factor.sum((0, 2)).detach(), rtol=1e-5, atol=1e-4)
    kept = (out != 0).detach()
    expected = plain_block(x, weight, bias, 0.3).detach() / 0.6
    torch.testing.assert_close(out.detach()[kept], expected[kept], rtol=1e-5, atol=1e-5)


def test_the_networks_blocks_have_the_published_rates(monkeypatch):
    seen = []
    original = fcn_wang2024.pooled_blocks

    def remember(x, convolutions, slopes, dropouts, dtype):
        seen.append((tuple(slopes), tuple(dropouts)))
        return original(x, convolutions, slopes, dropouts, dtype)

    monkeypatch.setattr(fcn_wang2024, "pooled_blocks", remember)
    built = network()
    with torch.no_grad():
        built.train()(patterns(1))
        built.eval()(patterns(1))
    slopes = (0.3,) * 12 + (1.0,)
    assert seen == [(slopes, (0.2,) * 11 + (0.4, 0.4)), (slopes, (0.0,) * 13)]


def test_the_torch_seed_fixes_a_training_pass():
    built, x = network().train(), patterns()
    outputs = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        outputs.append(built(x).detach())
    assert outputs[0].equal(outputs[1])
    assert not torch.allclose(outputs[0], outputs[2], rtol=1e-2)


def test_a_batch_does_not_matter_for_scores():
    built, x = network().eval(), patterns(5)
    with torch.inference_mode():
        together = built(x)
        alone = torch.cat([built(row[None]) for row in x])
    torch.testing.assert_close(together, alone, rtol=1e-5, atol=1e-5)


def test_a_state_dict_makes_the_same_network(tmp_path):
    built = network(seed=4)
    torch.save(built.state_dict(), tmp_path / "weights.pt")
    other = Fcn(36)
    other.load_state_dict(torch.load(tmp_path / "weights.pt", weights_only=True))
    x = patterns()
    with torch.inference_mode():
        assert other.eval()(x).equal(built.eval()(x))


def test_the_network_can_learn_a_few_patterns():
    """A reduced problem, without dropout: the loss of four patterns of four kinds falls."""
    built, labels = network(4, dropouts=NO_DROPOUT).train(), torch.arange(4)
    x = torch.zeros(4, 1, 8192)
    for label in labels:
        x[label, 0, label * 2000 : label * 2000 + 1200] = 1.0
    optimizer = torch.optim.Adam(built.parameters(), lr=1e-3)
    losses = []
    for _ in range(40):
        loss = F.cross_entropy(built(x), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[0] > 1.2
    assert losses[-1] < 0.5


def test_a_standard_input_is_the_square_root_without_mean_and_spread():
    given = patterns(3)[:, 0] - 0.01
    given[2] = 0.25
    found = get_model("fcn-wang2024.calibrated").scale_input(given)
    assert found.shape == (3, 1, 8192)
    root = np.sqrt(np.maximum(given.numpy().astype(np.float64), 0))
    expected = (root - root.mean(1, keepdims=True)) / root.std(1, keepdims=True).clip(1e-6)
    np.testing.assert_allclose(found[:, 0].numpy(), expected, atol=1e-4)
    assert (found[2] == 0).all()  # a pattern that shows nothing
