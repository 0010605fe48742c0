from dataclasses import replace

import numpy as np
import pytest

from sgbench.diffraction import CANONICAL, reference_height
from sgbench.sets import ULBD


def brute_force(cell, protocol):
    """From the basis vectors, over a box of indices that holds more than is needed."""
    a, b, c = cell[:3]
    ca, cb, cg = np.cos(np.radians(cell[3:]))
    sg = np.sqrt(1 - cg**2)
    y = (ca - cb * cg) / sg
    basis = np.array(
        [[a, 0, 0], [b * cg, b * sg, 0], [c * cb, c * y, c * np.sqrt(1 - cb**2 - y**2)]]
    )
    n = int(2 * max(cell[:3]) * 0.3) + 3
    hkl = np.stack(np.meshgrid(*[np.arange(-n, n + 1)] * 3), -1).reshape(-1, 3)
    lengths = np.linalg.norm(hkl @ np.linalg.inv(basis).T, axis=1)
    sine = lengths[lengths > 0] * protocol.wavelength / 2
    angle = 2 * np.arcsin(sine[sine < 1])
    inside = angle >= np.radians(protocol.two_theta_min)
    first = angle[inside].min()
    return 0.5 / (np.sin(first) * np.sin(first / 2))


@pytest.mark.parametrize(
    "cell",
    [
        (5.0, 5.0, 5.0, 90, 90, 90),
        (30.0, 30.0, 30.0, 90, 90, 90),
        (25.3, 4.1, 7.7, 90, 107.0, 90),
        (11.2, 11.2, 13.0, 90, 90, 120),
        (6.0, 9.5, 22.0, 71.0, 83.0, 65.0),
    ],
)
def test_it_is_half_the_lorentz_factor_of_the_first_line_in_the_window(cell):
    for protocol in (CANONICAL, replace(CANONICAL, two_theta_min=15.0, wavelength=0.7093)):
        found = reference_height([cell], protocol)
        np.testing.assert_allclose(found, [brute_force(cell, protocol)], rtol=1e-9)


def test_a_cell_without_a_line_in_the_window():
    narrow = replace(CANONICAL, two_theta_max=10.0)
    assert np.isnan(reference_height([(3.0, 3.0, 3.0, 90, 90, 90)], narrow)).all()


def test_it_is_the_mean_height_of_the_first_line_where_that_line_is_allowed():
    """P m -3 m at 12 Å shows 100; uniform intensities have mean 0.5, heights are unscaled."""
    dataset = ULBD["ulbd-cubic"]
    samples = dataset.held_out_samples("validation", 400)
    samples = samples.take(np.flatnonzero(samples.spacegroup == 221))
    lines, first = samples.lines, samples.lines.offsets[:-1]
    ratio = lines.intensity[first] / reference_height(samples.cell, samples.protocol)
    assert abs(ratio.mean() - 1) < 4 / np.sqrt(3 * len(ratio))
    assert ratio.max() <= 2 + 1e-6
