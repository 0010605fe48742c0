"""What every registered network has to do, whatever it is."""

import pytest
import torch

from sgbench.models import NetworkSpec, get_model, model_names

NAMES = [name for name in model_names() if isinstance(get_model(name), NetworkSpec)]
N_OUTPUTS = 5
# Variants of the fcn that differ only in what they are fed or taught, which other tests cover.
for variant in ("fcn-wang2024.sqrt", "fcn-wang2024.soft"):
    NAMES.remove(variant)


@pytest.fixture(scope="module", params=NAMES)
def built(request):
    """A network's name, and the network with weights of which none is 0.

    Some initial states have zeros that let no gradient through, as the last scale of each block.
    """
    torch.manual_seed(0)
    network = get_model(request.param).build(N_OUTPUTS)
    for weight in network.parameters():
        if not weight.any():
            torch.nn.init.normal_(weight, std=0.1)
    return request.param, network


@pytest.fixture(scope="module")
def patterns():
    """Lines on an empty background, shape (3, 1, 8192), maximum 1."""
    generator = torch.Generator().manual_seed(0)
    patterns = torch.rand(3, 1, 8192, generator=generator)
    return patterns * (torch.rand(3, 1, 8192, generator=generator) < 0.05)


def test_paper_and_version(built):
    spec = get_model(built[0])
    assert spec.paper
    assert spec.version >= 1


def test_gradient_reaches_every_parameter(built, patterns):
    name, network = built
    torch.manual_seed(3)
    logits = network.train()(patterns)
    assert logits.shape == (3, N_OUTPUTS)
    assert logits.dtype == torch.float32
    torch.nn.functional.cross_entropy(logits, torch.arange(3)).backward()
    without = [
        key
        for key, weight in network.named_parameters()
        if weight.grad is None or not weight.grad.isfinite().all() or not weight.grad.any()
    ]
    network.zero_grad(set_to_none=True)
    assert without == [], name


def test_scores_depend_on_weights_and_pattern_alone(built, patterns):
    """Not on the state of the generator, the batch, or the object that holds the weights."""
    name, network = built
    with torch.inference_mode():
        together = network.eval()(patterns)
        assert together.shape == (3, N_OUTPUTS)
        assert together.isfinite().all()
        assert not torch.allclose(together[0], together[1])  # it sees the pattern
        torch.manual_seed(7)
        assert network(patterns).equal(together)
        scale = together.abs().max().item()
        torch.testing.assert_close(network(patterns[1:2]), together[1:2], rtol=0, atol=1e-5 * scale)
        other = get_model(name).build(N_OUTPUTS).eval()
        assert not torch.allclose(other(patterns), together)  # fresh weights are random
        other.load_state_dict(network.state_dict())
        assert other(patterns).equal(together)
