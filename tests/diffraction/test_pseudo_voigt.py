import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import voigt_profile

from sgbench.diffraction import (
    CANONICAL,
    SIGMA_OF_WIDTH,
    LineList,
    Profile,
    part_widths,
    pseudo_voigt,
    render,
)
from sgbench.errors import SgbenchError

WIDTHS = st.floats(0.02, 1.0)


def one_line(gaussian, lorentzian, position=40.0):
    profile = Profile(np.array([gaussian], np.float32), np.array([lorentzian], np.float32))
    return LineList(np.array([0, 1]), np.array([position]), np.ones(1, np.float32), profile)


def of_definition(x, width, eta):
    """The sum of the two functions of unit area, as the article has it."""
    gaussian = np.sqrt(4 * np.log(2) / np.pi) / width * np.exp(-4 * np.log(2) * (x / width) ** 2)
    lorentzian = 2 / (np.pi * width) / (1 + 4 * (x / width) ** 2)
    return eta * lorentzian + (1 - eta) * gaussian


@pytest.mark.parametrize(("g", "l"), [(0.2, 0.0), (0.2, 0.1), (0.1, 0.3), (0.0, 0.2)])
@pytest.mark.parametrize("position", [40.0, 40.0037, 5.0, 89.99])
def test_one_line_is_the_function_itself(g, l, position):  # noqa: E741
    lines = one_line(g, l, position)
    width, eta = pseudo_voigt(lines.profile.gaussian, lines.profile.lorentzian)
    expected = of_definition(CANONICAL.two_theta - position, width, eta)
    expected /= expected.max()
    near = np.abs(CANONICAL.two_theta - position) < 30 * width
    np.testing.assert_allclose(render(lines, CANONICAL)[0][near], expected[near], atol=2e-5)


@pytest.mark.parametrize(("g", "l"), [(0.2, 0.02), (0.2, 0.1), (0.1, 0.1), (0.05, 0.2)])
def test_it_stands_for_the_convolution(g, l):  # noqa: E741
    """Within a hundredth of the maximum, as Thompson, Cox & Hastings say of it."""
    x = CANONICAL.two_theta - 40
    expected = voigt_profile(x, g * SIGMA_OF_WIDTH, l / 2)
    found = render(one_line(g, l), CANONICAL)[0]
    np.testing.assert_allclose(found, expected / expected.max(), atol=0.012)


@given(width=WIDTHS, eta=st.floats(0.0, 1.0))
def test_the_widths_of_the_parts_give_the_function_back(width, eta):
    parts = part_widths(np.array([width]), np.array([eta]))
    again = pseudo_voigt(*parts)
    np.testing.assert_allclose(np.ravel(again), [width, eta], atol=1e-9)


def many_lines(n=300, patterns=4):
    rng = np.random.default_rng(5)
    return LineList(
        np.linspace(0, n, patterns + 1).astype(np.int64),
        rng.uniform(4.5, 90.5, n),
        rng.uniform(0, 1, n).astype(np.float32),
        Profile(
            rng.uniform(0.05, 0.4, n).astype(np.float32),
            (rng.uniform(0, 0.3, n) * (rng.uniform(size=n) < 0.7)).astype(np.float32),
        ),
    )


def test_a_device_renders_the_same():
    lines = many_lines()
    tensor = render(lines, CANONICAL, torch.device("cpu"))
    np.testing.assert_allclose(tensor.numpy(), render(lines, CANONICAL), atol=1e-5)


def test_the_width_of_the_protocol_gives_its_pattern():
    lines = many_lines()
    width = np.full(300, CANONICAL.sigma / SIGMA_OF_WIDTH, np.float32)
    plain = LineList(lines.offsets, lines.two_theta, lines.intensity)
    profile = Profile(width, np.zeros_like(width))
    found = render(LineList(lines.offsets, lines.two_theta, lines.intensity, profile), CANONICAL)
    np.testing.assert_allclose(found, render(plain, CANONICAL), atol=2e-6)


def test_unscaled_patterns_keep_the_area_of_a_line():
    expected = CANONICAL.sigma * np.sqrt(2 * np.pi)
    for lines, tolerance in (
        (LineList(np.array([0, 1]), np.array([47.5]), np.ones(1, np.float32)), 1e-6),
        (one_line(0.1, 0.0, 47.5), 1e-6),
        (one_line(0.3, 0.0, 47.5), 1e-6),
        (one_line(0.1, 0.1, 47.5), 0.01),  # the tails of the Lorentzian are cut
    ):
        found = render(lines, CANONICAL, scaled=False)
        on_device = render(lines, CANONICAL, torch.device("cpu"), scaled=False)
        assert found.sum() * CANONICAL.step == pytest.approx(expected, rel=tolerance)
        np.testing.assert_allclose(on_device.numpy(), found, atol=1e-5)
    plain = LineList(np.array([0, 1]), np.array([47.5]), np.full(1, 7, np.float32))
    assert render(plain, CANONICAL, scaled=False).max() == pytest.approx(7, rel=2e-3)


def test_widths_go_with_their_lines():
    lines = many_lines()
    some = lines.take([2, 0])
    whole = render(lines, CANONICAL)
    np.testing.assert_array_equal(render(some, CANONICAL), whole[[2, 0]])
    joined = LineList.concatenate([lines.take([0, 1]), lines.take([2, 3])])
    assert joined.portable_bytes() == lines.portable_bytes()
    plain = LineList(lines.offsets, lines.two_theta, lines.intensity)
    assert plain.portable_bytes() != lines.portable_bytes()
    with pytest.raises(SgbenchError, match="have a profile of their own"):
        LineList.concatenate([lines, plain])
