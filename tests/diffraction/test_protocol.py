import numpy as np
import pytest

from sgbench.diffraction import CANONICAL, PROTOCOLS, PUBLISHED, PatternProtocol
from sgbench.errors import SgbenchError


def test_the_papers_window():
    for protocol in (CANONICAL, PUBLISHED):
        np.testing.assert_array_equal(protocol.two_theta, np.linspace(5, 90, 8192))
        assert protocol.wavelength == 1.5406
        assert protocol.sigma == 0.1
    assert (PUBLISHED.hkl_limit, CANONICAL.hkl_limit) == (10, None)
    assert PROTOCOLS == {"canonical": CANONICAL, "published": PUBLISHED}


def test_lines_outside_the_window_keep_their_tails_where_the_protocol_says_so():
    assert CANONICAL.line_range == pytest.approx((4.4, 90.6))
    assert PUBLISHED.line_range == pytest.approx((4.4, 90.0))
    spacing = 1.5406 / (2 * np.sin(np.radians(45.3)))
    assert CANONICAL.q_range[1] == pytest.approx(1 / spacing**2)


def test_lines_stay_between_0_and_180_degrees():
    wide = PatternProtocol("wide", two_theta_min=0.1, two_theta_max=179.9, n_points=20000)
    assert wide.line_range == (0.0, 180.0)
    assert wide.q_range[1] == pytest.approx((2 / wide.wavelength) ** 2)


@pytest.mark.parametrize(
    "window",
    [(90, 5), (5, 5), (0, 90), (-5, 90), (5, 180), (5, 200), (float("nan"), 90), (5, float("nan"))],
)
def test_windows_that_are_none(window):
    with pytest.raises(SgbenchError, match="empty, reversed or outside"):
        PatternProtocol("x", two_theta_min=window[0], two_theta_max=window[1])


@pytest.mark.parametrize(
    "values", [{"wavelength": 0}, {"wavelength": -1.5}, {"sigma": 0}, {"sigma": -0.1}]
)
def test_lengths_that_are_none(values):
    with pytest.raises(SgbenchError, match="must both be positive"):
        PatternProtocol("x", **values)


@pytest.mark.parametrize("values", [{"wavelength": float("nan")}, {"sigma": float("nan")}])
def test_values_that_are_no_numbers(values):
    with pytest.raises(SgbenchError):
        PatternProtocol("x", **values)


@pytest.mark.parametrize("n_points", [1, 2, 100, 850])
def test_too_few_points(n_points):
    with pytest.raises(SgbenchError, match="expected at least 851"):
        PatternProtocol("x", n_points=n_points)


def test_just_enough_points():
    protocol = PatternProtocol("x", n_points=851)
    assert protocol.step == pytest.approx(0.1)
