import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from sgbench.diffraction import CANONICAL, LineList, PatternProtocol, render
from sgbench.errors import SgbenchError

COARSE = PatternProtocol("coarse", n_points=1201, sigma=0.25)
# Within the tails at both ends, and far beyond them.
positions = st.one_of(st.floats(4.4, 90.6), st.floats(0.1, 6), st.floats(89, 179))
heights = st.floats(0.01, 1)
line = st.tuples(positions, heights)
strong_line_inside = st.tuples(st.floats(5, 90), st.floats(0.5, 1))
pattern = st.tuples(strong_line_inside, st.lists(line, max_size=40)).map(lambda p: [p[0], *p[1]])
patterns = st.lists(pattern, min_size=1, max_size=4)


def line_list(patterns) -> LineList:
    flat = np.array([line for lines in patterns for line in lines]).reshape(-1, 2)
    offsets = np.concatenate([[0], np.cumsum([len(lines) for lines in patterns])])
    return LineList(offsets.astype(np.int64), flat[:, 0].copy(), flat[:, 1].astype(np.float32))


def direct(lines: LineList, protocol: PatternProtocol) -> np.ndarray:
    rows = []
    for start, stop in zip(lines.offsets, lines.offsets[1:], strict=False):
        row = np.zeros(protocol.n_points)
        for place in range(start, stop):
            x = (protocol.two_theta - lines.two_theta[place]) / protocol.sigma
            row += float(lines.intensity[place]) * np.exp(-x * x / 2)
        rows.append(row / row.max())
    return np.array(rows)


@pytest.mark.parametrize("device", [None, "cpu"])
@pytest.mark.parametrize("protocol", [CANONICAL, COARSE], ids=lambda p: p.name)
@given(patterns=patterns)
def test_patterns_are_sums_of_gaussians(device, protocol, patterns):
    lines = line_list(patterns)
    found = np.asarray(render(lines, protocol, device))
    assert found.dtype == np.float32
    assert found.shape == (len(patterns), protocol.n_points)
    # 1e-5 of the maximum in the leaderboard's protocol
    tolerance = 1e-5 if protocol is CANONICAL else 2e-5
    np.testing.assert_allclose(found, direct(lines, protocol), rtol=0, atol=tolerance)
    assert (found >= 0).all()


@pytest.mark.parametrize("device", [None, "cpu"])
@given(patterns=patterns)
def test_the_maximum_is_exactly_1(device, patterns):
    found = np.asarray(render(line_list(patterns), CANONICAL, device))
    assert found.max(axis=1).tolist() == [1.0] * len(patterns)


@pytest.mark.parametrize("device", [None, "cpu"])
@pytest.mark.parametrize("place", [4.5, 4.9999, 5.0, 90.0, 90.0001, 90.5])
def test_a_single_line_at_the_ends(device, place):
    lines = line_list([[(place, 1.0), (47.123456, 0.7)]])
    found = np.asarray(render(lines, CANONICAL, device))
    np.testing.assert_allclose(found, direct(lines, CANONICAL), rtol=0, atol=1e-5)


@pytest.mark.parametrize("device", [None, "cpu"])
def test_a_line_between_two_grid_points(device):
    """At every 512th of a step, so that the table's interpolation shows."""
    middle = CANONICAL.two_theta[4000]
    lines = line_list([[(middle + i / 512 * CANONICAL.step, 1.0)] for i in range(513)])
    found = np.asarray(render(lines, CANONICAL, device))
    np.testing.assert_allclose(found, direct(lines, CANONICAL), rtol=0, atol=3e-6)


@pytest.mark.parametrize("device", [None, "cpu"])
def test_a_pattern_does_not_depend_on_its_neighbours(device):
    rng = np.random.default_rng(1)
    samples = [[(x, 1.0) for x in rng.uniform(5, 90, n)] for n in (3, 50, 1, 20)]
    together = np.asarray(render(line_list(samples), CANONICAL, device))
    for row, sample in zip(together, samples, strict=True):
        alone = np.asarray(render(line_list([sample]), CANONICAL, device))[0]
        np.testing.assert_array_equal(row, alone)


@pytest.mark.parametrize("device", [None, "cpu"])
def test_units_of_intensity_do_not_matter(device):
    lines = line_list([[(20.0, 1.0), (30.0, 0.5)]])
    scaled = LineList(lines.offsets, lines.two_theta, lines.intensity * np.float32(2.0**30))
    np.testing.assert_array_equal(
        np.asarray(render(lines, CANONICAL, device)), np.asarray(render(scaled, CANONICAL, device))
    )


@pytest.mark.parametrize("device", [None, "cpu"])
@pytest.mark.parametrize("empty", [[], [(3.0, 1.0)], [(92.0, 1.0), (150.0, 1.0)], [(30.0, 0.0)]])
def test_a_pattern_without_a_line_is_an_error(device, empty):
    lines = line_list([[(20.0, 1.0)], empty, empty])
    with pytest.raises(SgbenchError, match="2 of 3 patterns have no line in the window"):
        render(lines, CANONICAL, device)


@pytest.mark.parametrize("device", [None, "cpu"])
@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_intensities_that_are_no_numbers_are_an_error(device, value):
    lines = line_list([[(20.0, 1.0), (30.0, value)]])
    with pytest.raises(SgbenchError):
        render(lines, CANONICAL, device)


@pytest.mark.parametrize("device", [None, "cpu"])
def test_no_patterns_are_no_error(device):
    lines = LineList(np.zeros(1, dtype=np.int64), np.empty(0), np.empty(0, dtype=np.float32))
    assert np.asarray(render(lines, CANONICAL, device)).shape == (0, 8192)


def test_torch_gives_a_tensor_on_the_device():
    found = render(line_list([[(20.0, 1.0)]]), CANONICAL, torch.device("cpu"))
    assert isinstance(found, torch.Tensor)
    assert found.dtype == torch.float32
