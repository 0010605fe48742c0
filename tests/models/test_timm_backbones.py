import pytest
import torch

from sgbench.errors import SgbenchError
from sgbench.models import get_model, model_names


def test_two_are_listed():
    assert {"timm:convnext_atto", "timm:resnet18"} <= set(model_names())


def convnext_atto(n_outputs):
    total = 4 * 4 * 40 + 3 * 40  # the stem with its bias and normalisation
    for width, depth in ((40, 2), (80, 2), (160, 6), (320, 2)):
        if width > 40:
            total += width + 4 * (width // 2) * width + width  # normalisation, weights, bias
        depthwise, normalisation, scale = 50 * width, 2 * width, width
        dense = (width + 1) * 4 * width + (4 * width + 1) * width
        total += depth * (depthwise + normalisation + dense + scale)
    return total + 2 * 320 + 321 * n_outputs


def resnet18(n_outputs):
    """The 11,689,512 of torchvision's page, less two channels of the stem and some classes."""
    return 11_689_512 - 2 * 7 * 7 * 64 - 513 * (1000 - n_outputs)


@pytest.mark.parametrize("expected", [convnext_atto, resnet18])
@pytest.mark.parametrize("n_outputs", [36, 68])
def test_parameters(expected, n_outputs):
    assert get_model(f"timm:{expected.__name__}").n_parameters(n_outputs) == expected(n_outputs)


def test_a_pattern_is_folded_row_after_row():
    network, seen = get_model("timm:resnet18").build(3).eval(), []
    network.backbone.register_forward_hook(lambda module, inputs, output: seen.append(inputs[0]))
    network(torch.arange(8192.0).view(1, 1, 8192))
    (image,) = seen
    assert image.shape == (1, 1, 64, 128)
    assert image[0, 0, 0].tolist() == list(range(128))
    assert image[0, 0, :, 0].tolist() == list(range(0, 8192, 128))


@pytest.mark.parametrize("backbone", ["vit_tiny_patch16_224", "mobilenetv3_small_050"])
def test_any_other_name(backbone):
    """With and without an image size to be told."""
    spec = get_model(f"timm:{backbone}")
    assert spec.name == f"timm:{backbone}"
    network = spec.build(5)
    assert network.training
    assert network(torch.rand(2, 1, 8192)).shape == (2, 5)


def test_a_listed_name_and_any_other_are_fed_alike():
    scalings = {get_model(f"timm:{name}").input_scaling for name in ("resnet18", "resnet10t")}
    assert scalings == {"sqrt"}


def test_an_unknown_name_brings_near_ones():
    with pytest.raises(
        SgbenchError, match=r"timm has no model 'resnet19'; .*resnet18.*list_models"
    ):
        get_model("timm:resnet19")


def test_a_name_like_no_other_brings_an_example():
    with pytest.raises(SgbenchError, match="expected a name such as resnet18"):
        get_model("timm:???")


def test_a_backbone_that_takes_no_such_images():
    build = get_model("timm:inception_v3").build
    with pytest.raises(SgbenchError, match="'inception_v3' takes no images of 64 x 128"):
        build(36)
